// The Module's entrance: from one look at the cluster to all that should be done for it.

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet } from '../cluster.ts'
import type { PlanContext } from '../controller.ts'
import { excludedNodesOf } from '../excluded-nodes.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { loaderDaemonSet } from '../loading/daemonset.ts'
import { releaseOf } from '../node/plan.ts'
import { type KubeObject, refOf } from '../object.ts'
import { hasOurFinalizer, isDeleting } from '../operands.ts'
import { isPaused } from '../paused.ts'
import { emptyPlan, type Plan, type PlannedEvent, type Removal } from '../plan.ts'
import { pluginDaemonSet } from '../plugin/daemonset.ts'
import { type Problem, problem } from '../problem.ts'
import { barredNodes, labelsToKeepOff, lettingIn } from './barred.ts'
import { beingDeleted, withoutWishes } from './being-deleted.ts'
import { garbage } from './garbage.ts'
import { type KernelStep, kernelStep, loaderName, pluginName, pluginOf } from './kernels.ts'
import { leftBehind } from './left-behind.ts'
import { noPods, podsByNode } from './node-pods.ts'
import { type NodeState, nodeState } from './node-state.ts'
import { type Rollout, rollout } from './rollout.ts'
import { judgeModule } from './rules.ts'
import type { SeenModule } from './seen-module.ts'
import { planStatus } from './status.ts'
import { byKernel, type Target, targetsOf } from './targets.ts'
import { twins } from './twins.ts'
import { unselectedStates } from './unselected.ts'
import { isTold } from './worst.ts'

export function planModule(seen: SeenModule, context: PlanContext): Plan {
  const unbound = unboundReleases(seen)
  const { module } = seen
  if (module === undefined) return { ...emptyPlan, remove: unbound }

  const { blocker, steps, states, unselected, change, problems } = surveyModule(seen, module, context)
  const removals = blocker === undefined ? garbage(seen, module) : []
  const { status, events } = planStatus({ seen, module, steps, states, unselected, problems, nowMs: context.nowMs })
  return {
    questions: blocker === undefined ? [...steps.values()].flatMap(step => step.question ?? []) : [],
    apply: blocker === undefined ? wantedObjects(seen, module, { steps, change, removals }, context) : [],
    status,
    remove: [...removals, ...unbound],
    events: blocker === undefined ? [...events, ...replacing(seen, steps, change)] : events,
    problems: [
      ...problems,
      ...[...states, ...unselected].flatMap(({ problem: found }) =>
        found === undefined || isTold(found, problems) ? [] : found,
      ),
    ],
  }
}

/** What is judged of a Module before anything is decided. `kmm status` and `kmm explain` tell the same. */
export type Survey = {
  /** Why nothing is done for the Module. */
  readonly blocker: Problem | undefined
  /** By kernel. */
  readonly steps: ReadonlyMap<string, KernelStep>
  /** One for each node that the selector matches. */
  readonly states: readonly NodeState[]
  /** Other nodes on which a driver stays. */
  readonly unselected: readonly NodeState[]
  readonly change: Rollout
  /** Of the Module and its kernels. */
  readonly problems: readonly Problem[]
}

export function surveyModule(seen: SeenModule, module: CanonicalModule, context: PlanContext): Survey {
  const blocker = blockerOf(seen, module)
  const targets = targetsOf(module, seen.nodes)
  const resolved = stepsOf(seen, module, targets, context)
  const steps = isDeleting(module) ? withoutWishes(resolved) : resolved
  const pods = podsByNode(seen.pods)
  const states = targets.map(target => {
    const step = steps.get(target.kernel)
    const onNode = pods.get(target.node.metadata.name) ?? noPods
    return nodeState(target, { seen, module, step, pods: onNode, blocker, nowMs: context.nowMs })
  })
  const change = blocker === undefined ? rollout(seen.key, module, steps, states) : { empty: [] }
  const problems = [
    ...(blocker === undefined ? [] : [blocker]),
    ...[...steps.values()].flatMap(step => step.problem ?? []),
    ...(change.stopped === undefined ? [] : [change.stopped]),
    ...twins(seen, module),
  ]
  const unselected = unselectedStates({ seen, module, steps, blocker, nowMs: context.nowMs })
  return { blocker, steps, states, unselected, change, problems }
}

