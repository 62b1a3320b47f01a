// Everything that `--fail` lets go wrong: where it strikes, what is told of it, and the reason that the operator finds.
import type { ProblemCode } from '../../core/problem.ts'

type Entry =
  | { readonly of: 'images' | 'nodes' | 'cluster'; readonly says: string; readonly shows: ProblemCode }
  | { readonly of: 'later'; readonly shows: ProblemCode }

/**
 * `images` and `nodes` strike one kernel: `says` goes on after `the images for kernel K` or `the nodes with kernel K`. `cluster`: every node.
 * `later`: happens when all is loaded, and is told then (later.ts).
 */
export const failures = {
  'missing-image': { of: 'images', says: 'are not in the registry', shows: 'ImageNotPulled' },
  'missing-module': { of: 'images', says: 'hold no module for it', shows: 'ModuleNotFound' },
  'no-depmod': { of: 'images', says: 'hold the modules, but depmod was not run on them', shows: 'ModuleNotFound' },
  'wrong-kernel': { of: 'images', says: 'hold modules that were built for another kernel', shows: 'WrongFormat' },
  unsigned: { of: 'images', says: 'hold modules without a signature, and the nodes ask for one', shows: 'KeyRejected' },
  'missing-symbol': {
    of: 'images',
    says: 'hold modules that need a symbol which the kernel does not have',
    shows: 'UnknownSymbol',
  },
  'missing-firmware': {
    of: 'images',
    says: 'hold modules that need a firmware file which is nowhere',
    shows: 'FirmwareMissing',
  },
  'no-modprobe': { of: 'images', says: 'hold no modprobe', shows: 'NoModprobeInImage' },
  'no-shell': { of: 'images', says: 'hold no /bin/sh', shows: 'NoShellInImage' },
  'firmware-path': {
    of: 'nodes',
    says: 'look for firmware elsewhere than the operator was told',
    shows: 'FirmwarePathDiffers',
  },
  'in-tree-twin': { of: 'nodes', says: "have a module of the kernel itself in the driver's place", shows: 'InTreeTwinLoaded' },
  'no-mount': { of: 'nodes', says: 'have no directory of modules for it', shows: 'PodNotMounted' },
  'full-node': { of: 'nodes', says: 'take no pods: the setting maxPods of their kubelets is 0', shows: 'PodUnschedulable' },
  'tainted-node': { of: 'nodes', says: 'have the taint example.com/reserved=others:NoSchedule', shows: 'NodeTainted' },
  'no-version-label': {
    of: 'nodes',
    says: 'have no label that asks for the version of a Module',
    shows: 'WaitingForVersionLabel',
  },
  'pod-security': {
    of: 'cluster',
    says: 'the namespaces of the Modules enforce the level baseline of Pod Security',
    shows: 'PodsRefused',
  },
  scc: {
    of: 'cluster',
    says: 'as on OKD, the service accounts of the Modules may use no other SCC than restricted-v2',
    shows: 'PodsRefused',
  },
  quota: {
    of: 'cluster',
    says: 'a quota in the namespaces of the Modules has room for one loader pod less than there are drivers to load',
    shows: 'PodsRefused',
  },
  'silent-node': { of: 'later', shows: 'NodeNotReady' },
  'in-use': { of: 'later', shows: 'StillLoaded' },
  'plugin-stays': { of: 'later', shows: 'WaitingForPluginToStop' },
} as const satisfies Readonly<Record<string, Entry>>

export type Failure = keyof typeof failures
type Of<Place> = { [F in Failure]: (typeof failures)[F]['of'] extends Place ? F : never }[Failure]
/** Strikes the images for one kernel, or the nodes with it. */
export type KernelFailure = Of<'images' | 'nodes'>

export const failureNames = Object.keys(failures) as readonly Failure[]

export const isOfKernel = (failure: Failure): failure is KernelFailure => {
  const { of } = failures[failure]
  return of === 'images' || of === 'nodes'
}

/** One sentence. */
export function toldOfKernel(failure: KernelFailure, kernel: string): string {
  const { of, says } = failures[failure]
  return `the ${of === 'images' ? 'images for' : 'nodes with'} kernel ${kernel} ${says}`
}
