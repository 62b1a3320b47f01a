// One (Module, node): is its current driver loaded, and if not, why? The first thing that is in the way is the reason.

import type { CanonicalModule } from '../canonical.ts'
import { isNodeReady, type Pod } from '../cluster.ts'
import { excludedNodesOf } from '../excluded-nodes.ts'
import { loaderVersionLabel, userVersionLabel } from '../names.ts'
import { isProbedAgain, isUnheardSinceReturn, unheardOnNewNodeMs } from '../node/ready-labels.ts'
import { isDeleting, isOutdated, isServing, ownerUidOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { heldWords } from './held-words.ts'
import { isUnmapped, type KernelStep, versionOf } from './kernels.ts'
import type { NodePods } from './node-pods.ts'
import { pluginProblem } from './plugin-problem.ts'
import { podProblem } from './pod-problem.ts'
import { refusalOf, refusedBy } from './refusal.ts'
import { rivalProblem } from './rival-problem.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

export type NodeState = {
  readonly target: Target
  /** `loaded`: the current driver; `excluded`: not a target (decisions.md 17). */
  readonly state: 'loaded' | 'excluded' | 'not loaded'
  /** Why not, or what is wrong although the driver is loaded: with its device plugin. */
  readonly problem?: Problem
  /** The loader pod that counts here. */
  readonly pod?: Pod
}

/** What the state of a node rests on, beside the node itself. */
export type Around = {
  readonly seen: SeenModule
  readonly module: CanonicalModule
  /** Undefined as long as the node has not reported a kernel. */
  readonly step: KernelStep | undefined
  readonly pods: NodePods
  /** Why nothing is done for the Module. */
  readonly blocker: Problem | undefined
  readonly nowMs: number
}

export function nodeState(target: Target, around: Around): NodeState {
  const { seen, step, pods, blocker } = around
  const node = target.node.metadata.name
  const about = { module: seen.key, node }
  const not = (found: Problem, pod?: Pod): NodeState => ({
    target,
    state: 'not loaded',
    problem: { ...found, node },
    ...(pod === undefined ? {} : { pod }),
  })
  for (const pod of pods.loaders.filter(isDeleting)) {
    const words = heldWords(seen, pod, target.node, around.nowMs)
    if (words !== undefined) return not(problem('StillLoaded', { ...about, pod: pod.metadata.name, words }), pod)
  }
  const loaded = (pod: Pod): NodeState => {
    const behind = pluginProblem(seen, around.module, target.node, pods.plugins)
    return { target, state: 'loaded', pod, ...(behind === undefined ? {} : { problem: behind }) }
  }
  const current = currentPod(pods, step)
  const verdict = current === undefined ? 'none' : verdictOf(current, target, around)
  if (target.taint !== undefined) {
    return verdict === 'loaded' && current !== undefined ? loaded(current) : { target, state: 'excluded' }
  }
  // Without a mapping a node is no target, silent or not.
  if (step?.problem !== undefined && isUnmapped(step)) return not(step.problem, current)
  if (!isNodeReady(target.node)) return not(problem('NodeNotReady', about), current ?? pods.loaders[0])
  // What passes by a step of ours (an answer of the registry, a DaemonSet) does not pass where nothing is done.
  if (step?.problem !== undefined && step.spec === undefined)
    return not(step.problem.passing ? (blocker ?? step.problem) : step.problem, current)
  const ending = pods.loaders.find(isDeleting)
  if (blocker !== undefined && step?.daemonSet === undefined && ending === undefined) return not(blocker)
  if (ending !== undefined) {
    const isOwn =
      blocker?.code === 'BeingDeleted' || (step?.daemonSet !== undefined && ownerUidOf(ending) === step.daemonSet.metadata.uid)
    return not(isOwn ? problem('Unloading', about) : waitForOld(around, target, ending), ending)
  }
  if (current === undefined) return not(rivalProblem(seen, target, around.nowMs) ?? whyNoPod(around, target))
  if (verdict === 'loaded') return loaded(current)
  if (verdict === 'outdated') return not(problem('Outdated', about), current)
  const image = current.spec?.containers?.[0]?.image ?? ''
  const found = podProblem(current, { ...about, kernel: target.kernel, image }, seen.eventsOf(current.metadata.uid))
  return not(found ?? problem('Loading', about), current)
}

/** The pod of the DaemonSet for the node's kernel and the Module's version. */
const currentPod = (pods: NodePods, step: KernelStep | undefined): Pod | undefined =>
  step?.daemonSet === undefined
    ? undefined
    : pods.loaders.find(pod => !isDeleting(pod) && ownerUidOf(pod) === step.daemonSet?.metadata.uid)

function verdictOf(pod: Pod, target: Target, { step, nowMs }: Around): 'loaded' | 'outdated' | 'not loaded' {
  if (unheardOnNewNodeMs(pod, target.node, nowMs) > 0) return 'not loaded'
  if (!isServing(pod) && !isUnheardSinceReturn(pod, target.node) && !isProbedAgain(pod)) return 'not loaded'
  const template = step?.wanted ?? step?.daemonSet
  return template !== undefined && isOutdated(pod, template) ? 'outdated' : 'loaded'
}

/** A loader of another version, kernel or incarnation goes first, and before it its device plugin. */
function waitForOld({ seen, module, pods }: Around, target: Target, old: Pod): Problem {
  const about = { module: seen.key, node: target.node.metadata.name }
  return versionOf(module) !== '' && !isDeleting(old) && pods.plugins.length > 0
    ? problem('WaitingForPluginToStop', about)
    : problem('WaitingForOldDriver', { ...about, pod: old.metadata.name })
}

function whyNoPod(around: Around, target: Target): Problem {
  const { seen, module, step, pods, blocker } = around
  const daemonSet = step?.daemonSet
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
  // A pod that nobody controls is about to be taken over.
  const old = pods.loaders.find(pod => ownerUidOf(pod) !== undefined)
  if (old !== undefined && step !== undefined) return blocker ?? waitForOld(around, target, old)
  if (blocker !== undefined && waitsForUs(around, target)) return blocker
  const refused = refusalOf(seen, daemonSet)
  if (refused === undefined) return problem('Loading', about)
  return { ...problem('PodsRefused', refusedBy(seen, daemonSet, refused)), node }
}

/** The node is left out in the middle of a replacement, or lacks the version label that we set when the user's is there. */
function waitsForUs({ module, step }: Around, { node: { metadata } }: Target): boolean {
  if (step?.daemonSet !== undefined && excludedNodesOf(step.daemonSet).includes(metadata.name)) return true
  const version = versionOf(module)
  const label = loaderVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  return version !== '' && metadata.labels?.[label] !== version
}
