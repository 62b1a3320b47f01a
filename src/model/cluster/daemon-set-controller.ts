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
  isWantedAlike,
  ownerOf,
  podFor,
  replaceable,
  targetNodeOf,
  templateHash,
  wantedOn,
} from './daemon-set-pods.ts'
import { createDaemonSetState, type DaemonSetState } from './daemon-set-state.ts'
import { noShare, type Share, shareOfPod, statusOf } from './daemon-set-status.ts'
import { attempt, type EventRecorder } from './events.ts'
import { createBackOff } from './kubelet/back-off.ts'
import { podName } from './names.ts'
import type { OwnedPods } from './owned-pods.ts'
import { asNode, asPod, isTerminal, type PodObject, uidOf } from './pod-spec.ts'
import { createWorkQueue } from './work-queue.ts'

type Context = {
  readonly api: ModelApi
  readonly clock: Clock
  readonly owned: OwnedPods
  readonly latencyMs: number
  recorder(component: string): EventRecorder
  readonly endedPods: EndedPods
  nodeNames(): ReadonlySet<string>
}

/** Pods created and deleted at one look; the rest comes with the next. Kubernetes takes 250 (daemon_controller.go, BurstReplicas), but not in one thread. */
const burst = 50

/** Kubernetes, daemon_controller.go: against a fight with a kubelet that rejects the pod again and again. */
const failedPodBackOff = { initialMs: 1000, maximumMs: 900_000 }

