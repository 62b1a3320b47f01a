// The Module's entrance: from one look at the cluster to all that should be done for it.
import type { DaemonSet } from '../cluster.ts'
import type { PlanContext } from '../controller.ts'
import { loaderDaemonSet } from '../loading/daemonset.ts'
import { releaseOf } from '../node/plan.ts'
import type { KubeObject } from '../object.ts'
import { hasOurFinalizer, isDeleting, operandOf, ownerUidOf } from '../operands.ts'
import { isPaused } from '../paused.ts'
import { emptyPlan, type Plan, type Removal } from '../plan.ts'
import { pluginDaemonSet } from '../plugin/daemonset.ts'
import { type Problem, problem } from '../problem.ts'
import type { CanonicalModule } from './canonical.ts'
import { garbage } from './garbage.ts'
import { type KernelStep, kernelStep, loaderName, pluginName, pluginOf, versionOf } from './kernels.ts'
import { loaderPodsByNode, nodeState } from './node-state.ts'
import { rollout } from './rollout.ts'
import { judgeModule } from './rules.ts'
import type { SeenModule } from './seen-module.ts'
import { planStatus } from './status.ts'
import { byKernel, targetsOf } from './targets.ts'

export function planModule(seen: SeenModule, context: PlanContext): Plan {
  const unbound = unboundReleases(seen)
  const { module } = seen
  if (module === undefined || isDeleting(module)) return { ...emptyPlan, remove: unbound }

  const blocker = blockerOf(seen, module)
  const targets = targetsOf(module, seen.nodes)
  const steps = stepsOf(seen, module, targets, context)
  const pods = loaderPodsByNode(seen.pods)
  const states = targets.map(target =>
    nodeState(seen, module, target, steps.get(target.kernel), pods.get(target.node.metadata.name) ?? [], context.nowMs),
  )
  const change = rollout(seen.key, module, steps, states)
  const problems = [
    ...(blocker === undefined ? [] : [blocker]),
    ...[...steps.values()].flatMap(step => step.problem ?? []),
    ...(change.stopped === undefined ? [] : [change.stopped]),
  ]
  const { status, events } = planStatus({ seen, module, steps, states, problems, nowMs: context.nowMs })
  return {
    questions: blocker === undefined ? [...steps.values()].flatMap(step => step.question ?? []) : [],
    apply: blocker === undefined ? wantedObjects(seen, module, steps, context) : [],
    status,
    remove: blocker === undefined ? [...change.remove, ...garbage(seen, module), ...unbound] : unbound,
    events,
    problems: [...problems, ...states.flatMap(state => (isOfKernel(state.problem, steps) ? [] : (state.problem ?? [])))],
  }
}

/** A paused Module, or one that breaks a rule, is left exactly as it is. */
function blockerOf(seen: SeenModule, module: CanonicalModule): Problem | undefined {
  if (isPaused(module)) return problem('Paused', { module: seen.key })
  const [violation] = judgeModule(module).errors
  return violation === undefined
    ? undefined
    : problem('RuleViolated', { module: seen.key, rule: `${violation.path}: ${violation.message}` })
}

function stepsOf(
  seen: SeenModule,
  module: CanonicalModule,
  targets: Parameters<typeof byKernel>[0],
  context: PlanContext,
): ReadonlyMap<string, KernelStep> {
  const steps = new Map<string, KernelStep>()
  const excludedNodes = nodesOfOtherIncarnations(seen, module)
  for (const [kernel, ofKernel] of byKernel(targets)) {
    const step = kernelStep(seen, module, kernel, ofKernel)
    if (step.spec === undefined) {
      steps.set(kernel, step)
      continue
    }
    const wanted = loaderDaemonSet({
      module,
      spec: step.spec,
      kernel,
      name: step.daemonSet?.metadata.name ?? loaderName(module, kernel),
      ...(step.daemonSet === undefined ? {} : { adopted: step.daemonSet }),
      excludedNodes,
      settings: context.settings,
    })
    steps.set(kernel, { ...step, wanted: wanted as DaemonSet })
  }
  return steps
}

/**
 * Nodes where a loader pod of a deleted Module of the same name has not yet gone: nothing newer starts there (decisions.md 2).
 * With a version, the version label is what keeps it away.
 */
function nodesOfOtherIncarnations(seen: SeenModule, module: CanonicalModule): readonly string[] {
  if (versionOf(module) !== '') return []
  const own = new Set(seen.daemonSets.map(daemonSet => daemonSet.metadata.uid))
  const foreign = seen.pods.filter(pod => operandOf(pod) === 'loader' && !own.has(ownerUidOf(pod)))
  return [...new Set(foreign.flatMap(pod => pod.spec?.nodeName ?? []))].sort()
}

function wantedObjects(
  seen: SeenModule,
  module: CanonicalModule,
  steps: ReadonlyMap<string, KernelStep>,
  context: PlanContext,
): readonly KubeObject[] {
  const loaders = [...steps.values()].flatMap(step => step.wanted ?? [])
  if (module.spec.devicePlugin === undefined) return loaders
  const adopted = pluginOf(seen, module)
  const name = adopted?.metadata.name ?? pluginName(module)
  return [
    ...loaders,
    pluginDaemonSet({ module, name, ...(adopted === undefined ? {} : { adopted }), settings: context.settings }),
  ]
}

/** A pod that was deleted before it had a node has loaded nothing, and no node's plan would release it. */
const unboundReleases = (seen: SeenModule): readonly Removal[] =>
  seen.pods
    .filter(pod => isDeleting(pod) && hasOurFinalizer(pod) && (pod.spec?.nodeName ?? '') === '')
    .map(pod => releaseOf(pod, 'the pod never had a node'))

const isOfKernel = (found: Problem | undefined, steps: ReadonlyMap<string, KernelStep>): boolean =>
  found !== undefined && [...steps.values()].some(step => step.problem?.code === found.code && step.kernel === found.kernel)
