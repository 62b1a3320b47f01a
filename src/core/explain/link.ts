// The chain from a Module to its driver on a node: what has to be right, in the order in which one thing rests on the other.
import type { Problem, ProblemCode } from '../problem.ts'

export const linkNames = [
  'module',
  'selector',
  'old driver',
  'taints',
  'node',
  'kernel',
  'mapping',
  'image',
  'build',
  'DaemonSet',
  'version label',
  'pod',
  'rollout',
  'driver',
  'ready label',
  'device plugin',
] as const
export type LinkName = (typeof linkNames)[number]

export type Link = {
  readonly link: LinkName
  readonly ok: boolean
  /** One sentence. */
  readonly because: string
  /** What it rests on, as it was seen: one fact per line. */
  readonly evidence: readonly string[]
}

/** Why a link does not hold. */
export type Break = {
  readonly link: LinkName
  /** A code of the catalogue; absent for what only `kmm explain` sees, such as a label that the operator has not set. */
  readonly code?: ProblemCode
  readonly because: string
  readonly todo: string
  /** It ends by itself. */
  readonly passing: boolean
}

const ofCode: Partial<Record<ProblemCode, LinkName>> = {
  RuleViolated: 'module',
  Paused: 'module',
  BeingDeleted: 'module',
  ModuleNameTaken: 'module',
  StillLoaded: 'old driver',
  Unloading: 'old driver',
  WaitingForOldDriver: 'old driver',
  WaitingForOtherModule: 'old driver',
  WaitingForPluginToStop: 'old driver',
  NodeTainted: 'taints',
  NodeNotReady: 'node',
  KernelsAlike: 'kernel',
  NoKernelMapping: 'mapping',
  KernelMappingLost: 'mapping',
  MappingInvalid: 'mapping',
  ImageUnknown: 'image',
  ImageMissing: 'image',
  OldDaemonSetPresent: 'DaemonSet',
  TwinDaemonSet: 'DaemonSet',
  DriverOnUnselectedNode: 'selector',
  PodsRefused: 'DaemonSet',
  WaitingForVersionLabel: 'version label',
  PodUnschedulable: 'pod',
  PodNotMounted: 'pod',
  PodNotStarted: 'pod',
  ImageNotPulled: 'pod',
  Outdated: 'rollout',
  RolloutStopped: 'rollout',
  NoShellInImage: 'driver',
  NoModprobeInImage: 'driver',
  KeyRejected: 'driver',
  ModuleNotFound: 'driver',
  UnknownSymbol: 'driver',
  FirmwareMissing: 'driver',
  FirmwarePathDiffers: 'driver',
  UnknownSymbolOrFirmware: 'driver',
  WrongFormat: 'driver',
  InTreeTwinLoaded: 'driver',
  NotPermitted: 'driver',
  LoadFailed: 'driver',
  Loading: 'driver',
  DevicePluginRefused: 'device plugin',
  DevicePluginFailing: 'device plugin',
}

/** A code that is not listed is about making an image where it names one, else about the Module. */
export const linkOf = ({ code, image }: Pick<Problem, 'code' | 'image'>): LinkName =>
  ofCode[code] ?? (image === undefined ? 'module' : 'build')

export const isLinked = (code: ProblemCode): boolean => ofCode[code] !== undefined

export const breakOf = (found: Problem): Break => ({
  link: linkOf(found),
  code: found.code,
  because: found.message,
  todo: found.todo,
  passing: found.passing,
})
