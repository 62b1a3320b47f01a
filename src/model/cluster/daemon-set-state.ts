// What the DaemonSet controller keeps of one DaemonSet, so that one pod's change costs one node, not all.

import { noShare, type Share } from './daemon-set-status.ts'
import type { PodObject } from './pod-spec.ts'
import { uidOf } from './pod-spec.ts'

export type DaemonSetState = {
  /** What decisions rest on besides pods: a change of it makes all nodes dirty. */
  generation: number
  hash: string
  readonly shares: ReadonlyMap<string, Share>
  /** Of all shares. */
  readonly sum: Readonly<Share>
  readonly byNode: ReadonlyMap<string, readonly PodObject[]>
  /** Nodes to decide about. */
  readonly dirty: Set<string>
  allDirty: boolean
  /** Pods that have changed since it was last judged whose they are, by uid. */
  readonly unclaimed: Map<string, PodObject>
  /** Nodes with a pod of another template. */
  readonly outdated: Set<string>
  notePod(node: string, pod: PodObject, how: 'there' | 'gone'): void
  /** `undefined`: the node does not count any more. */
  setShare(node: string, share: Share | undefined): void
}

export function createDaemonSetState(): DaemonSetState {
  const shares = new Map<string, Share>()
  const byNode = new Map<string, readonly PodObject[]>()
  const sum = { ...noShare }
  const add = (share: Share | undefined, sign: 1 | -1) => {
    if (share === undefined) return
    for (const name of Object.keys(sum) as (keyof Share)[]) sum[name] += sign * share[name]
  }
  const outdated = new Set<string>()
  return {
    generation: -1,
    hash: '',
    shares,
    sum,
    byNode,
    dirty: new Set(),
    allDirty: true,
    unclaimed: new Map(),
    outdated,
    notePod(node, pod, how) {
      const others = (byNode.get(node) ?? []).filter(other => uidOf(other) !== uidOf(pod))
      const there = how === 'there' ? [...others, pod] : others
      if (there.length === 0) byNode.delete(node)
      else byNode.set(node, there)
    },
    setShare(node, share) {
      add(shares.get(node), -1)
      add(share, 1)
      if (share === undefined) shares.delete(node)
      else shares.set(node, share)
    },
  }
}
