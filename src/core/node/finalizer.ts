// When may the finalizer of a deleted loader pod go? (decisions.md 2, docs/decisions/0013.) While it is held, the pod is the evidence
// that an old driver may still be in the kernel, and keeps a newer one of the same Module away.
import { isNodeReady, type KubeEvent, kernelOf, type Node, type Pod } from '../cluster.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { labels } from '../names.ts'
import { containerOf, isAdopted, operandOf } from '../operands.ts'
import { afterGraceMs, endOfGraceMs, finishedMs, hasEnded, lastWords, wasReady } from './loader-end.ts'

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
  /** `lookAgainInMs`: the verdict may become another one by time alone. */
  | { readonly do: 'wait'; readonly because: string; readonly lookAgainInMs?: number }
  | { readonly do: 'hold'; readonly because: string; readonly words: string }

const release = (because: string, unloaded = false): FinalizerVerdict => ({ do: 'release', because, unloaded })
const hold = (because: string, words = ''): FinalizerVerdict => ({ do: 'hold', because, words })
const wait = (because: string, lookAgainInMs?: number): FinalizerVerdict => ({
  do: 'wait',
  because,
  ...(lookAgainInMs === undefined ? {} : { lookAgainInMs }),
})

/** Events live for an hour by default, and that of a failed hook is some minutes older than the end of its container. */
const eventsLastMs = 50 * 60_000

/** Judges a pod that has a deletionTimestamp and our finalizer. */
export function judgeFinalizer(pod: Pod, around: Surroundings): FinalizerVerdict {
  const { node, nowMs } = around
  if (around.endOfService) return release('the namespace or the Module kind is being removed')
  if (node === undefined) return release('the node is gone')
  if (!isNodeReady(node)) return wait('the node is not ready, so what its kernel holds is not known')
  if (operandOf(pod) === 'plugin') return release('a device plugin has nothing to unload')
  if (isOfEarlierNode(pod, node) && !isKnownToMachine(pod, node)) return judgeEarlier(pod, node, nowMs)
  if (!hasEnded(pod, nowMs)) {
    const isRunning = containerOf(pod)?.state?.running !== undefined
    return wait('the loader has not ended yet', isRunning ? undefined : afterGraceMs)
  }
  return isAdopted(pod) ? judgeAdopted(pod, node, around) : judgeWords(pod, node)
}

/** Loaders of an older operator leave no words: that the unload hook failed is told by an Event only, and Events expire. */
function judgeAdopted(pod: Pod, node: Node, { failedPreStop, nowMs }: Surroundings): FinalizerVerdict {
  if (isOfAnotherKernel(pod, node)) return release('the node has booted another kernel since')
  if (failedPreStop) return hold('the unload hook of the loader failed', 'FailedPreStopHook')
  if (!wasReady(pod)) return release('the pod was never ready, so nothing was loaded')
  if (nowMs - (finishedMs(pod) ?? endOfGraceMs(pod)) <= eventsLastMs) return release('the loader of an older operator has ended')
  return hold(
    'the loader of an older operator ended so long ago that the Event of a failed unload may have expired; where the driver is not in the kernel any more, `kmm release` lets the pod go',
  )
}

function judgeWords(pod: Pod, node: Node): FinalizerVerdict {
  const { words, mayBeLoaded } = lastWords(pod)
  const bootId = node.status?.nodeInfo?.bootID
  if (words?.said === 'unloaded') return release('the driver was unloaded', true)
  if (words?.bootId !== undefined && bootId && words.bootId !== bootId) return release('the node was rebooted since')
  if (!mayBeLoaded && !wasReady(pod)) {
    return release(words === undefined ? 'the pod was never ready, so nothing was loaded' : 'the driver was never loaded')
  }
  // Words of this very boot say more than the label: a loader that was restarted in another kernel may have loaded there too.
  const isOfThisBoot = words?.bootId !== undefined && words.bootId === bootId
  if (!isOfThisBoot && isOfAnotherKernel(pod, node)) return release('the node has booted another kernel since')
  return hold(
    words?.said === 'unload failed' ? 'its unload failed' : 'the loader ended without saying that it unloaded the driver',
    words?.words,
  )
}

/** The pod was for another kernel than the one that the node runs now. */
function isOfAnotherKernel(pod: Pod, node: Node): boolean {
  const kernel = kernelOf(node)
  const label = pod.metadata.labels?.[labels.kernel]
  return kernel !== '' && label !== undefined && label !== kernelLabelValue(kernel)
}

/** Bound to a Node object that was deleted before the present one with the same name was made. */
export function isOfEarlierNode(pod: Pod, node: Node): boolean {
  const bound = pod.status?.conditions?.find(condition => condition.type === 'PodScheduled' && condition.status === 'True')
  const born = node.metadata.creationTimestamp
  if (bound?.lastTransitionTime === undefined || born === undefined) return false
  return Date.parse(bound.lastTransitionTime) < Date.parse(born)
}

/**
 * A Node object that was deleted and registered again may be the same machine, in the same boot, with the driver in its kernel: then the
 * words name this boot, or the kubelet has told of the container's end since.
 */
function isKnownToMachine(pod: Pod, node: Node): boolean {
  const { bootId } = lastWords(pod).words ?? {}
  if (bootId !== undefined) return bootId === node.status?.nodeInfo?.bootID
  const finished = finishedMs(pod)
  return finished !== undefined && finished > Date.parse(node.metadata.creationTimestamp ?? '')
}

/** On a machine that was really made anew nobody knows of the pod, and nobody will ever end it. */
function judgeEarlier(pod: Pod, node: Node, nowMs: number): FinalizerVerdict {
  const readySince = node.status?.conditions?.find(condition => condition.type === 'Ready')?.lastTransitionTime ?? ''
  const heardMs = Math.max(endOfGraceMs(pod), Date.parse(readySince) || 0) + afterGraceMs
  if (containerOf(pod)?.state?.terminated !== undefined || nowMs >= heardMs) return release('the node was deleted and made again')
  return wait('the node was deleted and made again, but its kubelet may know the loader still', heardMs - nowMs)
}

/** A FailedPreStopHook event of this very pod. */
export const isFailedPreStop = (event: KubeEvent, pod: Pod): boolean =>
  event.reason === 'FailedPreStopHook' && event.involvedObject?.uid !== undefined && event.involvedObject.uid === pod.metadata.uid
