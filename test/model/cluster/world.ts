// A cluster with nodes and one loader DaemonSet in the style of kubelet-facts.md, with short words for what tests look at.
import type { ContainerState, ContainerStatus, DaemonSet, KubeEvent, Pod } from '../../../src/core/cluster.ts'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import { daemonSets, events, nodes, pods } from '../../../src/core/resources.ts'
import type { KernelObject } from '../../../src/model/cluster/files.ts'
import { driverImage } from '../../../src/model/cluster/images.ts'
import { type ClusterOptions, createCluster, type ModelCluster, type NodeOptions } from '../../../src/model/cluster.ts'

export const kernel = '6.1.0-50-cloud-amd64'
export const image = 'registry.example/drivers/one:1'

export type LoaderOptions = {
  readonly name?: string
  readonly image?: string
  readonly command?: readonly string[]
  /** Scripts of the hooks, run by `/bin/sh -c`. `null`: no such hook. */
  readonly postStart?: string | null
  readonly preStop?: string | null
  readonly graceSeconds?: number
  readonly finalizers?: readonly string[]
  readonly strategy?: object
  readonly pod?: object
  readonly container?: object
  readonly labels?: Readonly<Record<string, string>>
}

export const trapCommand = ['/bin/sh', '-c', "trap 'exit 0' TERM; sleep infinity & wait"]

const exec = (script: string) => ({ exec: { command: ['/bin/sh', '-c', script] } })

export function loader(options: LoaderOptions = {}): KubeObject {
  const { name = 'loader', postStart = 'modprobe -v -d /opt kmm_ci_a', preStop = 'modprobe -r -d /opt kmm_ci_a' } = options
  const lifecycle = {
    ...(postStart === null ? {} : { postStart: exec(postStart) }),
    ...(preStop === null ? {} : { preStop: exec(preStop) }),
  }
  const container = {
    name: 'module-loader',
    image: options.image ?? image,
    command: options.command ?? ['sleep', 'infinity'],
    ...(Object.keys(lifecycle).length === 0 ? {} : { lifecycle }),
    securityContext: { capabilities: { add: ['SYS_MODULE'] } },
    volumeMounts: [{ name: 'modules', mountPath: `/lib/modules/${kernel}`, readOnly: true }],
    ...options.container,
  }
  const spec = {
    containers: [container],
    volumes: [{ name: 'modules', hostPath: { path: `/lib/modules/${kernel}`, type: 'Directory' } }],
    terminationGracePeriodSeconds: options.graceSeconds ?? 30,
    ...options.pod,
  }
  const labels = options.labels ?? { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: options.strategy ?? { type: 'OnDelete' },
      template: { metadata: { labels, finalizers: options.finalizers ?? [] }, spec },
    },
  } as KubeObject
}

export type Module = Omit<KernelObject, 'kind' | 'kernel'>

export const moduleB: Module = { name: 'kmm_ci_b', version: '1.0' }
export const moduleA: Module = { name: 'kmm_ci_a', version: '1.0', depends: ['kmm_ci_b'] }

export type World = ModelCluster & {
  pods(): readonly Pod[]
  /** The only pod, or the one with this name. */
  pod(name?: string): Pod
  container(name?: string): ContainerStatus
  state(name?: string): ContainerState
  events(reason?: string): readonly KubeEvent[]
  daemonSet(name?: string): DaemonSet
  deletePod(options?: { readonly gracePeriodSeconds?: number }): void
  /** Turns the clock in steps of `stepMs` until it holds; throws after an hour. The time that passed. */
  until(holds: () => boolean, stepMs?: number): number
  loadedOn(node: string): readonly string[]
}

export type WorldOptions = ClusterOptions & {
  readonly nodes?: readonly (Partial<NodeOptions> & { readonly name: string })[]
  readonly modules?: readonly Module[]
  readonly loader?: LoaderOptions | 'none'
}

export function createWorld(options: WorldOptions = {}): World {
  const {
    nodes: nodeOptions = [{ name: 'one' }],
    modules = [moduleA, moduleB],
    loader: loaderOptions = {},
    ...clusterOptions
  } = options
  const cluster = createCluster(clusterOptions)
  const { api, clock } = cluster
  for (const node of nodeOptions) cluster.addNode({ kernel, ...node })
  cluster.registry.push(image, driverImage({ kernel, modules }))
  if (loaderOptions !== 'none') api.create(daemonSets, loader(loaderOptions))
  const sorted = () => [...api.list(pods)].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) as readonly Pod[]
  const pod = (name?: string): Pod => {
    const found = sorted().filter(candidate => name === undefined || candidate.metadata.name === name)
    if (found.length !== 1 || found[0] === undefined) throw new Error(`there are ${found.length} pods`)
    return found[0]
  }
  const container = (name?: string): ContainerStatus =>
    (name === undefined && sorted().length === 0 ? undefined : pod(name).status?.containerStatuses?.[0]) ?? { name: 'none' }
  return {
    ...cluster,
    pods: sorted,
    pod,
    container,
    state: name => container(name).state ?? {},
    events: reason => (api.list(events) as readonly KubeEvent[]).filter(event => reason === undefined || event.reason === reason),
    daemonSet: (name = 'loader') => api.get(daemonSets, `default/${name}`) as DaemonSet,
    deletePod: (removal = {}) => api.remove(pods, keyOf(pod()), removal),
    until(holds, stepMs = 100) {
      const startMs = clock.nowMs()
      while (!holds()) {
        if (clock.nowMs() - startMs > 3_600_000) throw new Error('it does not happen within an hour')
        clock.advance(stepMs)
      }
      return clock.nowMs() - startMs
    },
    loadedOn: name => [...cluster.node(name).kernel.loaded.keys()].sort(),
  }
}

export const isReady = (world: World): boolean =>
  world.pods().length > 0 && world.pods().every(pod => conditionOf(pod, 'Ready') === 'True')

export const conditionOf = (
  object: { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } },
  type: string,
): string | undefined => object.status?.conditions?.find(condition => condition.type === type)?.status

export const nodeOf = (world: World, name: string) => {
  const found = world.api.get(nodes, name)
  if (found === undefined) throw new Error(`no node ${name}`)
  return found as KubeObject & {
    readonly spec?: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] }
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[]
      readonly nodeInfo?: { readonly bootID?: string; readonly kernelVersion?: string }
    }
  }
}
