// The DaemonSet controller of kube-controller-manager. Each node is decided for itself and its share of the status is kept, so that one
// pod's change costs one node, not all.
import { controllerOf, type KubeObject, keyOf, type OwnerReference } from '../../core/object.ts'
import { daemonSets, nodes, pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import type { Change, ModelApi } from '../api-server.ts'
import {
  availableAtMs,
  byAge,
  counted,
  type DaemonSetObject,
  type EndedPods,
  hashLabel,
  isReady,
  podFor,
  replaceable,
  targetNodeOf,
  templateHash,
  wantedOn,
} from './daemon-set-pods.ts'
import { noShare, type Share, statusOf, sumOf } from './daemon-set-status.ts'
import { attempt, createEventRecorder } from './events.ts'
import { createBackOff } from './kubelet/back-off.ts'
import { podName } from './names.ts'
import type { OwnedPods } from './owned-pods.ts'
import { asNode, asPod, isTerminal, type PodObject, uidOf } from './pod-spec.ts'
import { createWorkQueue } from './work-queue.ts'

type Known = {
  /** What decisions rest on besides pods: a change of it makes all nodes dirty. */
  generation: number
  hash: string
  readonly shares: Map<string, Share>
  readonly byNode: Map<string, Map<string, PodObject>>
  readonly dirty: Set<string>
  allDirty: boolean
}
type Context = {
  readonly api: ModelApi
  readonly clock: Clock
  readonly owned: OwnedPods
  readonly latencyMs: number
  readonly endedPods: EndedPods
  nodeNames(): Iterable<string>
}

/** Kubernetes, daemon_controller.go: against a fight with a kubelet that rejects the pod again and again. */
const failedPodBackOff = { initialMs: 1000, maximumMs: 900_000 }

export function createDaemonSetController(context: Context): { changed(change: Change): void } {
  const { api, clock, owned } = context
  const known = new Map<string, Known>()
  const keys = new Map<string, string>()
  const failures = createBackOff(failedPodBackOff)
  const lastDeletedMs = new Map<string, number>()
  const event = createEventRecorder(api, clock, 'daemonset-controller')
  const queue = createWorkQueue(clock, context.latencyMs, key => sync(key))

  const stateOf = (uid: string): Known => {
    const found = known.get(uid) ?? {
      generation: -1,
      hash: '',
      shares: new Map(),
      byNode: new Map(),
      dirty: new Set(),
      allDirty: true,
    }
    known.set(uid, found)
    return found
  }

  const notePod = (pod: PodObject, how: 'there' | 'gone') => {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'DaemonSet') {
      if (how === 'there' && owner === undefined)
        for (const key of keys.values()) if (key.startsWith(`${pod.metadata.namespace}/`)) queue.add(key)
      return
    }
    const state = stateOf(owner.uid)
    const node = targetNodeOf(pod)
    if (node === undefined) return
    const there = state.byNode.get(node) ?? new Map<string, PodObject>()
    if (how === 'there') there.set(uidOf(pod), pod)
    else there.delete(uidOf(pod))
    if (there.size === 0) state.byNode.delete(node)
    else state.byNode.set(node, there)
    state.dirty.add(node)
    const key = keys.get(owner.uid)
    if (key !== undefined) queue.add(key)
  }

  const sync = (key: string) => {
    const daemonSet = api.get(daemonSets, key) as DaemonSetObject | undefined
    if (daemonSet === undefined || daemonSet.metadata.deletionTimestamp !== undefined) return
    const state = stateOf(uidOf(daemonSet))
    if (state.generation !== daemonSet.metadata.generation) {
      state.generation = daemonSet.metadata.generation ?? 0
      state.hash = templateHash(daemonSet)
      state.allDirty = true
    }
    claim(daemonSet, state)
    const names = state.allDirty
      ? new Set([...context.nodeNames(), ...state.byNode.keys(), ...state.shares.keys()])
      : new Set(state.dirty)
    state.allDirty = false
    state.dirty.clear()
    for (const name of [...names].sort()) decideNode(daemonSet, key, state, name)
    if (daemonSet.spec.updateStrategy?.type !== 'OnDelete') rollOut(daemonSet, state)
    writeStatus(daemonSet, key, state)
  }

  /** Takes orphans that match, lets go what no longer matches. */
  const claim = (daemonSet: DaemonSetObject, state: Known) => {
    const wanted = Object.entries(daemonSet.spec.selector?.matchLabels ?? {})
    if (wanted.length === 0) return
    const matches = (pod: PodObject) => wanted.every(([label, value]) => pod.metadata.labels?.[label] === value)
    for (const pod of owned.orphans(daemonSet.metadata.namespace ?? '')) {
      if (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod) || !matches(pod)) continue
      attempt(() =>
        api.update(pods, keyOf(pod), object =>
          withOwners(object, [...(object.metadata.ownerReferences ?? []), ownerOf(daemonSet)]),
        ),
      )
    }
    for (const pod of owned.of(uidOf(daemonSet)).values()) {
      if (matches(pod) || pod.metadata.deletionTimestamp !== undefined) continue
      const others = (object: KubeObject) =>
        (object.metadata.ownerReferences ?? []).filter(owner => owner.uid !== uidOf(daemonSet))
      attempt(() => api.update(pods, keyOf(pod), object => withOwners(object, others(object))))
      for (const there of state.byNode.values()) there.delete(uidOf(pod))
      state.allDirty = true
    }
  }

  /** Creates the missing pod, deletes those too many, and notes the node's share of the status. */
  const decideNode = (daemonSet: DaemonSetObject, key: string, state: Known, name: string) => {
    const node = api.get(nodes, name)
    const all = [...(state.byNode.get(name)?.values() ?? [])].sort(byAge)
    if (node === undefined) {
      // Bound pods of a gone node are left to the pod garbage collector.
      for (const pod of all)
        if (pod.metadata.deletionTimestamp === undefined && (pod.spec?.nodeName ?? '') === '') deletePod(daemonSet, pod)
      state.shares.delete(name)
      return
    }
    const { shouldRun, mayContinue } = wantedOn(daemonSet, asNode(node))
    const here = counted(all, context.endedPods)
    if (shouldRun && here.length === 0) createPod(daemonSet, key, state, name)
    else if (mayContinue) prune(daemonSet, key, here, name)
    else for (const pod of here) if (pod.metadata.deletionTimestamp === undefined) deletePod(daemonSet, pod)
    // The status counts the oldest pod of the node, whatever became of it.
    const nowHere = [...(state.byNode.get(name)?.values() ?? [])].sort(byAge)
    state.shares.set(name, shareOf(daemonSet, state.hash, shouldRun, counted(nowHere, context.endedPods), key))
  }

  const prune = (daemonSet: DaemonSetObject, key: string, here: readonly PodObject[], node: string) => {
    let oldest: PodObject | undefined
    for (const pod of here) {
      if (pod.metadata.deletionTimestamp !== undefined) continue
      const phase = pod.status?.phase
      const words = `daemon pod ${keyOf(pod)} on node ${node}`
      if (phase === 'Failed') {
        const backOffKey = `${uidOf(daemonSet)} ${node}`
        const waitMs = failures.waitMs(backOffKey, lastDeletedMs.get(backOffKey) ?? 0, clock.nowMs())
        if (waitMs > 0) queue.addAfter(key, waitMs)
        else {
          failures.next(backOffKey, clock.nowMs(), clock.nowMs())
          lastDeletedMs.set(backOffKey, clock.nowMs())
          event({
            about: daemonSet,
            type: 'Warning',
            reason: 'FailedDaemonPod',
            message: `Found failed ${words}, will try to kill it`,
          })
          deletePod(daemonSet, pod)
        }
        stateOf(uidOf(daemonSet)).dirty.add(node)
      } else if (phase === 'Succeeded') {
        event({
          about: daemonSet,
          type: 'Normal',
          reason: 'SucceededDaemonPod',
          message: `Found succeeded ${words}, will try to delete it`,
        })
        deletePod(daemonSet, pod)
      } else if (oldest === undefined) oldest = pod
      else deletePod(daemonSet, pod)
    }
  }
  const createPod = (daemonSet: DaemonSetObject, key: string, state: Known, node: string) => {
    const { name: owner, namespace = '' } = daemonSet.metadata
    const isTaken = (name: string) => api.get(pods, `${namespace}/${name}`) !== undefined
    const name = podName(owner, `${uidOf(daemonSet)} ${node} ${clock.nowMs()}`, isTaken)
    const pod = podFor(daemonSet, node, state.hash, name)
    try {
      api.create(pods, pod, 'daemonset-controller')
      event({ about: daemonSet, type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` })
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ApiError') throw error
      event({ about: daemonSet, type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${error.message}` })
      state.dirty.add(node)
      failures.next(`${key} create`, clock.nowMs(), clock.nowMs())
      queue.addAfter(key, failures.stepMs(`${key} create`))
    }
  }

  const deletePod = (daemonSet: DaemonSetObject, pod: PodObject) => {
    attempt(() => api.remove(pods, keyOf(pod), { uid: uidOf(pod) }))
    event({ about: daemonSet, type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` })
  }

  const shareOf = (
    daemonSet: DaemonSetObject,
    hash: string,
    shouldRun: boolean,
    here: readonly PodObject[],
    key: string,
  ): Share => {
    const [pod] = here
    if (!shouldRun) return { ...noShare, misscheduled: pod === undefined ? 0 : 1 }
    if (pod === undefined) return { ...noShare, desired: 1 }
    const availableMs = availableAtMs(pod, daemonSet.spec.minReadySeconds ?? 0)
    const isAvailable = availableMs !== undefined && (availableMs <= clock.nowMs() || (daemonSet.spec.minReadySeconds ?? 0) === 0)
    if (availableMs !== undefined && !isAvailable) {
      const node = targetNodeOf(pod)
      if (node !== undefined) stateOf(uidOf(daemonSet)).dirty.add(node)
      queue.addAfter(key, availableMs - clock.nowMs())
    }
    const isUpdated = pod.metadata.labels?.[hashLabel] === hash
    return {
      desired: 1,
      current: 1,
      misscheduled: 0,
      ready: isReady(pod) ? 1 : 0,
      available: isAvailable ? 1 : 0,
      updated: isUpdated ? 1 : 0,
    }
  }

  const rollOut = (daemonSet: DaemonSetObject, state: Known) => {
    const nodesInOrder = [...state.byNode].sort(([a], [b]) => (a < b ? -1 : 1))
    const onNodes = nodesInOrder.map(([, there]) => counted([...there.values()], context.endedPods))
    for (const pod of replaceable(daemonSet, onNodes, state.hash, sumOf(state.shares).desired)) deletePod(daemonSet, pod)
  }

  const writeStatus = (daemonSet: DaemonSetObject, key: string, state: Known) => {
    const status = statusOf(sumOf(state.shares), daemonSet.metadata.generation)
    attempt(() => api.updateStatus(daemonSets, key, object => ({ ...object, status }) as KubeObject, 'daemonset-controller'))
  }

  return {
    changed({ resource, type, object, old }) {
      if (resource.kind === 'Pod') return notePod(asPod(object), type === 'DELETED' ? 'gone' : 'there')
      if (resource.kind === 'DaemonSet') {
        if (type === 'DELETED') {
          known.delete(uidOf(object))
          keys.delete(uidOf(object))
          return
        }
        keys.set(uidOf(object), keyOf(object))
        if (old === undefined || old.metadata.generation !== object.metadata.generation || type === 'ADDED')
          queue.add(keyOf(object))
        return
      }
      if (resource.kind !== 'Node') return
      if (
        old !== undefined &&
        type === 'MODIFIED' &&
        old.metadata.labels === object.metadata.labels &&
        asNode(old).spec?.taints === asNode(object).spec?.taints
      )
        return
      for (const [uid, key] of keys) {
        stateOf(uid).dirty.add(object.metadata.name)
        queue.add(key)
      }
    },
  }
}

const ownerOf = (daemonSet: DaemonSetObject): OwnerReference => ({
  apiVersion: daemonSet.apiVersion,
  kind: daemonSet.kind,
  name: daemonSet.metadata.name,
  uid: uidOf(daemonSet),
  controller: true,
  blockOwnerDeletion: true,
})

const withOwners = (object: KubeObject, ownerReferences: readonly OwnerReference[]): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences },
})
