// The reasons that a status may give at rest, each with what has to be so in the world for it. What is not listed here is on its way to
// something better and never an end.
import type { Module } from '../../src/api/module.ts'
import { canonicalModule } from '../../src/core/canonical.ts'
import { isNodeReady, kernelOf, type Node, type Pod } from '../../src/core/cluster.ts'
import { judgeModule } from '../../src/core/module/rules.ts'
import { annotations } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { hasOurFinalizer, isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import { modules, nodes, pods } from '../../src/core/resources.ts'
import { matchesLabels } from '../../src/core/selectors.ts'
import { type Place, placeOf } from './place.ts'
import type { World } from './world.ts'

export const isPausedByUser = ({ metadata }: Module): boolean => metadata.annotations?.[annotations.paused] === 'true'

/** Why nothing may be done for the Module at all. */
export function reasonToStop(module: Module): 'Paused' | 'RuleViolated' | undefined {
  if (isPausedByUser(module)) return 'Paused'
  return judgeModule(module).errors.length > 0 ? 'RuleViolated' : undefined
}

/** The names that the kernel knows its modules by. */
export function kernelNames(module: Module): readonly string[] {
  const { moduleName, modulesLoadingOrder } = canonicalModule(module).spec.moduleLoader.container.modprobe
  return [moduleName ?? '', ...(modulesLoadingOrder ?? [])].filter(name => name !== '').map(name => name.replaceAll('-', '_'))
}

/** What is missing in the world for this reason; undefined where it is founded. */
export function unfounded(place: Place, reason: string): string | undefined {
  const missing = grounds[reason]
  return missing === undefined ? 'that is no state of rest' : missing(place)
}

const grounds: Readonly<Record<string, (place: Place) => string | undefined>> = {
  StillLoaded: place => (holdsOldDriver(place) ? undefined : 'no driver of a deleted pod is in its kernel'),
  NoKernelMapping: withoutMapping,
  KernelMappingLost: withoutMapping,
  WaitingForVersionLabel: ({ version, asked }) =>
    version !== '' && asked !== version ? undefined : 'its label is that of the Module',
  ModuleNameTaken: place => (isShared(place) ? undefined : 'no other Module names its kernel module for this kernel'),
  Outdated: place => (isStopped(place) ? undefined : 'the rollout is not stopped by a node that really failed'),
  ImageNotPulled: ({ world, image = '', module }) => {
    const isNever = module.spec.moduleLoader.container.imagePullPolicy === 'Never'
    return isNever || world.cluster.registry.get(image) === undefined ? undefined : 'its image can be pulled'
  },
  ModuleNotFound: ({ image = '' }) => (image.includes(':bad') ? undefined : 'its image holds all of its modules'),
}

function withoutMapping({ image }: Place): string | undefined {
  return image === undefined ? undefined : 'there is a mapping'
}

/** The pod that is kept as evidence, and the driver of its image in the kernel (decisions.md 2). */
function holdsOldDriver({ world, node, loaders }: Place): boolean {
  const inKernel = [...world.cluster.node(node.metadata.name).kernel.loaded.values()].map(({ image }) => image)
  return loaders.some(pod => isHeld(pod) && inKernel.includes(pod.spec?.containers?.[0]?.image))
}

const isHeld = (pod: Pod): boolean => isDeleting(pod) && hasOurFinalizer(pod)

/** Another Module, or what is left of one, has a right to one of its kernel modules on nodes with this kernel (decisions.md 15). */
function isShared({ world, module, node }: Place): boolean {
  const own = kernelNames(module)
  const { api } = world.cluster
  const alike = (api.list(nodes) as readonly Node[]).filter(other => kernelOf(other) === kernelOf(node))
  const isRival = (other: Module) =>
    keyOf(other) !== keyOf(module) &&
    kernelNames(other).some(name => own.includes(name)) &&
    alike.some(each => matchesLabels(other.spec.selector, each.metadata.labels))
  const isLeft = (pod: Pod) =>
    pod.spec?.nodeName === node.metadata.name && moduleKeyOf(pod) !== keyOf(module) && operandOf(pod) === 'loader'
  return (api.list(modules) as readonly Module[]).some(isRival) || (api.list(pods) as readonly Pod[]).some(isLeft)
}

/** Told as stopped, and another node of the Module failed for a reason that is founded, or keeps its old driver. */
function isStopped({ world, module, node }: Place): boolean {
  const { api } = world.cluster
  if (module.status?.conditions?.find(condition => condition.type === 'Ready')?.reason !== 'RolloutStopped') return false
  return (api.list(nodes) as readonly Node[]).some(other => {
    if (other.metadata.name === node.metadata.name || !isNodeReady(other)) return false
    if (!matchesLabels(module.spec.selector, other.metadata.labels)) return false
    const { reason } = placeOf(world, module, other)
    return reason !== undefined && isFailure(reason) && unfounded(placeOf(world, module, other), reason) === undefined
  })
}

const isFailure = (reason: string): boolean => ['StillLoaded', 'ImageNotPulled', 'ModuleNotFound'].includes(reason)

/** Where several Modules name one kernel module for a node, one of them has it there, unless each has its own reason not to. */
export function nobodyHasIt(world: World): readonly string[] {
  const { api } = world.cluster
  const all = (api.list(modules) as readonly Module[]).filter(module => !isDeleting(module))
  return (api.list(nodes) as readonly Node[]).flatMap(node => {
    if (!isNodeReady(node) || !world.cluster.nodeNames().includes(node.metadata.name)) return []
    const here = all.filter(module => matchesLabels(module.spec.selector, node.metadata.labels))
    return here.flatMap(module => {
      const place = placeOf(world, module, node)
      if (place.reason !== 'ModuleNameTaken' || reasonToStop(module) !== undefined) return []
      const names = kernelNames(module)
      const inKernel = names.some(name => world.cluster.node(node.metadata.name).kernel.loaded.has(name))
      const older = here.filter(other => other !== module && kernelNames(other).some(name => names.includes(name)))
      if (inKernel || older.length === 0 || older.some(other => placeOf(world, other, node).reason !== 'ModuleNameTaken'))
        return []
      return [`${node.metadata.name}: ${names.join(', ')} is said to be taken by each Module, and nobody has loaded it`]
    })
  })
}
