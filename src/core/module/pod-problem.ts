// Why is the driver of this pod not loaded? In the words of the kubelet, of modprobe and of the kernel (kubelet-facts.md).
import type { KubeEvent, Pod } from '../cluster.ts'
import { loadFailure, spokenByHook } from '../loading/reason.ts'
import { parseWords } from '../loading/words.ts'
import { containerOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { isUnpullable } from './kernels.ts'

export type PodPlace = { readonly module: string; readonly node: string; readonly kernel: string; readonly image: string }

/** Undefined where nothing has gone wrong so far. */
export function podProblem(pod: Pod, place: PodPlace, events: readonly KubeEvent[]): Problem | undefined {
  const unscheduled = pod.status?.conditions?.find(condition => condition.type === 'PodScheduled' && condition.status === 'False')
  if (unscheduled?.reason === 'Unschedulable') return problem('PodUnschedulable', { ...place, words: unscheduled.message ?? '' })
  const container = containerOf(pod)
  const { reason, message = '' } = container?.state?.waiting ?? {}
  if (isUnpullable(reason)) return problem('ImageNotPulled', { ...place, words: message === '' ? (reason ?? '') : message })
  if (isNotStarted(reason)) return notStarted(place, message === '' ? (reason ?? '') : message)
  const hook = hookProblem(pod, place)
  if (hook !== undefined) return hook
  if (container?.state?.running === undefined) return eventProblem(pod, place, events)
  return undefined
}

const isNotStarted = (reason: string | undefined): boolean =>
  /^(CreateContainerConfigError|CreateContainerError|RunContainerError|PreCreateHookError|PreStartHookError)$/.test(reason ?? '')

function notStarted(place: PodPlace, words: string): Problem {
  return /exec: "(\/bin\/)?sh"|"\/bin\/sh": (stat|no such)/.test(words)
    ? problem('NoShellInImage', place)
    : problem('PodNotStarted', { ...place, words })
}

/** The words of the last hook that failed, while it is told, backed off, or tried again. */
function hookProblem(pod: Pod, place: PodPlace): Problem | undefined {
  const container = containerOf(pod)
  if (container === undefined) return undefined
  const { reason, message = '' } = container.state?.waiting ?? {}
  const ended = container.state?.terminated ?? container.lastState?.terminated
  const words = parseWords(ended?.message ?? '')
  if (words?.said === 'load failed') return failure(place, words.words, words.kernelLog)
  if (reason === 'PostStartHookError') {
    const spoken = spokenByHook(message)
    const ours = parseWords(spoken)
    return failure(place, ours?.words ?? spoken, ours?.kernelLog ?? '')
  }
  if (ended?.reason === 'StartError' || ended?.reason === 'ContainerCannotRun') return notStarted(place, ended.message ?? '')
  if (reason === 'CrashLoopBackOff') return failure(place, words?.words ?? ended?.message ?? message, words?.kernelLog ?? '')
  return undefined
}

function failure(place: PodPlace, words: string, kernelLog: string): Problem {
  const code = loadFailure(words, kernelLog)
  const said = [words, kernelLog].filter(part => part !== '').join('; kernel: ')
  return problem(code, { ...place, words: said.replaceAll('\n', ' ').trim() })
}

/** What stands before the container: told only as long as nothing that is later shows that it was overcome. */
function eventProblem(pod: Pod, place: PodPlace, events: readonly KubeEvent[]): Problem | undefined {
  const last = newest(events.filter(event => isBeforeContainer(event)))
  if (last === undefined || isOvercome(last, pod, events)) return undefined
  return problem(last.reason === 'FailedMount' ? 'PodNotMounted' : 'PodNotStarted', { ...place, words: last.message ?? '' })
}

const isBeforeContainer = ({ reason }: KubeEvent): boolean => reason === 'FailedMount' || reason === 'FailedCreatePodSandBox'

const newest = (events: readonly KubeEvent[]): KubeEvent | undefined =>
  events.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? '')).at(-1)

/** A container that was started, or that failed in its turn, had its volumes and its sandbox. (A sandbox is made again after a reboot.) */
function isOvercome({ lastTimestamp }: KubeEvent, pod: Pod, events: readonly KubeEvent[]): boolean {
  if (lastTimestamp === undefined) return false
  const at = Date.parse(lastTimestamp)
  const { state, lastState } = containerOf(pod) ?? {}
  const started = [state?.terminated?.startedAt, lastState?.terminated?.startedAt]
  const later = events.filter(event => !isBeforeContainer(event)).map(event => event.lastTimestamp)
  return [...started, ...later].some(time => time !== undefined && Date.parse(time) > at)
}
