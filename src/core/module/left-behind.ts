// A Module that gets its first version, or gives up its versions, has DaemonSets of both kinds for a while. On a node they come after
// each other, as two versions would: it is the user's label that says when the node moves on (behaviour.md 8).

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet, Node } from '../cluster.ts'
import { excludedNodesOf, leavingOut } from '../excluded-nodes.ts'
import { loaderVersionLabel, pluginVersionLabel, userVersionLabel } from '../names.ts'
import { isDeleting, operandOf } from '../operands.ts'
import { admits, isUnversioned } from '../upgrade/before-versions.ts'
import { loaderVersion, pluginVersion, versionOf } from './kernels.ts'
import { podsByNode } from './node-pods.ts'
import type { SeenModule } from './seen-module.ts'

/**
 * Of a Module with a version: its DaemonSets from before leave out the nodes that move on, by the user's label, to that version; the device
 * plugin first, the loader when no device plugin is left on the node. Those of other versions leave out nobody, except where a
 * replacement that was begun has not ended: the node would stay empty. Everything else of them stays as it is, until they serve nobody
 * and are `removed` (uids, garbage.ts).
 */
export function leftBehind(seen: SeenModule, module: CanonicalModule, removed: ReadonlySet<string>): readonly DaemonSet[] {
  const label = userVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  const version = versionOf(module)
  const moved = version === '' ? [] : seen.nodes.filter(node => node.metadata.labels?.[label] === version)
  const others = seen.daemonSets.filter(daemonSet => !isDeleting(daemonSet) && versionIn(daemonSet, module) !== version)
  const plugins = others.filter(daemonSet => isUnversioned(daemonSet) && operandOf(daemonSet) === 'plugin')
  const pods = podsByNode(seen.pods)
  const letIn = new Set(seen.nodes.filter(node => carriesVersion(module, node)).map(node => node.metadata.name))
  const isLetIn = (daemonSet: DaemonSet, name: string): boolean => isUnversioned(daemonSet) && letIn.has(name)
  const isWithoutPlugin = (node: Node): boolean =>
    (pods.get(node.metadata.name)?.plugins.length ?? 0) === 0 && !plugins.some(plugin => admits(plugin, node))
  return others
    .filter(daemonSet => !removed.has(daemonSet.metadata.uid ?? ''))
    .flatMap(daemonSet => {
      const isPlugin = operandOf(daemonSet) === 'plugin'
      const leaving = isUnversioned(daemonSet) ? moved.filter(node => isPlugin || isWithoutPlugin(node)) : []
      // Its controller may be deleting the pod at this moment, the pod has not finished with the kernel, or a version is let in.
      const stays = (name: string) => (!isPlugin && (pods.get(name)?.loaders.length ?? 0) > 0) || isLetIn(daemonSet, name)
      const excluded = new Set([...excludedNodesOf(daemonSet).filter(stays), ...leaving.map(node => node.metadata.name)])
      const isAsItIs = excluded.size === 0 && excludedNodesOf(daemonSet).length === 0
      return isAsItIs ? [] : [leavingOut(daemonSet, [...excluded])]
    })
}

const versionIn = (daemonSet: DaemonSet, module: CanonicalModule): string =>
  (operandOf(daemonSet) === 'loader' ? loaderVersion : pluginVersion)(daemonSet, module)

/** Of a Module without a version: a version of it is, or may still come, on the node. Our labels there go before its pods do. */
export const isUnderVersion = (module: CanonicalModule, node: Node): boolean =>
  versionOf(module) === '' && carriesVersion(module, node)

/** A label of ours lets a version of the Module in. */
function carriesVersion(module: CanonicalModule, node: Node): boolean {
  const { namespace = '', name } = module.metadata
  const found = node.metadata.labels ?? {}
  return (found[loaderVersionLabel(namespace, name)] ?? found[pluginVersionLabel(namespace, name)] ?? '') !== ''
}