export function createDaemonSetController(context: Context): { changed(change: Change): void } {
  const { api, clock, owned } = context
  const known = new Map<string, DaemonSetState>()
  const keys = new Map<string, string>()
  const failures = createBackOff(failedPodBackOff)
  const lastDeletedMs = new Map<string, number>()
  /** Pods created and deleted so far. */
  let writes = 0
  const event = context.recorder('daemonset-controller')
  const queue = createWorkQueue(clock, context.latencyMs, key => sync(key), 1)

  const stateOf = (uid: string): DaemonSetState => {
    const found = known.get(uid) ?? createDaemonSetState()
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
    if (how === 'there') state.unclaimed.set(uidOf(pod), pod)
    else state.unclaimed.delete(uidOf(pod))
    const node = targetNodeOf(pod)
    if (node === undefined) return
    state.notePod(node, pod, how)
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
    const before = writes
    const inOrder = [...names].sort()
    for (const [index, name] of inOrder.entries()) {
      if (writes - before >= burst) {
        for (const later of inOrder.slice(index)) state.dirty.add(later)
        queue.add(key)
        break
      }
      decideNode(daemonSet, key, state, name)
    }
    if (daemonSet.spec.updateStrategy?.type !== 'OnDelete') rollOut(daemonSet, state)
    writeStatus(daemonSet, key, state)
  }

  /** Takes orphans that match, lets go what no longer matches. */
  const claim = (daemonSet: DaemonSetObject, state: DaemonSetState) => {
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
    // The selector never changes, so only pods that have changed can have left it.
    const changed = [...state.unclaimed.values()]
    state.unclaimed.clear()
    for (const pod of changed) {
      if (matches(pod) || pod.metadata.deletionTimestamp !== undefined) continue
      const others = (object: KubeObject) =>
        (object.metadata.ownerReferences ?? []).filter(owner => owner.uid !== uidOf(daemonSet))
      attempt(() => api.update(pods, keyOf(pod), object => withOwners(object, others(object))))
      const node = targetNodeOf(pod)
      if (node === undefined) continue
      state.notePod(node, pod, 'gone')
      state.dirty.add(node)
    }
  }

  /** Creates the missing pod, deletes those too many, and notes the node's share of the status. */
  const decideNode = (daemonSet: DaemonSetObject, key: string, state: DaemonSetState, name: string) => {
    const node = api.get(nodes, name)
    const all = [...(state.byNode.get(name) ?? [])].sort(byAge)
    if (node === undefined) {
      // Bound pods of a gone node are left to the pod garbage collector.
      for (const pod of all)
        if (pod.metadata.deletionTimestamp === undefined && (pod.spec?.nodeName ?? '') === '') deletePod(daemonSet, pod)
      state.setShare(name, undefined)
      noteOutdated(state, name)
      return
    }
    const { shouldRun, mayContinue } = wantedOn(daemonSet, asNode(node))
    const here = counted(all, context.endedPods)
    if (shouldRun && here.length === 0) createPod(daemonSet, key, state, name)
    else if (mayContinue) prune(daemonSet, key, here, name)
    else for (const pod of here) if (pod.metadata.deletionTimestamp === undefined) deletePod(daemonSet, pod)
    // The status counts the oldest pod of the node, whatever became of it.
    const nowHere = [...(state.byNode.get(name) ?? [])].sort(byAge)
    state.setShare(name, shareOf(daemonSet, state.hash, shouldRun, counted(nowHere, context.endedPods), key))
    noteOutdated(state, name)
  }

  const noteOutdated = (state: DaemonSetState, name: string) => {
    const isOutdated = (state.byNode.get(name) ?? []).some(pod => pod.metadata.labels?.[hashLabel] !== state.hash)
    if (isOutdated) state.outdated.add(name)
    else state.outdated.delete(name)
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
  const createPod = (daemonSet: DaemonSetObject, key: string, state: DaemonSetState, node: string) => {
    const { name: owner, namespace = '' } = daemonSet.metadata
    const isTaken = (name: string) => api.get(pods, `${namespace}/${name}`) !== undefined
    const name = podName(owner, `${uidOf(daemonSet)} ${node} ${clock.nowMs()}`, isTaken)
    const pod = podFor(daemonSet, node, state.hash, name)
    writes++
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
    writes++
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
    if (!shouldRun) return pod === undefined ? noShare : { ...noShare, misscheduled: 1 }
    if (pod === undefined) return { ...noShare, desired: 1 }
    const availableMs = availableAtMs(pod, daemonSet.spec.minReadySeconds ?? 0)
    const isAvailable = availableMs !== undefined && (availableMs <= clock.nowMs() || (daemonSet.spec.minReadySeconds ?? 0) === 0)
    if (availableMs !== undefined && !isAvailable) {
      const node = targetNodeOf(pod)
      if (node !== undefined) stateOf(uidOf(daemonSet)).dirty.add(node)
      queue.addAfter(key, availableMs - clock.nowMs())
    }
    const isUpdated = pod.metadata.labels?.[hashLabel] === hash
    return shareOfPod(isReady(pod), isAvailable, isUpdated)
  }

  const rollOut = (daemonSet: DaemonSetObject, state: DaemonSetState) => {
    if (state.outdated.size === 0) return
    const nodesInOrder = [...state.byNode].sort(([a], [b]) => (a < b ? -1 : 1))
    const onNodes = nodesInOrder.map(([, there]) => counted(there, context.endedPods))
    for (const pod of replaceable(daemonSet, onNodes, state.hash, state.sum.desired)) deletePod(daemonSet, pod)
  }

  const writeStatus = (daemonSet: DaemonSetObject, key: string, state: DaemonSetState) => {
    const status = statusOf(state.sum, daemonSet.metadata.generation)
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
      const before = old === undefined || type !== 'MODIFIED' ? undefined : asNode(old)
      const after = asNode(object)
      if (before !== undefined && before.metadata.labels === after.metadata.labels && before.spec?.taints === after.spec?.taints)
        return
      for (const [uid, key] of keys) {
        const daemonSet = api.get(daemonSets, key) as DaemonSetObject | undefined
        // Most labels concern nobody (kubernetes, daemon_controller.go, updateNode).
        if (before !== undefined && daemonSet !== undefined && isWantedAlike(daemonSet, before, after)) continue
        stateOf(uid).dirty.add(after.metadata.name)
        queue.add(key)
      }
    },
  }
}

const withOwners = (object: KubeObject, ownerReferences: readonly OwnerReference[]): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences },
})
