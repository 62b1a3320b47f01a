// DaemonSets of an older operator that are for the same kernel and version. Its generated names made that possible; we make no twins
// (behaviour.md 2.1.4). Only one of them is ours to change, and none may be removed while its kernel runs (decisions.md 9).

import type { CanonicalModule } from '../canonical.ts'
import { labels } from '../names.ts'
import { operandOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { loaderVersion, pluginVersion, versionOf } from './kernels.ts'
import type { SeenModule } from './seen-module.ts'

/** One problem for each DaemonSet of the present version that is not the first of its kind. */
export function twins(seen: SeenModule, module: CanonicalModule): readonly Problem[] {
  const first = new Map<string, string>()
  return seen.daemonSets.flatMap(daemonSet => {
    const operand = operandOf(daemonSet)
    const version = (operand === 'loader' ? loaderVersion : pluginVersion)(daemonSet, module)
    if (version !== versionOf(module)) return []
    const { name, labels: own } = daemonSet.metadata
    const role = `${operand} ${own?.[labels.kernel] ?? ''}`
    const other = first.get(role)
    if (other !== undefined) return [problem('TwinDaemonSet', { module: seen.key, daemonSet: other, other: name })]
    first.set(role, name)
    return []
  })
}
