// A small cluster in memory, on a clock turned by hand: API server, controllers, scheduler, kubelets, kernels, a registry. It knows
// nothing of what runs on it. Everything happens in timers of the clock: turn it, and things happen, always the same ones.
import { type KubeObject, keyOf } from '../core/object.ts'
import { nodes, pods } from '../core/resources.ts'
import { type ApiServerOptions, builtInResources, createApiServer, type ModelApi } from './api-server.ts'
import { createDaemonSetController } from './cluster/daemon-set-controller.ts'
import type { EndedPods } from './cluster/daemon-set-pods.ts'
import { createEventRecorder, onlyWarnings, type WrittenEvents } from './cluster/events.ts'
import { createGarbageCollector } from './cluster/garbage-collector.ts'
import { createJobController } from './cluster/job-controller.ts'
import { createHollowKubelets, type HollowNodes } from './cluster/kubelet/hollow-kubelets.ts'
import type { Kubelet } from './cluster/kubelet/kubelet.ts'
import type { KubeletSpeeds, StartedContainers } from './cluster/kubelet/kubelet-core.ts'
import { type HollowNode, hollowNode } from './cluster/kubelet/node-object.ts'
import { createNode, type ModelNode, type NodeOptions } from './cluster/node.ts'
import { createNodeLifecycle } from './cluster/node-lifecycle.ts'
import { createOwnedPods } from './cluster/owned-pods.ts'
import { createPodGarbageCollector } from './cluster/pod-garbage.ts'
import { asPod, uidOf } from './cluster/pod-spec.ts'
import { standardPrograms } from './cluster/programs/table.ts'
import { createQuotaController } from './cluster/quota-controller.ts'
import { createRegistry, type ModelRegistry } from './cluster/registry.ts'
import { createScheduler } from './cluster/scheduler.ts'
import type { Program } from './cluster/surroundings.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

export type { ModelNode, NodeOptions } from './cluster/node.ts'

export type ModelCluster = {
  readonly api: ModelApi
  readonly clock: VirtualClock
  readonly registry: ModelRegistry
  /** A machine whose kubelet registers it at once. Throws when there is one of that name. */
  addNode(options: NodeOptions): ModelNode
  /** Throws when there is none. */
  node(name: string): ModelNode
  /** A Node without a machine below it. Throws without `hollowNodes`, or when there is one of that name. */
  addHollowNode(options: HollowNode): void
  /** Of the machines; hollow nodes have none. */
  nodeNames(): readonly string[]
}

export type ClusterOptions = {
  /** RFC 3339; default 2026-01-01T00:00:00Z. */
  readonly start?: string
  /** How long things take, milliseconds. */
  readonly speeds?: Partial<KubeletSpeeds>
  /** Silence of a kubelet until its node is given up. Default 40,000. */
  readonly nodeMonitorGraceMs?: number
  /** Default `free the node`, as Kubernetes 1.36 does. */
  readonly endedPods?: EndedPods
  /** Default `left as they are`, as Kubernetes 1.36 does. */
  readonly startedContainers?: StartedContainers
  /** Programs that images may hold beside the standard ones, by name. */
  readonly programs?: ReadonlyMap<string, Program>
  /** Given: every Node that is not one of `addNode` is hollow, also those that clients create. Nothing runs there; pods are said to run. */
  readonly hollowNodes?: HollowNodes
  /** What the controllers tell. Default `all`. */
  readonly events?: WrittenEvents
  readonly api?: Omit<ApiServerOptions, 'clock' | 'resources'>
}

const standardSpeeds: KubeletSpeeds = {
  latencyMs: 20,
  pullMs: 2000,
  startMs: 800,
  execMs: 100,
  moduleMs: 200,
  relistMs: 1000,
  cleanUpMs: 500,
  kubeletMs: 3000,
  bootMs: 45_000,
}

