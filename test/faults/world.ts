// One simulated cluster with our operator on it, watched for everything that must never happen (architecture.md 4).
import { setImmediate } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import { imagesFor, trustedKey } from '../../src/cli/simulate/images.ts'
import { controllers, watches } from '../../src/controllers/index.ts'
import { fieldManager } from '../../src/core/names.ts'
import { type KubeObject, keyOf } from '../../src/core/object.ts'
import { crds, modules as moduleKind, namespaces } from '../../src/core/resources.ts'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import type { Fault } from '../../src/model/api-server.ts'
import { type ClusterOptions, createCluster, type ModelCluster } from '../../src/model/cluster.ts'
import type { KubeRequest, Transport } from '../../src/shell/kube/transport.ts'
import { createOperator, type Operator } from '../../src/shell/loop/operator.ts'
import { type Never, watchForNever } from './never.ts'

export const namespace = 'drivers'

export type World = {
  readonly cluster: ModelCluster
  readonly never: Never
  /** Writes of the operator that changed something, Events aside. */
  writes(): number
  /** A crash: nothing of the old process goes on. Another one starts at once. */
  restartOperator(): Promise<void>
  applyModule(module: Module): void
  deleteModule(name: string): void
  label(node: string, labels: Readonly<Record<string, string | undefined>>): void
  /** Turns the clock by so much, event by event. */
  run(ms: number): Promise<void>
  end(): Promise<void>
}

export type WorldOptions = {
  /** Asked for each of the operator's writes, counted from 1. */
  readonly fault?: (write: number, request: KubeRequest) => Fault
  /** Wraps what the operator talks through. */
  readonly transport?: (transport: Transport, cluster: ModelCluster) => Transport
  readonly chance?: () => number
  readonly cluster?: ClusterOptions
}

const isEvent = (request: KubeRequest): boolean => /\/events(\/|$)/.test(request.path)

export function startWorld(options: WorldOptions = {}): World {
  let count = 0
  let changing = 0
  const cluster = createCluster(options.cluster)
  const { api, clock } = cluster
  for (const crd of customResourceDefinitions()) api.create(crds, crd)
  for (const name of [namespace, 'openshift-kmm'])
    api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const never = watchForNever(cluster)

  const counted: Transport = async (request, stop) => {
    if (request.method === 'GET' || isEvent(request)) return api.transport(request, stop)
    count++
    const fault = options.fault?.(count, request) ?? 'pass'
    if (fault === 'fail-before') throw new Error('the operator crashed before this write')
    never.asked(request)
    const before = api.writes
    const response = await api.transport(request, stop)
    if (api.writes !== before) changing++
    if (fault === 'fail-after') throw new Error('the operator crashed after this write')
    return response
  }
  const transport = options.transport?.(counted, cluster) ?? counted

  const launch = (): Operator => {
    const operator = createOperator({
      controllers,
      watches,
      transport,
      clock,
      chance: options.chance ?? (() => 0.5),
      log: (level, message, fields) => {
        if (level === 'error') never.logged(message, fields)
      },
      images: { ask: question => Promise.resolve({ exists: cluster.registry.get(question.image) !== undefined }) },
      settings: { operatorNamespace: 'openshift-kmm', managed: false },
      fieldManager,
    })
    operator.start()
    return operator
  }
  let operator = launch()

  async function run(ms: number): Promise<void> {
    const endMs = clock.nowMs() + ms
    for (;;) {
      // Promises of the operator wait for each other and for the clock only.
      await setImmediate()
      never.look()
      const nextMs = clock.nextInMs()
      if (nextMs === undefined || clock.nowMs() + nextMs > endMs) break
      // What is due within a tenth of a second happens together.
      clock.advance(Math.min(nextMs + 100, endMs - clock.nowMs()))
    }
    clock.advance(Math.max(0, endMs - clock.nowMs()))
    await setImmediate()
    never.look()
  }

  function push(module: Module): void {
    const kernels = new Set(cluster.nodeNames().map(name => cluster.node(name).kernel.release))
    for (const kernel of ['6.1.0-1-amd64', '6.1.0-2-amd64', '6.6.0+debian']) kernels.add(kernel)
    for (const { image, content } of imagesFor([module], [...kernels]))
      if (cluster.registry.get(image) === undefined) cluster.registry.push(image, content)
  }

  return {
    cluster,
    never,
    writes: () => changing,
    async restartOperator() {
      await operator.stop()
      operator = launch()
    },
    applyModule(module) {
      push(module)
      const change = (found: KubeObject) =>
        ({
          ...found,
          metadata: { ...found.metadata, annotations: module.metadata.annotations ?? {} },
          spec: module.spec,
        }) as KubeObject
      if (api.update(moduleKind, keyOf(module), change) === undefined) api.create(moduleKind, module)
    },
    deleteModule: name => api.remove(moduleKind, `${namespace}/${name}`),
    label(node, labels) {
      api.update({ apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false }, node, found => {
        const next = { ...found.metadata.labels }
        for (const [key, value] of Object.entries(labels)) {
          if (value === undefined) delete next[key]
          else next[key] = value
        }
        return { ...found, metadata: { ...found.metadata, labels: next } }
      })
    },
    run,
    end: () => operator.stop(),
  }
}

export function addNode(world: World, name: string, kernel = '6.1.0-1-amd64'): void {
  world.cluster.addNode({ name, kernel, labels: { worker: '' }, enforceSignatures: true, trustedKeys: [trustedKey] })
}

/** A Module whose driver version is the tag of its image. */
export function driver(
  name: string,
  tag: string,
  more: { readonly spec?: object; readonly container?: object; readonly annotations?: Record<string, string> } = {},
): Module {
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name, namespace, ...(more.annotations === undefined ? {} : { annotations: more.annotations }) },
    spec: {
      selector: { worker: '' },
      moduleLoader: {
        container: {
          modprobe: { moduleName: `${name}_mod` },
          kernelMappings: [{ regexp: '^.+$', containerImage: `registry.example.com/${name}:${tag}-\${KERNEL_FULL_VERSION}` }],
          ...more.container,
        },
      },
      ...more.spec,
    },
  }
}
