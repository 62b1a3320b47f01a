// How a deleted loader pod has ended, as far as its status tells: has it ended at all, was it ever ready, and what are its last words?
import { type Condition, type ContainerState, isConditionTrue, type Pod } from '../cluster.ts'
import { type LoaderWords, parseWords } from '../loading/words.ts'
import { containerOf } from '../operands.ts'

/** Time for a kubelet to tell of what it has to end, once it is ready and the grace period is over. */
export const afterGraceMs = 60_000

const conditionOf = (pod: Pod, type: string): Condition | undefined =>
  pod.status?.conditions?.find(condition => condition.type === type)

/** The end of its grace period; NaN if it is not being deleted. */
export const endOfGraceMs = (pod: Pod): number => Date.parse(pod.metadata.deletionTimestamp ?? '')

/** When its container ended; undefined while it has not, or where the kubelet has lost it. */
export function finishedMs(pod: Pod): number | undefined {
  const at = Date.parse(containerOf(pod)?.state?.terminated?.finishedAt ?? '')
  return Number.isNaN(at) ? undefined : at
}

export function hasEnded(pod: Pod, nowMs: number): boolean {
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
  return !wasReady(pod) && nowMs > endOfGraceMs(pod) + afterGraceMs
}

const hasRun = (state: ContainerState | undefined): boolean => state?.terminated !== undefined

/**
 * With any of its containers, not only the last two that the status tells of: a kubelet's first word on a pod is Ready=False together
 * with its startTime, and Ready changes later than that only if it became true (a startup probe keeps it false until the driver is loaded).
 */
export function wasReady(pod: Pod): boolean {
  if (isConditionTrue(pod.status?.conditions, 'Ready')) return true
  const container = containerOf(pod)
  const { terminated } = container?.state ?? {}
  const begun = pod.status?.startTime ?? terminated?.startedAt ?? container?.lastState?.terminated?.startedAt
  const changed = conditionOf(pod, 'Ready')?.lastTransitionTime
  return begun !== undefined && changed !== undefined && Date.parse(changed) > Date.parse(begun)
}

const mayBeLoaded = (words: LoaderWords | undefined): boolean => words?.said === 'loaded' || words?.said === 'unload failed'

export type LastWords = {
  readonly words: LoaderWords | undefined
  /** A container has loaded the driver, and none after it has said that it unloaded it. */
  readonly mayBeLoaded: boolean
}

/**
 * The words that count. A container that died without its hook leaves its driver in the kernel, and the next one of the same pod may
 * have failed for another reason, or said nothing: then the words of the one before count.
 */
export function lastWords(pod: Pod): LastWords {
  const container = containerOf(pod)
  const last = parseWords(container?.state?.terminated?.message ?? '')
  if (last?.said === 'unloaded' || mayBeLoaded(last)) return { words: last, mayBeLoaded: mayBeLoaded(last) }
  const before = parseWords(container?.lastState?.terminated?.message ?? '')
  return mayBeLoaded(before) ? { words: before, mayBeLoaded: true } : { words: last, mayBeLoaded: false }
}
