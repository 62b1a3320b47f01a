// Which Module holds a kernel module where two claim it (decisions.md 15).
import type { Module } from '../../api/module.ts'
import type { CanonicalModule } from '../canonical.ts'
import type { Node } from '../cluster.ts'
import { resolveMapping } from '../kernel/mapping.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { kernelModulesOf } from '../loading/kernel-modules.ts'
import { keyOf } from '../object.ts'
import { matchesLabels } from '../selectors.ts'

/** Another Module that names one of the same kernel modules. */
export type Rival = {
  readonly module: CanonicalModule
  /** Label values of the kernels for which it has a loader DaemonSet, with a mapping or without one any more. */
  readonly kernels: ReadonlySet<string>
}

export type Claim = { readonly kernelModule: string; readonly holder: string }

/** The older Module that holds a kernel module of this one on one of the nodes, which all run the kernel; undefined where nobody does. */
export function takenBy(
  module: CanonicalModule,
  rivals: readonly Rival[],
  kernel: string,
  nodes: readonly Node[],
): Claim | undefined {
  const own = new Set(kernelModulesOf(module.spec.moduleLoader.container.modprobe))
  for (const rival of rivals) {
    const { spec } = rival.module
    if (!isOlder(rival.module, module)) continue
    const shared = kernelModulesOf(spec.moduleLoader.container.modprobe).find(name => own.has(name))
    if (shared === undefined || !nodes.some(node => matchesLabels(spec.selector, node.metadata.labels))) continue
    if (servesKernel(rival, kernel)) return { kernelModule: shared, holder: keyOf(rival.module) }
  }
  return undefined
}

const servesKernel = ({ module, kernels }: Rival, kernel: string): boolean =>
  kernels.has(kernelLabelValue(kernel)) || !('code' in resolveMapping(module, kernel))

function isOlder(a: Pick<Module, 'metadata'>, b: Pick<Module, 'metadata'>): boolean {
  const [bornA, bornB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return bornA === bornB ? keyOf(a) < keyOf(b) : bornA < bornB
}
