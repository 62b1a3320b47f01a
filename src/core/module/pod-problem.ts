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
  if (container?.state?.running === undefined) return eventProblem(place, events)
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

function eventProblem(place: PodPlace, events: readonly KubeEvent[]): Problem | undefined {
  const last = events
    .filter(event => event.reason === 'FailedMount' || event.reason === 'FailedCreatePodSandBox')
    .toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
    .at(-1)
  if (last === undefined) return undefined
  return problem(last.reason === 'FailedMount' ? 'PodNotMounted' : 'PodNotStarted', { ...place, words: last.message ?? '' })
}
