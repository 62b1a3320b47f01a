// The scheduler: binds pods to nodes that fit, and says why when none does (kubernetes, pkg/scheduler). It counts pods, not what they request,
// and preempts nobody.
import { type KubeObject, keyOf } from '../../core/object.ts'
import { nodes, pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import { countOf } from '../api/quantity.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { targetNodeOf } from './daemon-set-pods.ts'
import { attempt, type EventRecorder } from './events.ts'
import { asNode, asPod, isTerminal, type NodeObject, type PodObject, withCondition } from './pod-spec.ts'
import { fitsNodeSelection, taintKeys, tolerates, untoleratedTaint } from './scheduling.ts'
import { createWorkQueue } from './work-queue.ts'

const reasons = {
  affinity: "node(s) didn't match Pod's node affinity/selector",
  taint: 'node(s) had untolerated taint(s)',
  unschedulable: 'node(s) were unschedulable',
  full: 'Too many pods',
} as const

/** No node has this name. */
const anywhere = ''

export function createScheduler(context: {
  readonly api: ModelApi
  readonly clock: Clock
  readonly latencyMs: number
  recorder(component: string): EventRecorder
  nodeNames(): ReadonlySet<string>
}): {
  changed(change: Change): void
} {
  const { api, clock } = context
  const event = context.recorder('default-scheduler')
  const unbound = new Set<string>()
  /** Pods that no node suited, by the one node they are for; `anywhere` for those that may run on any. */
  const refused = new Map<string, Set<string>>()
  const load = new Map<string, number>()
  const queue = createWorkQueue(clock, context.latencyMs, key => schedule(key))

  const schedule = (key: string) => {
    const found = api.get(pods, key)
    if (found === undefined) return
    const pod = asPod(found)
    if (isBound(pod) || pod.metadata.deletionTimestamp !== undefined) return
    const refusals = new Map<string, number>()
    const target = targetNodeOf(pod)
    const names = target === undefined ? [...context.nodeNames()] : [target]
    const fitting: string[] = []
    for (const name of names) {
      const node = api.get(nodes, name)
      const why = node === undefined ? undefined : whyNot(pod, asNode(node), load.get(name) ?? 0)
      if (node !== undefined && why === undefined) fitting.push(name)
      if (why !== undefined) refusals.set(why, (refusals.get(why) ?? 0) + 1)
    }
    const [best] = fitting.sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || (a < b ? -1 : 1))
    if (best === undefined) return refuse(pod, key, refusals, target)
    const bound = attempt(() =>
      api.update(
        pods,
        key,
        object => ({ ...object, spec: { ...asPod(object).spec, nodeName: best } }) as KubeObject,
        'kube-scheduler',
      ),
    )
    if (bound === undefined) return
    attempt(() =>
      api.updateStatus(pods, key, object => withScheduled(object, { status: 'True' }, clock.nowMs()), 'kube-scheduler'),
    )
    event({ about: pod, type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${key} to ${best}` })
  }

  const tryAgain = (place: string) => {
    for (const key of refused.get(place) ?? []) if (unbound.has(key)) queue.add(key)
    refused.delete(place)
  }

  const refuse = (pod: PodObject, key: string, refusals: ReadonlyMap<string, number>, target: string | undefined) => {
    const place = target ?? anywhere
    refused.set(place, (refused.get(place) ?? new Set()).add(key))
    const total = context.nodeNames().size
    // A daemon pod names its node; the scheduler does not even look at the others.
    const others = target === undefined ? 0 : total - [...refusals.values()].reduce((sum, count) => sum + count, 0)
    const counts = [...refusals].map(([why, count]) => `${count} ${why}`)
    if (others > 0) counts.push(`${others} node(s) didn't satisfy plugin(s) [NodeAffinity]`)
    // On a full node the end of another pod would help.
    const full = refusals.get(reasons.full) ?? 0
    const unhelpful = total === full ? [] : [`${total - full} Preemption is not helpful for scheduling`]
    const victims = [...(full === 0 ? [] : [`${full} No preemption victims found for incoming pod`]), ...unhelpful]
    const preemption = `no new claims to deallocate, preemption: 0/${total} nodes are available: ${victims.join(', ')}.`
    const message =
      total === 0
        ? 'no nodes available to schedule pods'
        : `0/${total} nodes are available: ${counts.sort().join(', ')}. ${preemption}`
    const changed = attempt(() =>
      api.updateStatus(
        pods,
        key,
        object => withScheduled(object, { status: 'False', reason: 'Unschedulable', message }, clock.nowMs()),
        'kube-scheduler',
      ),
    )
    if (changed !== undefined) event({ about: pod, type: 'Warning', reason: 'FailedScheduling', message })
  }

  const count = (pod: PodObject | undefined, change: 1 | -1) => {
    const name = pod?.spec?.nodeName ?? ''
    if (name !== '' && pod !== undefined && !isTerminal(pod)) load.set(name, (load.get(name) ?? 0) + change)
  }

  return {
    changed({ resource, type, object, old }) {
      if (resource.kind === 'Node' && type !== 'DELETED') {
        tryAgain(object.metadata.name)
        tryAgain(anywhere)
      }
      if (resource.kind !== 'Pod') return
      const pod = asPod(object)
      count(old === undefined ? undefined : asPod(old), -1)
      if (type !== 'DELETED') count(pod, 1)
      // It has left room.
      if (isBound(pod) && (type === 'DELETED' || isTerminal(pod))) {
        tryAgain(pod.spec?.nodeName ?? anywhere)
        tryAgain(anywhere)
      }
      const key = keyOf(pod)
      if (type === 'DELETED' || isBound(pod)) unbound.delete(key)
      else if (!unbound.has(key)) {
        unbound.add(key)
        queue.add(key)
      }
    },
  }
}

const isBound = (pod: PodObject): boolean => (pod.spec?.nodeName ?? '') !== ''

function whyNot(pod: PodObject, node: NodeObject, podsThere: number): string | undefined {
  const tolerations = pod.spec?.tolerations ?? []
  if (!fitsNodeSelection(pod.spec ?? {}, node)) return reasons.affinity
  const isCordoned =
    node.spec?.unschedulable === true && !tolerates(tolerations, { key: taintKeys.unschedulable, effect: 'NoSchedule' })
  if (isCordoned) return reasons.unschedulable
  if (untoleratedTaint(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']) !== undefined) return reasons.taint
  const room = node.status?.allocatable?.['pods']
  return room !== undefined && podsThere >= countOf(room) ? reasons.full : undefined
}

function withScheduled(
  object: KubeObject,
  condition: { readonly status: string; readonly reason?: string; readonly message?: string },
  nowMs: number,
): KubeObject {
  const pod = asPod(object)
  const conditions = withCondition(pod.status?.conditions, { type: 'PodScheduled', ...condition }, nowMs)
  return { ...pod, status: { ...pod.status, conditions } } as PodObject
}
