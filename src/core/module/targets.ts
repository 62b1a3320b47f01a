// Which nodes, hence which kernels (decisions.md 17).

import type { CanonicalModule } from '../canonical.ts'
import { kernelOf, type Node, type Taint } from '../cluster.ts'
import { blockingTaint } from '../tolerations.ts'

export type Target = {
  readonly node: Node
  /** As the node reports it; empty as long as it has not. */
  readonly kernel: string
  /** The taint that keeps the loader away; then the node is not a target. */
  readonly taint?: Taint
}

/** One for each matching node; a cordon changes nothing, since DaemonSet pods tolerate it. */
export function targetsOf(module: CanonicalModule, nodes: readonly Node[]): readonly Target[] {
  return nodes.map(node => {
    const taint = blockingTaint(node.spec?.taints ?? [], module.spec.tolerations ?? [])
    return { node, kernel: kernelOf(node), ...(taint === undefined ? {} : { taint }) }
  })
}

/** Sorted by kernel; nodes that have not yet reported one are left out. */
export function byKernel(targets: readonly Target[]): ReadonlyMap<string, readonly Target[]> {
  const groups = new Map<string, Target[]>()
  for (const kernel of [...new Set(targets.map(target => target.kernel))].sort()) {
    if (kernel !== '') groups.set(kernel, [])
  }
  for (const target of targets) groups.get(target.kernel)?.push(target)
  return groups
}