/** A paused Module, one that breaks a rule, or one that is being deleted is left exactly as it is. */
function blockerOf(seen: SeenModule, module: CanonicalModule): Problem | undefined {
  if (isDeleting(module)) return beingDeleted(seen)
  if (isPaused(module)) return problem('Paused', { module: seen.key })
  const [violation] = judgeModule(module).errors
  return violation === undefined
    ? undefined
    : problem('RuleViolated', { module: seen.key, rule: `${violation.path}: ${violation.message}` })
}

function stepsOf(
  seen: SeenModule,
  module: CanonicalModule,
  targets: readonly Target[],
  context: PlanContext,
): ReadonlyMap<string, KernelStep> {
  const steps = new Map<string, KernelStep>()
  const kernelsByLabel = new Map<string, string>()
  for (const [kernel, ofKernel] of byKernel(targets)) {
    // `x` and `x+` would be one DaemonSet with two contents (kernel/version.ts).
    const other = kernelsByLabel.get(kernelLabelValue(kernel))
    if (other !== undefined) {
      const alike = problem('KernelsAlike', { module: seen.key, kernel, other })
      steps.set(kernel, { kernel, targets: ofKernel, daemonSet: undefined, problem: alike })
      continue
    }
    kernelsByLabel.set(kernelLabelValue(kernel), kernel)
    const step = kernelStep(seen, module, kernel, ofKernel)
    const wanted = loaderOf(seen, module, step, [], context)
    steps.set(kernel, wanted === undefined ? step : { ...step, wanted })
  }
  return steps
}

function loaderOf(
  seen: SeenModule,
  module: CanonicalModule,
  { spec, kernel, daemonSet }: KernelStep,
  excludedNodes: readonly string[],
  { settings }: PlanContext,
): DaemonSet | undefined {
  if (spec === undefined) return undefined
  const name = daemonSet?.metadata.name ?? loaderName(module, kernel)
  return loaderDaemonSet({
    module,
    spec,
    kernel,
    name,
    ...(daemonSet === undefined ? {} : { adopted: daemonSet }),
    excludedNodes,
    keepOff: labelsToKeepOff(seen),
    settings,
  })
}

function wantedObjects(
  seen: SeenModule,
  module: CanonicalModule,
  { steps, change, removals }: Pick<Survey, 'steps' | 'change'> & { readonly removals: readonly Removal[] },
  context: PlanContext,
): readonly KubeObject[] {
  const toEmpty = new Set(change.empty.map(({ target }) => target.node.metadata.name))
  const loaders = [...steps.values()].flatMap(
    step =>
      loaderOf(seen, module, step, barredNodes(seen, module, step, toEmpty, context.nowMs), context) ??
      lettingIn(seen, module, step, context.nowMs) ??
      [],
  )
  const removed = new Set(removals.map(({ uid }) => uid))
  const before = leftBehind(seen, module, removed)
  if (module.spec.devicePlugin === undefined) return [...loaders, ...before]
  const adopted = pluginOf(seen, module)
  const name = adopted?.metadata.name ?? pluginName(module)
  return [
    ...loaders,
    ...before,
    pluginDaemonSet({ module, name, ...(adopted === undefined ? {} : { adopted }), settings: context.settings }),
  ]
}

/** Told once, when the node is left out: from then on it is the DaemonSet controller that deletes the pod. */
function replacing(seen: SeenModule, steps: ReadonlyMap<string, KernelStep>, change: Rollout): readonly PlannedEvent[] {
  const isBegun = ({ target }: NodeState) => {
    const daemonSet = steps.get(target.kernel)?.daemonSet
    return daemonSet !== undefined && excludedNodesOf(daemonSet).includes(target.node.metadata.name)
  }
  const names = change.empty.filter(state => !isBegun(state)).map(({ target }) => target.node.metadata.name)
  const { module } = seen
  if (names.length === 0 || module === undefined) return []
  const { uid } = module.metadata
  const message = `replacing the loader from before the last change on ${names.length > 5 ? `${names.length} nodes` : names.join(', ')}`
  return [
    { about: { ...refOf(module), ...(uid === undefined ? {} : { uid }) }, type: 'Normal', reason: 'ReplacingDriver', message },
  ]
}

/** A pod that was deleted before it had a node has loaded nothing, and no node's plan would release it. */
const unboundReleases = (seen: SeenModule): readonly Removal[] =>
  seen.pods
    .filter(pod => isDeleting(pod) && hasOurFinalizer(pod) && (pod.spec?.nodeName ?? '') === '')
    .map(pod => releaseOf(pod, 'the pod never had a node'))
