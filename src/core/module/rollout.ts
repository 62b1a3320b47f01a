// Replacing outdated loader pods at a measured pace (decisions.md 7, 8). Under OnDelete a new template alone replaces none of them.

import type { CanonicalModule } from '../canonical.ts'
import { type DaemonSet, isNodeReady } from '../cluster.ts'
import { excludedNodesOf } from '../excluded-nodes.ts'
import { annotations } from '../names.ts'
import { isDeleting, isOutdated } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import type { KernelStep } from './kernels.ts'
import type { NodeState } from './node-state.ts'

/**
 * A node is emptied by leaving it out of the DaemonSet: its controller then deletes the pod, and starts no newer one before the node is
 * let in again, which is when the old driver is out of the kernel (barred.ts, docs/decisions/0008).
 */
export type Rollout = { readonly empty: readonly NodeState[]; readonly stopped?: Problem }

/** An int, or a percentage of the desired nodes, rounded up; at least 1. */
export function allowedUnavailable(maxUnavailable: number | string, desired: number): number {
  if (typeof maxUnavailable === 'number') return Math.max(1, maxUnavailable)
  const percent = /^(\d+)%$/.exec(maxUnavailable)?.[1]
  return Math.max(1, percent === undefined ? Number(maxUnavailable) || 1 : Math.ceil((Number(percent) * desired) / 100))
}

/** All kernels share one budget: it is nodes that must not be without the driver. */
export function rollout(
  key: string,
  module: CanonicalModule,
  steps: ReadonlyMap<string, KernelStep>,
  states: readonly NodeState[],
): Rollout {
  const stepOf = (state: NodeState) => steps.get(state.target.kernel)
  // On a tainted node nothing would take the place of the pod.
  const desired = states.filter(state => stepOf(state)?.spec !== undefined && state.target.taint === undefined)
  // Silent nodes are neither changed nor waited for.
  const managed = desired.filter(state => isNodeReady(state.target.node))
  const outdated = managed.filter(state => isReplaceable(state, stepOf(state)))
  // Left out already, and its pod not yet deleted: the DaemonSet controller may be anywhere in between.
  const isLeaving = (state: NodeState) => isServingOld(state) && isLeftOut(state, stepOf(state))
  const leaving = managed.filter(isLeaving)
  const serving = outdated.filter(state => isServingOld(state) && !isLeaving(state))
  const broken = managed.filter(
    state => (outdated.includes(state) && !isServingOld(state)) || isFailingForLackOfChange(state, stepOf(state)),
  )
  // A node that waits for its version label has no driver of this version to lose.
  const unavailable = managed.filter(
    state => state.state === 'not loaded' && state.problem?.code !== 'WaitingForVersionLabel' && !isServingOld(state),
  )
  const failing = unavailable.filter(state => state.problem?.passing === false && !broken.includes(state))
  // What did not load here would not load elsewhere; a driver in use is its own node's matter and only takes from the budget.
  const hasFailed = failing.some(state => state.problem?.code !== 'StillLoaded')
  const away = unavailable.length + leaving.length
  const budget = allowedUnavailable(module.spec.moduleLoader.maxUnavailable, desired.length) - away
  const isStuck = budget <= 0 && failing.length > 0 && failing.length === away
  const chosen = [...broken, ...leaving, ...(hasFailed ? [] : serving.slice(0, Math.max(0, budget)))]
  return {
    empty: chosen,
    ...(serving.length > 0 && (hasFailed || isStuck) ? { stopped: stoppedBy(key, failing, serving.length) } : {}),
  }
}

const isLeftOut = ({ target }: NodeState, step: KernelStep | undefined): boolean =>
  step?.daemonSet !== undefined && excludedNodesOf(step.daemonSet).includes(target.node.metadata.name)

const isServingOld = ({ problem: why, pod }: NodeState): boolean => why?.code === 'Outdated' && pod !== undefined

function stoppedBy(key: string, failing: readonly NodeState[], left: number): Problem {
  const names = failing.map(state => state.target.node.metadata.name)
  const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
  return problem('RolloutStopped', { module: key, nodes: `${names.slice(0, 5).join(', ')}${more}`, left })
}

/** It has no driver, and the Module has since got what may help: a pull secret, a service account, a toleration. */
function isFailingForLackOfChange({ pod, state, problem: why }: NodeState, step: KernelStep | undefined): boolean {
  if (pod === undefined || isDeleting(pod) || state === 'loaded' || why?.passing !== false) return false
  const found = pod.metadata.annotations?.[annotations.podInputs]
  const wanted = step?.wanted?.spec?.template?.metadata?.annotations?.[annotations.podInputs]
  return found !== undefined && wanted !== undefined && found !== wanted && isTemplateKnown(step, annotations.podInputs)
}

/** Only when the DaemonSet controller knows the template: else it would make the same old pod again. */
function isReplaceable({ pod }: NodeState, step: KernelStep | undefined): boolean {
  const daemonSet = step?.daemonSet
  if (pod === undefined || daemonSet === undefined || isDeleting(pod) || !isOutdated(pod, daemonSet)) return false
  return isTemplateKnown(step, annotations.reloadInputs)
}

function isTemplateKnown(step: KernelStep | undefined, annotation: string): boolean {
  const daemonSet = step?.daemonSet
  const inputsOf = (object: DaemonSet | undefined) => object?.spec?.template?.metadata?.annotations?.[annotation]
  return (
    inputsOf(step?.wanted) === inputsOf(daemonSet) && daemonSet?.status?.observedGeneration === daemonSet?.metadata.generation
  )
}
