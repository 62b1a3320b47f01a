// Rules over the history of nodes and pods: in ordered upgrades the device plugin goes before its driver and comes after it, and two
// versions of a driver are never on one node.
import { isPodReady, type Node, type Pod } from '../../src/core/cluster.ts'
import { loaderVersionLabel } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import type { Objects, Rule } from './history.ts'

const loaderLabels = loaderVersionLabel('', '').slice(0, -1)
const isLoaderLabel = (key: string): boolean => key.startsWith(loaderLabels)

/** `namespace/name`: a namespace has no dot. */
const moduleOf = (key: string): string => key.slice(loaderLabels.length).replace('.', '/')

/** The version of a loader's pod or DaemonSet; undefined without one. */
export function versionOf(pod: KubeObject): string | undefined {
  const [namespace = '', name = ''] = (moduleKeyOf(pod) ?? '').split('/')
  return pod.metadata.labels?.[loaderVersionLabel(namespace, name)]
}

/** Its containers have ended, whether or not the pod is still kept. */
export function isOver(pod: Pod): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return true
  const containers = pod.status?.containerStatuses ?? []
  return isDeleting(pod) && containers.length > 0 && containers.every(({ state }) => state?.terminated !== undefined)
}

export const podsOn = (now: Objects, node: string, module: string, operand: 'loader' | 'plugin'): readonly Pod[] =>
  [...now.pods.values()].filter(pod => pod.spec?.nodeName === node && moduleKeyOf(pod) === module && operandOf(pod) === operand)

const hasRun = (pod: Pod | undefined): boolean => pod?.status?.containerStatuses?.some(({ state }) => state?.running) ?? false

/**
 * The label that keeps a loader on its node goes only when no device plugin is left there: with it the driver is unloaded. A device plugin
 * without a version goes with the ready label (decisions.md 16): its Module has given up ordered upgrades.
 */
export const pluginGoesFirst: Rule = ({ kind, type, object }, old, now) => {
  if (kind !== 'Node' || type !== 'MODIFIED' || old === undefined) return []
  const node = object as Node
  const dropped = Object.entries(old.metadata.labels ?? {}).filter(
    ([key, value]) => isLoaderLabel(key) && node.metadata.labels?.[key] !== value,
  )
  return dropped.flatMap(([key, version]) =>
    podsOn(now, node.metadata.name, moduleOf(key), 'plugin')
      .filter(isVersioned)
      .map(
        pod =>
          `the loader ${version} of ${moduleOf(key)} was told to leave ${node.metadata.name} while ${pod.metadata.name} was there`,
      ),
  )
}

/** No device plugin starts on a node that its driver was told to leave, or has not been let onto yet. */
export const pluginComesLast: Rule = ({ kind, type, object }, old, now) => {
  if (kind !== 'Pod' || type === 'DELETED') return []
  const pod = object as Pod
  const module = moduleKeyOf(pod)
  const node = now.nodes.get(pod.spec?.nodeName ?? '')
  if (module === undefined || operandOf(pod) !== 'plugin' || node === undefined) return []
  if (hasRun(old) || !hasRun(pod) || !isVersioned(pod)) return []
  const [namespace = '', name = ''] = module.split('/')
  return node.metadata.labels?.[loaderVersionLabel(namespace, name)] === undefined
    ? [`the device plugin ${pod.metadata.name} of ${module} started on ${node.metadata.name}, which no loader may be on`]
    : []
}

/** Two versions, in whatever state their pods are: a driver that is not known to be unloaded keeps the next one away too. */
export const oneVersionOnANode: Rule = ({ kind, type, object }, old, now) => {
  if (kind !== 'Pod' || type === 'DELETED') return []
  const pod = object as Pod
  const { nodeName } = pod.spec ?? {}
  const module = moduleKeyOf(pod)
  if (nodeName === undefined || module === undefined || operandOf(pod) !== 'loader') return []
  const before: Pod | undefined = old
  if (before?.spec?.nodeName === nodeName) return []
  return podsOn(now, nodeName, module, 'loader')
    .filter(other => versionOf(other) !== versionOf(pod) && !hasUnloaded(other, now.nodes.get(nodeName)))
    .map(other => `${told(pod)} was put onto ${nodeName} beside ${told(other)}`)
}

/** In its own words, or it ran before the last boot of the node, or on a machine of before: its pod may stay for a moment. */
function hasUnloaded(pod: Pod, node: Node | undefined): boolean {
  const [, said, bootId] =
    /^kmm ([a-z ]+) ([0-9a-f-]+)/.exec(pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '') ?? []
  const isOfEarlierBoot = bootId !== undefined && bootId !== node?.status?.nodeInfo?.bootID
  const isOfEarlierNode = isDeleting(pod) && (pod.metadata.creationTimestamp ?? '') < (node?.metadata.creationTimestamp ?? '')
  return isOfEarlierNode || (isOver(pod) && (said === 'unloaded' || isOfEarlierBoot))
}

const told = (pod: Pod): string =>
  `the loader ${pod.metadata.name} (${versionOf(pod) ?? 'no version'}${isPodReady(pod) ? ', ready' : ''}${isDeleting(pod) ? ', ending' : ''})`

const isVersioned = (pod: Pod): boolean =>
  Object.keys(pod.metadata.labels ?? {}).some(key => key.startsWith('beta.kmm.node.kubernetes.io/version-'))
