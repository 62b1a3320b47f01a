// At rest every node that should have its driver has it, and whoever has not is told a reason that the world really contains. Judged from
// the final objects, the kernels and the registry, by the documents and not by the planners: an operator that does nothing, and says that
// all is on its way, is wrong here.
import type { Module } from '../../src/api/module.ts'
import { type DaemonSet, isNodeReady, type Node } from '../../src/core/cluster.ts'
import { kernelLabelValue } from '../../src/core/kernel/version.ts'
import { labels, loaderVersionLabel, pluginReadyLabel, readyLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import { daemonSets, modules, nodes } from '../../src/core/resources.ts'
import { matchesLabels } from '../../src/core/selectors.ts'
import { type Place, placeOf } from './place.ts'
import { isPausedByUser, reasonToStop, unfounded } from './reasons.ts'
import type { World } from './world.ts'

export function missingAtRest(world: World): readonly string[] {
  const { api } = world.cluster
  return (api.list(modules) as readonly Module[]).flatMap(module => {
    if (isDeleting(module)) return []
    const selected = (api.list(nodes) as readonly Node[]).filter(
      node =>
        matchesLabels(module.spec.selector, node.metadata.labels) &&
        isNodeReady(node) &&
        world.cluster.nodeNames().includes(node.metadata.name),
    )
    return selected.flatMap(node => judge(placeOf(world, module, node)).map(wrong => `${node.metadata.name}: ${wrong}`))
  })
}

function judge(place: Place): readonly string[] {
  const { module, image, reason } = place
  const { name } = module.metadata
  if (hasDriver(place)) return hasPlugin(place) ? [] : [`it has the driver of ${name}, and not its device plugin`]
  // Nothing is changed for such a Module: what is there stays, what is not there does not come.
  if (reasonToStop(module) !== undefined) return []
  if (reason === undefined) return [`should have ${image ?? 'a driver'} of ${name} and has not, and the status does not list it`]
  const why = unfounded(place, reason)
  if (why !== undefined) return [`should have ${image ?? 'a driver'} of ${name}; ${reason} is told, but ${why} (${seen(place)})`]
  return [...keptWrongly(place)]
}

/** Reported, with the driver of the image that the Module asks for now in its kernel. */
export function hasDriver({ module, node, image, inKernel, version, asked }: Place): boolean {
  const label = readyLabel(module.metadata.namespace ?? '', module.metadata.name)
  return (
    image !== undefined &&
    node.metadata.labels?.[label] !== undefined &&
    inKernel === image &&
    (version === '' || asked === version)
  )
}

function hasPlugin({ module, node }: Place): boolean {
  const label = pluginReadyLabel(module.metadata.namespace ?? '', module.metadata.name)
  return module.spec.devicePlugin === undefined || isPausedByUser(module) || node.metadata.labels?.[label] !== undefined
}

/** A node that keeps, or asks for, an older driver has it (decisions.md 9; behaviour.md 8): nobody takes it away in passing. */
function keptWrongly(place: Place): readonly string[] {
  const { module, loaders, reason } = place
  const { name } = module.metadata
  if (loaders.length > 0 || reason === 'ModuleNameTaken') return []
  const isVersionAsked = reason === 'WaitingForVersionLabel' && place.asked !== ''
  if (isVersionAsked && loaderSet(place, place.asked) !== undefined)
    return [`asks for ${place.asked} of ${name}, which has a DaemonSet, and has no loader`]
  const isLost = place.image === undefined && (place.version === '' || place.asked === place.version)
  if (isLost && loaderSet(place, place.version) !== undefined) return [`lost the mapping of ${name}, and with it its loader`]
  return []
}

function loaderSet({ world, module, node }: Place, version: string): DaemonSet | undefined {
  const { namespace = '', name } = module.metadata
  const { kernel } = world.cluster.node(node.metadata.name)
  return (world.cluster.api.list(daemonSets) as readonly DaemonSet[]).find(
    found =>
      moduleKeyOf(found) === keyOf(module) &&
      operandOf(found) === 'loader' &&
      (found.metadata.labels?.[loaderVersionLabel(namespace, name)] ?? '') === version &&
      found.metadata.labels?.[labels.kernel] === kernelLabelValue(kernel.release),
  )
}

const seen = ({ inKernel, loaders, asked, version }: Place): string =>
  [
    `in its kernel: ${inKernel ?? 'nothing'}`,
    `version ${version || '-'}, asked ${asked || '-'}`,
    ...loaders.map(pod => `${pod.metadata.name}${isDeleting(pod) ? ' (deleted)' : ''} of ${pod.spec?.containers?.[0]?.image}`),
  ].join('; ')
