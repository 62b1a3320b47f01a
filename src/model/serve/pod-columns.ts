// One word for the state of a pod, as `kubectl get pods` shows it. Source: kubernetes/pkg/printers/internalversion, printPod.
import type { KubeObject } from '../../core/object.ts'
import { jsonOf, listOf, textOf, valueAt } from '../api/json.ts'
import type { Json } from '../api/types.ts'
import { printAge } from './age.ts'

const statuses = (pod: KubeObject, field: string): readonly Json[] => listOf(valueAt(pod, ['status', field])).map(jsonOf)
const containers = (pod: KubeObject) => statuses(pod, 'containerStatuses')
const reasonIn = (container: Json, state: string) => textOf(valueAt(container, ['state', state, 'reason']))
const isRunning = (container: Json) => valueAt(container, ['state', 'running']) !== undefined

export function podReady(pod: KubeObject): string {
  const ready = containers(pod).filter(container => container['ready'] === true && isRunning(container)).length
  return `${ready}/${listOf(valueAt(pod, ['spec', 'containers'])).length}`
}

function endWord(container: Json): string {
  const reason = reasonIn(container, 'terminated')
  const signal = Number(valueAt(container, ['state', 'terminated', 'signal']) ?? 0)
  const code = Number(valueAt(container, ['state', 'terminated', 'exitCode']) ?? 0)
  return reason !== '' ? reason : signal !== 0 ? `Signal:${signal}` : `ExitCode:${code}`
}

/** Undefined when the container has nothing to complain of. */
function wordOf(container: Json): string | undefined {
  const waiting = reasonIn(container, 'waiting')
  if (waiting !== '') return waiting
  return valueAt(container, ['state', 'terminated']) === undefined ? undefined : endWord(container)
}

function initWord(pod: KubeObject): string | undefined {
  const inits = statuses(pod, 'initContainerStatuses')
  const specs = listOf(valueAt(pod, ['spec', 'initContainers']))
  for (const [index, container] of inits.entries()) {
    const ended = valueAt(container, ['state', 'terminated'])
    if (ended !== undefined && jsonOf(ended)['exitCode'] === 0) continue
    if (jsonOf(specs[index])['restartPolicy'] === 'Always' && container['started'] === true) continue
    const waiting = reasonIn(container, 'waiting')
    if (ended !== undefined) return `Init:${endWord(container)}`
    return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${specs.length}`
  }
  return undefined
}

const isReady = (pod: KubeObject) =>
  listOf(valueAt(pod, ['status', 'conditions']))
    .map(jsonOf)
    .some(condition => condition['type'] === 'Ready' && condition['status'] === 'True')

export function podStatus(pod: KubeObject): string {
  const reason = textOf(valueAt(pod, ['status', 'reason']))
  const phase = textOf(valueAt(pod, ['status', 'phase']))
  let word = reason === '' ? phase : reason
  const init = initWord(pod)
  if (init === undefined) {
    // The first container that has something to say wins, as it comes last.
    for (const container of containers(pod).toReversed()) word = wordOf(container) ?? word
    const hasRunning = containers(pod).some(container => container['ready'] === true && isRunning(container))
    if (word === 'Completed' && hasRunning) word = isReady(pod) ? 'Running' : 'NotReady'
  } else word = init
  if (pod.metadata.deletionTimestamp === undefined) return word
  if (reason === 'NodeLost') return 'Unknown'
  return phase === 'Succeeded' || phase === 'Failed' ? word : 'Terminating'
}

/** `2 (3m ago)`: how often, and when last. */
export function podRestarts(pod: KubeObject, nowMs: number): string {
  const restarts = containers(pod).reduce((sum, container) => sum + Number(container['restartCount'] ?? 0), 0)
  const ends = containers(pod).map(container => textOf(valueAt(container, ['lastState', 'terminated', 'finishedAt'])))
  const last = ends.sort().at(-1) ?? ''
  return restarts === 0 || last === '' ? String(restarts) : `${restarts} (${printAge(last, nowMs)} ago)`
}
