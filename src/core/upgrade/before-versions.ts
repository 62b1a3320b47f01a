// DaemonSets from before a Module had a version: they ask for no version label, so that only being left out by name keeps them from
// a node that moves on to a version.
import { type DaemonSet, kernelOf, type Node } from '../cluster.ts'
import { excludedNodesOf } from '../excluded-nodes.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { labels, loaderVersionLabel, pluginVersionLabel } from '../names.ts'
import { parseKey } from '../object.ts'
import { isDeleting, moduleKeyOf } from '../operands.ts'
import { matchesLabels } from '../selectors.ts'

/** Of an operand of a Module: neither loader nor device plugin carries a version. */
export function isUnversioned(object: DaemonSet): boolean {
  const { namespace = '', name } = parseKey(moduleKeyOf(object) ?? '')
  const own = object.metadata.labels ?? {}
  return (own[loaderVersionLabel(namespace, name)] ?? own[pluginVersionLabel(namespace, name)] ?? '') === ''
}

/** It has, or may make, a pod on the node: now, or as soon as the node gets the label of its kernel. */
export function admits(daemonSet: DaemonSet, node: Node): boolean {
  if (isDeleting(daemonSet)) return false
  const found = { ...node.metadata.labels, [labels.kernel]: kernelLabelValue(kernelOf(node)) }
  if (!matchesLabels(daemonSet.spec?.template?.spec?.nodeSelector ?? {}, found)) return false
  const isObserved = daemonSet.status?.observedGeneration === daemonSet.metadata.generation
  return !isObserved || !excludedNodesOf(daemonSet).includes(node.metadata.name)
}
