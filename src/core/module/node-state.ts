// One (Module, node): is its current driver loaded, and if not, why? The first thing that is in the way is the reason.
import { type DaemonSet, isNodeReady, type Pod } from '../cluster.ts'
import { userVersionLabel } from '../names.ts'
import { judgeFinalizer } from '../node/finalizer.ts'
import { isUnheardSinceReturn } from '../node/ready-labels.ts'
import { hasOurFinalizer, isDeleting, isOutdated, isServing, operandOf, ownerUidOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import type { CanonicalModule } from './canonical.ts'
import { type KernelStep, versionOf } from './kernels.ts'
import { podProblem } from './pod-problem.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

export type NodeState = {
  readonly target: Target
  /** `loaded`: the current driver; `excluded`: not a target (decisions.md 17). */
  readonly state: 'loaded' | 'excluded' | 'not loaded'
  readonly problem?: Problem
  /** The loader pod that counts here. */
  readonly pod?: Pod
}

export type LoaderPods = ReadonlyMap<string, readonly Pod[]>

export function loaderPodsByNode(pods: readonly Pod[]): LoaderPods {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName ?? affinityNode(pod)
    if (operandOf(pod) !== 'loader' || nodeName === undefined) continue
    const found = byNode.get(nodeName)
    if (found === undefined) byNode.set(nodeName, [pod])
    else found.push(pod)
  }
  return byNode
}

/** A DaemonSet pod that is not yet scheduled names its node in an affinity. */
function affinityNode(pod: Pod): string | undefined {
  type Term = { matchFields?: readonly { key: string; values?: readonly string[] }[] }
  type Affinity = { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: readonly Term[] } } }
  const { affinity } = (pod.spec ?? {}) as { affinity?: Affinity }
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms.flatMap(term => term.matchFields ?? []).find(field => field.key === 'metadata.name')?.values?.[0]
}

/** `step` is undefined as long as the node has not reported a kernel. */
export function nodeState(
  seen: SeenModule,
  module: CanonicalModule,
  target: Target,
  step: KernelStep | undefined,
  pods: readonly Pod[],
  nowMs: number,
): NodeState {
  const node = target.node.metadata.name
  const about = { module: seen.key, node }
  const not = (found: Problem, pod?: Pod): NodeState => ({
    target,
    state: 'not loaded',
    problem: { ...found, node },
    ...(pod === undefined ? {} : { pod }),
  })
  const ending = pods.filter(isDeleting)
  for (const pod of ending) {
    const held = heldWords(seen, pod, target, nowMs)
    if (held !== undefined) return not(problem('StillLoaded', { ...about, pod: pod.metadata.name, words: held }), pod)
  }
  if (target.taint !== undefined && pods.length === 0) return { target, state: 'excluded' }
  if (!isNodeReady(target.node)) return not(problem('NodeNotReady', about), pods[0])
  const current = pods.find(pod => !isDeleting(pod) && ownerUidOf(pod) === step?.daemonSet?.metadata.uid)
  if (step?.problem !== undefined) return not(step.problem, current)
  const [old] = ending
  if (old !== undefined) {
    const isOwn = ownerUidOf(old) === step?.daemonSet?.metadata.uid
    return not(isOwn ? problem('Unloading', about) : problem('WaitingForOldDriver', { ...about, pod: old.metadata.name }), old)
  }
  if (current === undefined || step?.daemonSet === undefined) return not(whyNoPod(seen, module, target, step?.daemonSet))
  if (isServing(current) || isUnheardSinceReturn(current, target.node)) {
    return isOutdated(current, step.wanted ?? step.daemonSet)
      ? not(problem('Outdated', about), current)
      : { target, state: 'loaded', pod: current }
  }
  const image = current.spec?.containers?.[0]?.image ?? ''
  const found = podProblem(current, { ...about, kernel: target.kernel, image }, seen.eventsOf(current.metadata.uid))
  return not(found ?? problem('Loading', about), current)
}

/** The words of a failed unload, if the pod is held for it. */
function heldWords(seen: SeenModule, pod: Pod, target: Target, nowMs: number): string | undefined {
  if (!hasOurFinalizer(pod)) return undefined
  const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => event.reason === 'FailedPreStopHook')
  const verdict = judgeFinalizer(pod, { node: target.node, endOfService: false, failedPreStop, nowMs })
  return verdict.do === 'hold' ? verdict.words || verdict.because : undefined
}

function whyNoPod(seen: SeenModule, module: CanonicalModule, target: Target, daemonSet: DaemonSet | undefined): Problem {
  const node = target.node.metadata.name
  const about = { module: seen.key, node }
  const version = versionOf(module)
  if (version !== '') {
    const { namespace = '', name } = module.metadata
    const label = userVersionLabel(namespace, name)
    const found = target.node.metadata.labels?.[label] ?? ''
    if (found !== version)
      return problem('WaitingForVersionLabel', { ...about, label, version, found: found === '' ? 'no such label' : found })
  }
  const refused = seen.eventsOf(daemonSet?.metadata.uid).find(event => event.reason === 'FailedCreate')
  if (refused === undefined) return problem('Loading', about)
  return {
    ...problem('PodsRefused', {
      module: seen.key,
      namespace: module.metadata.namespace ?? '',
      serviceAccount:
        (daemonSet?.spec?.template?.spec as { serviceAccountName?: string } | undefined)?.serviceAccountName ?? 'default',
      words: refused.message ?? '',
    }),
    node,
  }
}
