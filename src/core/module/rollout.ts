// Replacing outdated loader pods at a measured pace (decisions.md 7, 8). OnDelete: nobody else replaces them.
import { isNodeReady } from '../cluster.ts'
import { annotations } from '../names.ts'
import { refOf } from '../object.ts'
import { isDeleting, isOutdated, isServing } from '../operands.ts'
import type { Removal } from '../plan.ts'
import { type Problem, problem } from '../problem.ts'
import type { CanonicalModule } from './canonical.ts'
import type { KernelStep } from './kernels.ts'
import type { NodeState } from './node-state.ts'

export type Rollout = { readonly remove: readonly Removal[]; readonly stopped?: Problem }

/** An int, or a percentage of the desired nodes, rounded up; at least 1. */
export function allowedUnavailable(maxUnavailable: number | string, desired: number): number {
  if (typeof maxUnavailable === 'number') return Math.max(1, maxUnavailable)
  const percent = /^(\d+)%$/.exec(maxUnavailable)?.[1]
  return Math.max(1, percent === undefined ? Number(maxUnavailable) || 1 : Math.ceil((Number(percent) * desired) / 100))
}

export function rollout(
  key: string,
  module: CanonicalModule,
  steps: ReadonlyMap<string, KernelStep>,
  states: readonly NodeState[],
): Rollout {
  const managed = states.filter(state => steps.get(state.target.kernel)?.spec !== undefined && isNodeReady(state.target.node))
  const outdated = managed.filter(state => isReplaceable(state, steps.get(state.target.kernel)))
  const serving = outdated.filter(({ pod }) => pod !== undefined && isServing(pod))
  const broken = outdated.filter(({ pod }) => pod !== undefined && !isServing(pod))
  // A node that waits for its version label has no driver of this version to lose.
  const unavailable = managed.filter(
    ({ state, problem: why, pod }) =>
      state === 'not loaded' && why?.code !== 'WaitingForVersionLabel' && !(why?.code === 'Outdated' && pod !== undefined),
  )
  const budget = allowedUnavailable(module.spec.moduleLoader.maxUnavailable, managed.length) - unavailable.length
  const chosen = [...broken, ...serving.slice(0, Math.max(0, budget))]
  const failing = unavailable.filter(state => state.problem?.passing === false && !broken.includes(state))
  const isStopped = serving.length > 0 && budget <= 0 && failing.length > 0 && failing.length === unavailable.length
  return {
    remove: chosen.flatMap(removalOf),
    ...(isStopped
      ? {
          stopped: problem('RolloutStopped', {
            module: key,
            nodes: failing
              .map(state => state.target.node.metadata.name)
              .slice(0, 5)
              .join(', '),
            left: serving.length,
          }),
        }
      : {}),
  }
}

/** Only when the DaemonSet controller knows the template: else it would make the same old pod again. */
function isReplaceable({ pod }: NodeState, step: KernelStep | undefined): boolean {
  const daemonSet = step?.daemonSet
  if (pod === undefined || daemonSet === undefined || isDeleting(pod) || !isOutdated(pod, daemonSet)) return false
  const inputsOf = (object: typeof daemonSet | undefined) =>
    object?.spec?.template?.metadata?.annotations?.[annotations.reloadInputs]
  return inputsOf(step?.wanted) === inputsOf(daemonSet) && daemonSet.status?.observedGeneration === daemonSet.metadata.generation
}

const removalOf = ({ pod, target }: NodeState): readonly Removal[] =>
  pod === undefined
    ? []
    : [
        {
          object: refOf(pod),
          uid: pod.metadata.uid ?? '',
          resourceVersion: pod.metadata.resourceVersion ?? '',
          because: isServing(pod)
            ? `the driver on node ${target.node.metadata.name} is from before the last change of the Module, and it is this node's turn`
            : `the outdated loader on node ${target.node.metadata.name} never loaded its driver`,
        },
      ]
