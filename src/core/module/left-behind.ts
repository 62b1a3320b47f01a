// A Module that gets its first version, or gives up its versions, has DaemonSets of both kinds for a while. On a node they come after
// each other, as two versions would: it is the user's label that says when the node moves on (behaviour.md 8).

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet, Node } from '../cluster.ts'
import { excludedNodesOf, leavingOut } from '../excluded-nodes.ts'
import { loaderVersionLabel, pluginVersionLabel, userVersionLabel } from '../names.ts'
import { isDeleting, operandOf } from '../operands.ts'
import { admits, isUnversioned } from '../upgrade/before-versions.ts'
import { versionOf } from './kernels.ts'
import { podsByNode } from './node-pods.ts'
import type { SeenModule } from './seen-module.ts'

/**
 * Of a Module with a version: its DaemonSets from before, which leave out the nodes that have the user's label; the device plugin first, the
 * loader when no device plugin is left on the node. Everything else of them stays as it is, until they serve nobody and are `removed`
 * (uids, garbage.ts).
 */
export function leftBehind(seen: SeenModule, module: CanonicalModule, removed: ReadonlySet<string>): readonly DaemonSet[] {
  if (versionOf(module) === '') return []
  const label = userVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  const moved = seen.nodes.filter(node => (node.metadata.labels?.[label] ?? '') !== '')
  const before = seen.daemonSets.filter(daemonSet => isUnversioned(daemonSet) && !isDeleting(daemonSet))
  const plugins = before.filter(daemonSet => operandOf(daemonSet) === 'plugin')
  const pods = podsByNode(seen.pods)
  const isWithoutPlugin = (node: Node): boolean =>
    (pods.get(node.metadata.name)?.plugins.length ?? 0) === 0 && !plugins.some(plugin => admits(plugin, node))
  return before
    .filter(daemonSet => !removed.has(daemonSet.metadata.uid ?? ''))
    .flatMap(daemonSet => {
      const leaving = moved.filter(node => operandOf(daemonSet) === 'plugin' || isWithoutPlugin(node))
      const excluded = new Set([...excludedNodesOf(daemonSet), ...leaving.map(node => node.metadata.name)])
      return excluded.size === 0 ? [] : [leavingOut(daemonSet, [...excluded])]
    })
}

/** Of a Module without a version: a version of it is, or may still come, on the node. Our labels there go before its pods do. */
export function isUnderVersion(module: CanonicalModule, node: Node): boolean {
  if (versionOf(module) !== '') return false
  const { namespace = '', name } = module.metadata
  const found = node.metadata.labels ?? {}
  return (found[loaderVersionLabel(namespace, name)] ?? found[pluginVersionLabel(namespace, name)] ?? '') !== ''
}