export function createCluster(options: ClusterOptions = {}): ModelCluster {
  const clock = createVirtualClock(Date.parse(options.start ?? '2026-01-01T00:00:00Z'))
  const api = createApiServer({ ...options.api, clock, resources: builtInResources })
  const registry = createRegistry()
  const speeds = { ...standardSpeeds, ...options.speeds }
  const { latencyMs } = speeds
  const machines = new Map<string, { readonly node: ModelNode; readonly kubelet: Kubelet }>()
  const registered = new Set<string>()
  const owned = createOwnedPods()
  const recorder = (component: string) => {
    const record = createEventRecorder(api, clock, component)
    return options.events === 'warnings' ? onlyWarnings(record) : record
  }
  const shared = { api, clock, owned, latencyMs, recorder, nodeNames: () => registered }
  const lifecycle = createNodeLifecycle({ ...shared, graceMs: options.nodeMonitorGraceMs ?? 40_000 })
  const controllers = [
    createDaemonSetController({ ...shared, endedPods: options.endedPods ?? 'free the node' }),
    createJobController(shared),
    createScheduler(shared),
    lifecycle,
    createGarbageCollector(shared),
    createPodGarbageCollector(shared),
    createQuotaController(shared),
    ...(options.hollowNodes === undefined
      ? []
      : [createHollowKubelets({ ...shared, options: options.hollowNodes, isHollow: name => !machines.has(name) })]),
  ]

  /** Tells a pod's kubelet a moment later what the API holds then. */
  const announced = new Set<string>()
  const announce = (pod: KubeObject) => {
    const uid = uidOf(pod)
    if (announced.has(uid)) return
    announced.add(uid)
    clock.after(latencyMs, () => {
      announced.delete(uid)
      const now = api.get(pods, keyOf(pod))
      if (now !== undefined && uidOf(now) === uid)
        machines.get(asPod(now).spec?.nodeName ?? '')?.kubelet.podChanged(asPod(now), 'changed')
    })
  }

  api.subscribe(change => {
    const { resource, type, object } = change
    if (resource.kind === 'Node') {
      if (type === 'DELETED') registered.delete(object.metadata.name)
      else registered.add(object.metadata.name)
    }
    if (resource.kind === 'Pod') {
      owned.note(object, type === 'DELETED' ? 'gone' : 'there')
      const machine = machines.get(asPod(object).spec?.nodeName ?? '')
      if (machine !== undefined && type !== 'DELETED') announce(object)
      else if (machine !== undefined) clock.after(latencyMs, () => machine.kubelet.podChanged(asPod(object), 'gone'))
    }
    for (const controller of controllers) controller.changed(change)
  })

  const node = (name: string): ModelNode => {
    const found = machines.get(name)
    if (found === undefined) throw new Error(`There is no node ${name}; there are ${[...machines.keys()].join(', ') || 'none'}`)
    return found.node
  }
  let incarnations = 0
  return {
    api,
    clock,
    registry,
    addNode(nodeOptions) {
      if (machines.has(nodeOptions.name)) throw new Error(`There is already a node ${nodeOptions.name}; remove it first`)
      const machine = createNode(
        {
          api,
          clock,
          registry,
          lifecycle,
          speeds,
          startedContainers: options.startedContainers ?? 'left as they are',
          programs: options.programs === undefined ? standardPrograms : new Map([...standardPrograms, ...options.programs]),
          removed: name => void machines.delete(name),
        },
        nodeOptions,
        incarnations++,
      )
      machines.set(nodeOptions.name, machine)
      if (nodeOptions.ready === false) machine.kubelet.setReady(false)
      else machine.kubelet.register()
      return machine.node
    },
    addHollowNode(hollow) {
      if (options.hollowNodes === undefined) throw new Error('This cluster has no hollow nodes: give it hollowNodes')
      api.create(nodes, hollowNode(hollow, clock.nowMs()), 'kubelet')
    },
    node,
    nodeNames: () => [...machines.keys()],
  }
}
