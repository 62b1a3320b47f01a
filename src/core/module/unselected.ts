// Drivers of the Module on nodes that it does not select (any more): told, although Ready is not about them (docs/decisions/0012).

import type { CanonicalModule } from '../canonical.ts'
import { type DaemonSet, isNodeReady, kernelOf, type Node, type Pod } from '../cluster.ts'
import { excludedNodesOf } from '../excluded-nodes.ts'
import { userVersionLabel } from '../names.ts'
import { isDeleting, operandOf, ownerUidOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { matchesLabels } from '../selectors.ts'
import { garbage } from './garbage.ts'
import { heldWords } from './held-words.ts'
import type { KernelStep } from './kernels.ts'
import type { NodeState } from './node-state.ts'
import type { SeenModule } from './seen-module.ts'

export type Kept = {
  readonly seen: SeenModule
  readonly module: CanonicalModule
  readonly steps: ReadonlyMap<string, KernelStep>
  readonly blocker: Problem | undefined
  readonly nowMs: number
}

/** One for each such node on which a driver stays until somebody does something, sorted by name. */
export function unselectedStates(kept: Kept): readonly NodeState[] {
  const { seen, module } = kept
  const known = new Set(seen.nodes.map(node => node.metadata.name))
  const lasting = kept.blocker === undefined ? daemonSetsThatStay(kept) : []
  const found = new Map<string, NodeState>()
  for (const pod of seen.pods.filter(one => operandOf(one) === 'loader')) {
    const node = seen.nodeOf(pod.spec?.nodeName ?? '')
    if (node === undefined || known.has(node.metadata.name)) continue
    const why = isDeleting(pod) ? stillLoaded(kept, pod, node) : keptThere(seen, module, pod, node, lasting)
    const { name } = node.metadata
    if (why === undefined || (found.has(name) && !isDeleting(pod))) continue
    found.set(name, { target: { node, kernel: kernelOf(node) }, state: 'not loaded', problem: { ...why, node: name }, pod })
  }
  return [...found.values()].toSorted((a, b) => (a.target.node.metadata.name < b.target.node.metadata.name ? -1 : 1))
}

function stillLoaded({ seen, nowMs }: Kept, pod: Pod, node: Node): Problem | undefined {
  const words = heldWords(seen, pod, node, nowMs)
  const about = { module: seen.key, node: node.metadata.name, pod: pod.metadata.name }
  return words === undefined ? undefined : problem('StillLoaded', { ...about, words })
}

function keptThere(
  { key }: SeenModule,
  { metadata }: CanonicalModule,
  pod: Pod,
  node: Node,
  lasting: readonly DaemonSet[],
): Problem | undefined {
  const { name, labels } = node.metadata
  const daemonSet = lasting.find(one => one.metadata.uid === ownerUidOf(pod))
  if (daemonSet === undefined || !isNodeReady(node) || excludedNodesOf(daemonSet).includes(name)) return undefined
  if (!matchesLabels(daemonSet.spec?.template?.spec?.nodeSelector ?? {}, labels)) return undefined
  const label = userVersionLabel(metadata.namespace ?? '', metadata.name)
  return problem('DriverOnUnselectedNode', { module: key, node: name, daemonSet: daemonSet.metadata.name, label })
}

/** Neither removed nor stated anew, so that their selector stays as it is: of another version, or of a kernel that lost its mapping. */
function daemonSetsThatStay({ seen, module, steps }: Kept): readonly DaemonSet[] {
  const removed = new Set(garbage(seen, module).map(({ uid }) => uid))
  const stated = new Set(
    [...steps.values()].flatMap(step => (step.spec === undefined ? [] : (step.daemonSet?.metadata.uid ?? []))),
  )
  const isStaying = (uid: string) => !removed.has(uid) && !stated.has(uid)
  return seen.daemonSets.filter(one => operandOf(one) === 'loader' && !isDeleting(one) && isStaying(one.metadata.uid ?? ''))
}
