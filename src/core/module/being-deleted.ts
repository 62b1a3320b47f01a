// A Module that is being deleted in the foreground stays until its pods are gone: what is left of it is told (docs/decisions/0012).
import { operandOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import type { KernelStep } from './kernels.ts'
import type { SeenModule } from './seen-module.ts'

/** Sorted names of the nodes that still have a loader of the Module. */
const nodesLeft = (seen: SeenModule): readonly string[] =>
  [...new Set(seen.pods.flatMap(pod => (operandOf(pod) === 'loader' ? (pod.spec?.nodeName ?? []) : [])))].sort()

export function beingDeleted(seen: SeenModule): Problem {
  const names = nodesLeft(seen)
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return problem('BeingDeleted', { module: seen.key, left: `${names.slice(0, 5).join(', ')}${more}` })
}

/** `held`: the nodes whose unload failed. Where only these are left, nothing goes on without a person. */
export const isStillUnloading = (seen: SeenModule, held: number): boolean => held === 0 || nodesLeft(seen).length > held

/** Nothing newer is wanted any more, so what runs is neither outdated nor without a mapping. */
export const withoutWishes = (steps: ReadonlyMap<string, KernelStep>): ReadonlyMap<string, KernelStep> =>
  new Map([...steps].map(([key, { kernel, targets, daemonSet }]) => [key, { kernel, targets, daemonSet }]))
