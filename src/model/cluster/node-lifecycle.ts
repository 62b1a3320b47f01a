// What kube-controller-manager makes of silent and unready nodes: conditions, taints, unready pods, and eviction (kubernetes,
// pkg/controller/nodelifecycle, pkg/controller/tainteviction).
import type { Taint } from '../../core/cluster.ts'
import { type KubeObject, keyOf } from '../../core/object.ts'
import { nodes, pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { attempt, type EventRecorder } from './events.ts'
import { asNode, asPod, type NodeObject, type PodObject, timeOf, withCondition } from './pod-spec.ts'
import { taintKeys, tolerates } from './scheduling.ts'
import { createWorkQueue } from './work-queue.ts'

export type NodeLifecycle = {
  changed(change: Change): void
  /** The node's kubelet has renewed nothing since now. */
  wentSilent(node: string): void
  /** The kubelet is heard again. */
  isHeard(node: string): void
}

/** Added to every pod by admission: how long it stays on a node that is not ready (DefaultTolerationSeconds). */
const defaultTolerationSeconds = 300

export function createNodeLifecycle(context: {
  readonly api: ModelApi
  readonly clock: Clock
  readonly latencyMs: number
  recorder(component: string): EventRecorder
  readonly graceMs: number
}): NodeLifecycle {
  const { api, clock } = context
  const event = context.recorder('node-controller')
  const silences = new Map<string, () => void>()
  const evictions = new Map<string, () => void>()
  const queue = createWorkQueue(clock, context.latencyMs, name => lookAt(name))

  const giveUp = (name: string) => {
    silences.delete(name)
    const unknown = { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
    const change = (object: KubeObject) => {
      const node = asNode(object)
      const types = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']
      const conditions = types.reduce(
        (all, type) => withCondition(all, { type, ...unknown }, clock.nowMs()),
        node.status?.conditions ?? [],
      )
      return { ...node, status: { ...node.status, conditions } } as NodeObject
    }
    attempt(() => api.updateStatus(nodes, name, change, 'node-controller'))
  }

  /** Taints follow the Ready condition and spec.unschedulable; pods of a node that is not ready are not ready either. */
  const lookAt = (name: string) => {
    const found = api.get(nodes, name)
    if (found === undefined) return
    const node = asNode(found)
    const ready = node.status?.conditions?.find(condition => condition.type === 'Ready')?.status
    const wanted: Taint[] = []
    if (node.spec?.unschedulable === true) wanted.push({ key: taintKeys.unschedulable, effect: 'NoSchedule' })
    const key = ready === 'Unknown' ? taintKeys.unreachable : ready === 'False' ? taintKeys.notReady : undefined
    if (key !== undefined) wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' })
    attempt(() => api.update(nodes, name, object => withTaints(asNode(object), wanted, clock.nowMs()), 'node-controller'))
    if (ready === 'True') return
    for (const pod of podsOf(name)) markUnready(pod)
  }

  const markUnready = (pod: PodObject) => {
    if (pod.status?.conditions?.find(condition => condition.type === 'Ready')?.status !== 'True') return
    const change = (object: KubeObject) => {
      const now = asPod(object)
      const ready = now.status?.conditions?.find(condition => condition.type === 'Ready')
      if (ready === undefined) return object
      return {
        ...now,
        status: {
          ...now.status,
          conditions: withCondition(now.status?.conditions, { ...ready, status: 'False' }, clock.nowMs()),
        },
      } as PodObject
    }
    attempt(() => api.updateStatus(pods, keyOf(pod), change, 'node-controller'))
    event({ about: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })
  }

  const podsOf = (name: string): readonly PodObject[] =>
    [...api.by(pods, 'spec.nodeName', name)].map(asPod).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))

  /** NoExecute taints take pods away, at once or when their toleration runs out. */
  const planEviction = (pod: PodObject, node: NodeObject | undefined) => {
    const key = keyOf(pod)
    evictions.get(key)?.()
    evictions.delete(key)
    if (node === undefined || pod.metadata.deletionTimestamp !== undefined) return
    const delays = (node.spec?.taints ?? []).filter(taint => taint.effect === 'NoExecute').map(taint => toleratedMs(pod, taint))
    const delayMs = delays.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...delays)
    if (!Number.isFinite(delayMs)) return
    const uid = pod.metadata.uid
    const evict = () => {
      evictions.delete(key)
      event({ about: pod, type: 'Normal', reason: 'TaintManagerEviction', message: `Marking for deletion Pod ${key}` })
      attempt(() => api.remove(pods, key, uid === undefined ? {} : { uid }))
    }
    evictions.set(key, clock.after(Math.max(context.latencyMs, delayMs), evict))
  }

  const toleratedMs = (pod: PodObject, taint: Taint & { readonly timeAdded?: string }): number => {
    const isDefault = taint.key === taintKeys.notReady || taint.key === taintKeys.unreachable
    const matching = (pod.spec?.tolerations ?? []).filter(toleration => tolerates([toleration], taint))
    if (matching.length === 0 && !isDefault) return 0
    const seconds =
      matching.length === 0 ? [defaultTolerationSeconds] : matching.flatMap(toleration => toleration.tolerationSeconds ?? [])
    if (matching.length > 0 && seconds.length === 0) return Number.POSITIVE_INFINITY
    const sinceMs = taint.timeAdded === undefined ? clock.nowMs() : Date.parse(taint.timeAdded)
    return Math.max(0, Math.min(...seconds)) * 1000 + sinceMs - clock.nowMs()
  }

  return {
    changed({ resource, type, object, old }) {
      if (resource.kind === 'Pod') {
        const pod = asPod(object)
        const name = pod.spec?.nodeName ?? ''
        const isNew =
          old === undefined ||
          (asPod(old).spec?.nodeName ?? '') !== name ||
          old.metadata.deletionTimestamp !== object.metadata.deletionTimestamp
        if (name !== '' && (isNew || type === 'DELETED')) {
          const node = type === 'DELETED' ? undefined : api.get(nodes, name)
          planEviction(pod, node === undefined ? undefined : asNode(node))
        }
      }
      if (resource.kind !== 'Node') return
      const { name } = object.metadata
      if (type === 'DELETED') {
        silences.get(name)?.()
        silences.delete(name)
        return
      }
      queue.add(name)
      if (old === undefined || asNode(old).spec?.taints !== asNode(object).spec?.taints)
        for (const pod of podsOf(name)) planEviction(pod, asNode(object))
    },
    wentSilent(name) {
      if (!silences.has(name))
        silences.set(
          name,
          clock.after(context.graceMs, () => giveUp(name)),
        )
    },
    isHeard(name) {
      silences.get(name)?.()
      silences.delete(name)
    },
  }
}

const own: ReadonlySet<string> = new Set([taintKeys.unschedulable, taintKeys.notReady, taintKeys.unreachable])

/** The same object when the controller's taints are right already; those of others stay. */
function withTaints(node: NodeObject, wanted: readonly Taint[], nowMs: number): NodeObject {
  const old = node.spec?.taints ?? []
  const isOwn = (taint: Taint) => own.has(taint.key)
  const isWanted = (taint: Taint) => wanted.some(other => other.key === taint.key && other.effect === taint.effect)
  const missing = wanted.filter(taint => !old.some(other => other.key === taint.key && other.effect === taint.effect))
  if (missing.length === 0 && old.every(taint => !isOwn(taint) || isWanted(taint))) return node
  const { taints: _, ...spec } = node.spec ?? {}
  const taints = [
    ...old.filter(taint => !isOwn(taint) || isWanted(taint)),
    ...missing.map(taint => ({ ...taint, timeAdded: timeOf(nowMs) })),
  ]
  return { ...node, spec: taints.length === 0 ? spec : { ...spec, taints } }
}
