// When may the finalizer of a deleted loader pod go? (decisions.md 2). While it is held, the pod is the evidence that an old
// driver may still be in the kernel, and keeps a newer one of the same Module away.
import { type ContainerState, isConditionTrue, isNodeReady, type KubeEvent, type Node, type Pod } from '../cluster.ts'
import { parseWords } from '../loading/words.ts'
import { containerOf, isAdopted, operandOf } from '../operands.ts'

export type Surroundings = {
  /** The Node object with the pod's nodeName, if there is one. */
  readonly node: Node | undefined
  /** The pod's namespace or our CRD is going away: nobody would be left to release the pod. */
  readonly endOfService: boolean
  readonly failedPreStop: boolean
  readonly nowMs: number
}

export type FinalizerVerdict =
  | { readonly do: 'release'; readonly because: string; readonly unloaded: boolean }
  | { readonly do: 'wait'; readonly because: string }
  | { readonly do: 'hold'; readonly because: string; readonly words: string }

const release = (because: string, unloaded = false): FinalizerVerdict => ({ do: 'release', because, unloaded })
const wait = (because: string): FinalizerVerdict => ({ do: 'wait', because })

/** Judges a pod that has a deletionTimestamp and our finalizer. */
export function judgeFinalizer(pod: Pod, around: Surroundings): FinalizerVerdict {
  const { node } = around
  if (around.endOfService) return release('the namespace or the Module kind is being removed')
  if (node === undefined) return release('the node is gone')
  if (isOfEarlierNode(pod, node)) return release('the node was deleted and made again')
  if (!isNodeReady(node)) return wait('the node is not ready, so what its kernel holds is not known')
  if (operandOf(pod) === 'plugin') return release('a device plugin has nothing to unload')
  if (!hasEnded(pod, around.nowMs)) return wait('the loader has not ended yet')
  return isAdopted(pod) ? judgeAdopted(around) : judgeWords(pod, node)
}

function judgeAdopted(around: Surroundings): FinalizerVerdict {
  if (!around.failedPreStop) return release('the loader of an older operator has ended', true)
  return { do: 'hold', because: 'the unload hook of the loader failed', words: 'FailedPreStopHook' }
}

function judgeWords(pod: Pod, node: Node): FinalizerVerdict {
  const status = containerOf(pod)
  const last = parseWords(status?.state?.terminated?.message ?? '')
  const before = parseWords(status?.lastState?.terminated?.message ?? '')
  const bootId = node.status?.nodeInfo?.bootID
  if (last?.said === 'unloaded') return release('the driver was unloaded', true)
  // A container that died without its hook leaves the driver behind; the next one of the same pod may have failed for another reason.
  const evidence = last?.said === 'load failed' && before?.said === 'loaded' ? before : last
  if (evidence?.said === 'load failed') return release('the driver was never loaded')
  if (evidence === undefined && !wasReady(pod)) return release('the pod was never ready, so nothing was loaded')
  if (evidence?.bootId !== undefined && bootId && evidence.bootId !== bootId) return release('the node was rebooted since')
  const because =
    evidence?.said === 'unload failed' ? 'its unload failed' : 'the loader ended without saying that it unloaded the driver'
  return { do: 'hold', because, words: evidence?.words ?? '' }
}

/** Bound to a Node object that was deleted before the present one with the same name was made. */
function isOfEarlierNode(pod: Pod, node: Node): boolean {
  const bound = pod.status?.conditions?.find(condition => condition.type === 'PodScheduled' && condition.status === 'True')
  const born = node.metadata.creationTimestamp
  if (bound?.lastTransitionTime === undefined || born === undefined) return false
  return Date.parse(bound.lastTransitionTime) < Date.parse(born)
}

function hasEnded(pod: Pod, nowMs: number): boolean {
  const { phase } = pod.status ?? {}
  if (phase === 'Failed' || phase === 'Succeeded') return true
  const container = containerOf(pod)
  if (container?.state?.terminated !== undefined) return true
  if (container?.state?.running !== undefined) return false
  if (hasRun(container?.lastState)) return false
  // Waiting: while a hook runs the reason is ContainerCreating; with any other reason no container of this pod has ever run.
  const reason = container?.state?.waiting?.reason
  if (reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing') return true
  // Kubelets before 1.27 end a pod that never started without a last phase.
  const end = Date.parse(pod.metadata.deletionTimestamp ?? '')
  return !wasReady(pod) && nowMs > end + 60_000
}

const hasRun = (state: ContainerState | undefined): boolean => state?.terminated !== undefined

/** Ready changes after the container's start only if it was Ready in between; before the start it is set once. */
function wasReady(pod: Pod): boolean {
  if (isConditionTrue(pod.status?.conditions, 'Ready')) return true
  const ready = pod.status?.conditions?.find(condition => condition.type === 'Ready')
  const container = containerOf(pod)
  const started = container?.state?.terminated?.startedAt ?? container?.lastState?.terminated?.startedAt
  if (ready?.lastTransitionTime === undefined || started === undefined) return false
  return Date.parse(ready.lastTransitionTime) > Date.parse(started)
}

/** A FailedPreStopHook event of this very pod. */
export const isFailedPreStop = (event: KubeEvent, pod: Pod): boolean =>
  event.reason === 'FailedPreStopHook' && event.involvedObject?.uid !== undefined && event.involvedObject.uid === pod.metadata.uid
