// A kubelet: watches the pods of its node, has a worker for each, and says how the node is.

import { keyOf } from '../../../core/object.ts'
import { nodes, pods } from '../../../core/resources.ts'
import type { Clock } from '../../../shell/clock.ts'
import type { ModelApi } from '../../api-server.ts'
import { attempt, createEventRecorder } from '../events.ts'
import { asNode, asPod, isTerminal, type PodObject, uidOf } from '../pod-spec.ts'
import type { ModelRegistry } from '../registry.ts'
import { Gate } from '../routine.ts'
import { fitsNodeSelection } from '../scheduling.ts'
import { createBackOff } from './back-off.ts'
import type { ImageStore, PullContext } from './image-pull.ts'
import type { KubeletCore, KubeletSpeeds, Machine, StartedContainers } from './kubelet-core.ts'
import { newNode, withNodeStatus } from './node-object.ts'
import { createPodWorker, type PodWorker } from './pod-worker.ts'

export type Kubelet = {
  /** A pod of this node has changed in the API, or is gone from it. */
  /** The containers of this pod die (uid). */
  killContainers(uid: string): void
  podChanged(pod: PodObject, how: 'changed' | 'gone'): void
  /** Creates the Node object, or says again how the node is. */
  register(): void
  setReady(ready: boolean): void
  /** The network to the API server. */
  disconnect(): void
  connect(): void
  restart(): void
  powerOff(): void
  /** Reports with the machine's new kernel. */
  boot(): void
  /** Everything here is gone for good. */
  end(): void
}

type KubeletOptions = {
  readonly api: ModelApi
  readonly clock: Clock
  readonly machine: Machine
  readonly registry: ModelRegistry
  readonly speeds: KubeletSpeeds
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly startedContainers: StartedContainers
}

/** The kubelet looks at what the API holds at least this often (status manager, syncPeriod). */
const reconcileMs = 10_000

export function createKubelet(options: KubeletOptions): Kubelet {
  const { api, clock, machine, speeds } = options
  const workers = new Map<string, PodWorker>()
  const imageBackOff = createBackOff()
  const crashes = createBackOff()
  const images: ImageStore = new Map()
  const lastFailure: PullContext['lastFailure'] = new Map()
  let isReachable = true
  /** Whether the kubelet's process runs. */
  let isUp = true
  let isReady = true
  let startedAtMs = clock.nowMs()
  /** Keeps a kubelet that is being restarted from coming up on a machine without power. */
  let cancelRestart = () => {}
  let connection = new Gate()
  const record = createEventRecorder(api, clock, 'kubelet', machine.name)
  const isConnected = () => isReachable && isUp

  const core: KubeletCore = {
    api,
    clock,
    machine,
    speeds,
    crashes,
    pulls: {
      api,
      registry: options.registry,
      node: machine.name,
      store: images,
      backOff: imageBackOff,
      lastFailure,
      pullMs: speeds.pullMs,
      nowMs: () => clock.nowMs(),
    },
    event: words => {
      if (isConnected()) record(words)
    },
    startedContainers: options.startedContainers,
    startedAtMs: () => startedAtMs,
    isConnected,
    connection: () => connection,
  }

  const sendNode = () => {
    if (!isConnected()) return
    const change = (node: object) => withNodeStatus(asNode(node as never), machine, isReady, clock.nowMs())
    const known = attempt(() => api.updateStatus(nodes, machine.name, change, 'kubelet'))
    if (known === undefined && api.get(nodes, machine.name) === undefined) {
      attempt(() => api.create(nodes, newNode(machine, options.labels, options.taints), 'kubelet'))
      attempt(() => api.updateStatus(nodes, machine.name, change, 'kubelet'))
    }
  }

  const see = (pod: PodObject) => {
    const known = workers.get(uidOf(pod))
    if (known !== undefined) return known.update(pod)
    // What has ended elsewhere, or before this kubelet knew of it, is nothing to run.
    if (isTerminal(pod) && pod.metadata.deletionTimestamp === undefined) return
    if (!isAdmitted(pod)) return
    workers.set(
      uidOf(pod),
      createPodWorker(core, pod, uid => workers.delete(uid)),
    )
  }

  /** The kubelet checks labels itself: they may have changed since the pod was bound. */
  const isAdmitted = (pod: PodObject): boolean => {
    const node = api.get(nodes, machine.name)
    if (node === undefined || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return true
    if ((pod.status as { containerStatuses?: unknown } | undefined)?.containerStatuses !== undefined) return true
    if (fitsNodeSelection(pod.spec ?? {}, asNode(node))) return true
    const message = "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    attempt(() =>
      api.updateStatus(
        pods,
        keyOf(pod),
        object =>
          ({ ...object, status: { ...asPod(object).status, phase: 'Failed', reason: 'NodeAffinity', message } }) as PodObject,
        'kubelet',
      ),
    )
    core.event({ about: pod, type: 'Warning', reason: 'NodeAffinity', message: message.replace('Pod was rejected: ', '') })
    return false
  }

  const isDifferent = (pod: PodObject): boolean => {
    const worker = workers.get(uidOf(pod))
    return worker !== undefined && worker.differs(pod)
  }

  /** Lists the node's pods, as after every reconnection. */
  const resync = () => {
    const seen = new Set<string>()
    for (const object of podsOfNode()) {
      const pod = asPod(object)
      seen.add(uidOf(pod))
      see(pod)
    }
    for (const [uid, worker] of Array.from(workers)) {
      if (!seen.has(uid)) worker.vanish()
      else worker.report()
    }
  }
  const podsOfNode = () => [...api.by(pods, 'spec.nodeName', machine.name)].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))

  const restartWorkers = () => {
    const now = new Map(isReachable ? podsOfNode().map(object => [uidOf(object), asPod(object)] as const) : [])
    for (const [uid, worker] of Array.from(workers)) worker.restart(now.get(uid) ?? (isReachable ? 'gone' : 'unknown'))
  }

  const comeBack = () => {
    if (!isConnected()) return
    sendNode()
    const gate = connection
    connection = new Gate()
    gate.open()
    resync()
  }

  return {
    podChanged(pod, how) {
      if (!isConnected()) return
      if (how === 'gone') return workers.get(uidOf(pod))?.vanish()
      see(pod)
      if (isDifferent(pod)) clock.after(reconcileMs, () => workers.get(uidOf(pod))?.report())
    },
    killContainers: uid => workers.get(uid)?.killContainers(),
    register: comeBack,
    setReady(ready) {
      isReady = ready
      sendNode()
    },
    disconnect() {
      isReachable = false
    },
    connect() {
      isReachable = true
      comeBack()
    },
    restart() {
      if (!isUp) return
      isUp = false
      crashes.clear()
      imageBackOff.clear()
      lastFailure.clear()
      for (const worker of workers.values()) worker.stop()
      cancelRestart = clock.after(speeds.kubeletMs, () => {
        isUp = true
        startedAtMs = clock.nowMs()
        restartWorkers()
        comeBack()
      })
    },
    powerOff() {
      isUp = false
      cancelRestart()
      for (const worker of workers.values()) worker.powerOff()
    },
    boot() {
      isUp = true
      startedAtMs = clock.nowMs()
      crashes.clear()
      imageBackOff.clear()
      lastFailure.clear()
      if (isReachable) sendNode()
      restartWorkers()
      comeBack()
    },
    end() {
      isUp = false
      cancelRestart()
      for (const worker of workers.values()) worker.powerOff()
      workers.clear()
    },
  }
}
