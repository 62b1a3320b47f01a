// What an explanation of one node rests on, and how its facts are put into words.

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet, KubeEvent, Node, Pod } from '../cluster.ts'
import type { PlanContext } from '../controller.ts'
import type { KernelStep } from '../module/kernels.ts'
import type { NodePods } from '../module/node-pods.ts'
import type { NodeState } from '../module/node-state.ts'
import type { Survey } from '../module/plan.ts'
import type { SeenModule } from '../module/seen-module.ts'
import type { KubeObject, Labels } from '../object.ts'
import { containerOf, isDeleting } from '../operands.ts'

export type Facts = {
  readonly seen: SeenModule
  readonly module: CanonicalModule
  readonly survey: Survey
  readonly node: Node
  readonly state: NodeState
  readonly step: KernelStep | undefined
  /** All pods of the Module on the node. */
  readonly pods: NodePods
  readonly context: PlanContext
}

/** One fact about one link: a sentence, and the lines that it rests on. */
export type Finding = { readonly because: string; readonly evidence: readonly string[] }

/** The operator should do the next step; where it does not come, the operator itself is what to look at. */
export const operatorTodo = ({ context }: Facts): string =>
  `Wait a moment: the operator does this by itself. If it stays, see whether the operator runs: kubectl -n ${context.settings.operatorNamespace} get pods,events`

export const labelLine = (node: Node, key: string): string => {
  const value = node.metadata.labels?.[key]
  return value === undefined ? `node ${node.metadata.name} has no label ${key}` : `node ${node.metadata.name}: ${key}=${value}`
}

/** `a=b, c=d`; what asks for nothing is `(empty)`. */
export const pairs = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || '(empty)'

/** The pairs that the labels do not hold. */
export const missingPairs = (selector: Labels, labels: Labels | undefined): readonly (readonly [key: string, value: string])[] =>
  Object.entries(selector).filter(([key, value]) => labels?.[key] !== value)

const list = (lines: string): readonly string[] => lines.split('\n').filter(line => line.trim() !== '')

/** Phase, container state with the words of the kubelet, restarts. */
export function podLines(pod: Pod): readonly string[] {
  const { name, deletionTimestamp, finalizers } = pod.metadata
  const { phase, reason, message, conditions } = pod.status ?? {}
  const container = containerOf(pod)
  const { waiting, running, terminated } = container?.state ?? {}
  const unscheduled = conditions?.find(condition => condition.type === 'PodScheduled' && condition.status === 'False')
  const restarts = container?.restartCount ?? 0
  return [
    `pod ${name}: phase ${phase ?? 'unknown'}${reason === undefined ? '' : ` (${reason}${message === undefined ? '' : `: ${message}`})`}`,
    ...(isDeleting(pod)
      ? [
          `it is being deleted (${deletionTimestamp ?? ''})${(finalizers ?? []).length > 0 ? `, finalizers: ${finalizers?.join(', ')}` : ''}`,
        ]
      : []),
    ...(unscheduled === undefined ? [] : [`not scheduled: ${unscheduled.reason ?? ''}: ${unscheduled.message ?? ''}`]),
    ...(waiting === undefined
      ? []
      : [`container waits: ${waiting.reason ?? ''}${waiting.message === undefined ? '' : `: ${waiting.message}`}`]),
    ...(running === undefined ? [] : [`container runs since ${running.startedAt ?? 'an unknown time'}`]),
    ...(terminated === undefined
      ? []
      : [`container ended with exit code ${terminated.exitCode} at ${terminated.finishedAt ?? 'an unknown time'}`]),
    ...(restarts === 0 ? [] : [`container was restarted ${restarts} times`]),
  ].flatMap(list)
}

/** What the hooks have left, the newest first. */
export function hookLines(pod: Pod): readonly string[] {
  const container = containerOf(pod)
  const messages = [container?.state?.terminated?.message, container?.lastState?.terminated?.message]
  return [...new Set(messages.flatMap(message => (message === undefined || message === '' ? [] : [message])))].flatMap(list)
}

export const eventLines = (events: readonly KubeEvent[]): readonly string[] =>
  events
    .toSorted((a, b) => ((a.lastTimestamp ?? '') < (b.lastTimestamp ?? '') ? -1 : 1))
    .slice(-5)
    .flatMap(({ reason, message, lastTimestamp }) =>
      list(`event ${reason ?? ''}${lastTimestamp === undefined ? '' : ` (${lastTimestamp})`}: ${message ?? ''}`),
    )

export function daemonSetLines(daemonSet: DaemonSet): readonly string[] {
  const { desiredNumberScheduled = 0, currentNumberScheduled = 0, numberReady = 0, observedGeneration } = daemonSet.status ?? {}
  const { generation } = daemonSet.metadata
  return [
    `DaemonSet ${daemonSet.metadata.name}: ${desiredNumberScheduled} desired, ${currentNumberScheduled} scheduled, ${numberReady} ready`,
    ...(generation !== undefined && observedGeneration !== generation
      ? [
          `the DaemonSet controller has not yet looked at its present form (generation ${generation}, observed ${observedGeneration ?? 'none'})`,
        ]
      : []),
  ]
}

export const imageOf = (object: Pick<Pod, 'spec'> | undefined): string => object?.spec?.containers?.[0]?.image ?? ''

export const isOf = (daemonSet: KubeObject | undefined, pod: Pod): boolean =>
  daemonSet !== undefined && pod.metadata.ownerReferences?.some(owner => owner.uid === daemonSet.metadata.uid) === true
