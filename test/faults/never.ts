// What must never happen, watched while a world runs. A violation is a sentence; a test fails on the first.
import type { Module } from '../../src/api/module.ts'
import { type DaemonSet, isNodeReady, isPodReady, kernelOf, type Node, type Pod } from '../../src/core/cluster.ts'
import { kernelLabelValue } from '../../src/core/kernel/version.ts'
import { labels, readyLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf, ownerUidOf } from '../../src/core/operands.ts'
import { daemonSets, modules, nodes, pods } from '../../src/core/resources.ts'
import { matchesLabels } from '../../src/core/selectors.ts'
import type { LoadedModule, ModelKernel } from '../../src/model/cluster/kernel.ts'
import type { ModelCluster } from '../../src/model/cluster.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { startReplay } from './history.ts'
import { oneVersionOnANode, pluginComesLast, pluginGoesFirst } from './plugin-order.ts'
import { replacementBudget } from './replacement-budget.ts'

export type Never = {
  readonly violations: readonly string[]
  /** The operator is about to send this write. */
  asked(request: KubeRequest): void
  /** The operator logged an error. */
  logged(message: string, fields: object): void
  /** Looks at the kernels: what was unloaded since the last look must have been allowed. */
  look(): void
  /** From now on the driver may be unloaded from the nodes (all if absent), until `settled`. */
  allowUnload(module: string, node?: string): void
  settled(): void
}

/** Three times the longest lag of a view in a test, plus a second: a key that wrote waits until it has seen its writes. */
const patienceMs = 10_000

const deletePath = /^\/apis\/apps\/v1\/namespaces\/([^/]+)\/daemonsets\/([^/]+)$/

export function watchForNever(cluster: ModelCluster): Never {
  const { api } = cluster
  const violations: string[] = []
  const allowed = new Set<string>()
  const loaded = new Map<string, { readonly bootId: string; readonly modules: ReadonlySet<string> }>()
  const at = () => `at ${Math.round(cluster.clock.monotonicMs() / 100) / 10} s`
  const never = (sentence: string) => violations.push(`${at()}: ${sentence}`)

  const replay = startReplay([pluginGoesFirst, pluginComesLast, oneVersionOnANode, replacementBudget()])
  api.subscribe(({ resource, type, old, object }) => {
    for (const sentence of replay.see({ type, kind: resource.kind, object })) never(sentence)
    if (resource.kind === 'Node' && type === 'ADDED' && !cluster.nodeNames().includes(object.metadata.name))
      never(`ghost Node ${object.metadata.name}`)
    if (resource.kind === 'Node' && type === 'MODIFIED') readyWasTrue(old as Node, object)
    if (resource.kind === 'Pod' && type !== 'DELETED') oneLoaderOnANode(object)
  })

  /** A ready label appears only where the driver of the serving pod's image is in the kernel. */
  function readyWasTrue(old: Node, node: Node): void {
    // A machine that was just taken away, whose Node object is on its way out.
    if (!cluster.nodeNames().includes(node.metadata.name)) return
    for (const module of api.list(modules)) {
      const label = readyLabel(module.metadata.namespace ?? '', module.metadata.name)
      if (node.metadata.labels?.[label] === undefined || old.metadata.labels?.[label] !== undefined) continue
      const pod = loadersOn(node.metadata.name, keyOf(module)).find(candidate => isPodReady(candidate) && !isDeleting(candidate))
      const image = pod?.spec?.containers?.[0]?.image
      const inKernel = driverIn(cluster.node(node.metadata.name).kernel, module as Module, image)
      if (inKernel === undefined)
        never(`node ${node.metadata.name} was reported ready without ${driverOf(module as Module)} in its kernel`)
      else if (image !== undefined && inKernel.image !== image)
        never(`node ${node.metadata.name} was reported ready for ${image} with the driver of ${inKernel.image} in its kernel`)
    }
  }

  function oneLoaderOnANode(pod: Pod): void {
    const nodeName = pod.spec?.nodeName
    const module = moduleKeyOf(pod)
    if (nodeName === undefined || module === undefined || operandOf(pod) !== 'loader') return
    const running = loadersOn(nodeName, module).filter(
      other => other.status?.containerStatuses?.[0]?.state?.running !== undefined,
    )
    const silent = !isNodeReady(api.get(nodes, nodeName) ?? ({} as Node))
    if (running.length > 1 && !silent) never(`two loaders of ${module} run on ${nodeName}: ${running.map(keyOf).join(', ')}`)
  }

  /** Since when (ms) a node is wrongly reported ready, by node and Module. */
  const wrongSince = new Map<string, number>()

  /** A ready label stays only as long as the driver does, but for the moment that its kubelet and the operator need to tell. */
  function readyStaysTrue(): void {
    for (const module of api.list(modules) as readonly Module[]) {
      const label = readyLabel(module.metadata.namespace ?? '', module.metadata.name)
      for (const node of api.list(nodes) as readonly Node[]) {
        const nodeName = node.metadata.name
        const key = `${nodeName} ${keyOf(module)}`
        const isWrong =
          node.metadata.labels?.[label] !== undefined &&
          isNodeReady(node) &&
          cluster.nodeNames().includes(nodeName) &&
          !isTrue(module, nodeName)
        if (!isWrong) wrongSince.delete(key)
        else if (!wrongSince.has(key)) wrongSince.set(key, cluster.clock.monotonicMs())
        else if (cluster.clock.monotonicMs() - (wrongSince.get(key) ?? 0) > patienceMs) {
          never(
            `node ${nodeName} is reported ready for ${keyOf(module)}, and has been without its driver for ${patienceMs / 1000} s`,
          )
          wrongSince.delete(key)
        }
      }
    }
  }

  function isTrue(module: Module, nodeName: string): boolean {
    const pod = loadersOn(nodeName, keyOf(module)).find(candidate => isPodReady(candidate) && !isDeleting(candidate))
    const image = pod?.spec?.containers?.[0]?.image
    const inKernel = driverIn(cluster.node(nodeName).kernel, module, image)
    return inKernel !== undefined && (image === undefined || inKernel.image === image)
  }

  const loadersOn = (nodeName: string, module: string): readonly Pod[] =>
    (api.list(pods) as readonly Pod[]).filter(
      pod => pod.spec?.nodeName === nodeName && moduleKeyOf(pod) === module && operandOf(pod) === 'loader',
    )

  return {
    violations,
    asked({ method, path, body }) {
      const match = deletePath.exec(path)
      if (method === 'DELETE' && match !== null) {
        const daemonSet: DaemonSet | undefined = api.get(daemonSets, `${match[1]}/${match[2]}`)
        const module = (api.list(modules) as readonly Module[]).find(
          ({ metadata }) => metadata.uid === (daemonSet && ownerUidOf(daemonSet)),
        )
        // The server refuses what rests on an older view.
        const { preconditions } = (body ?? {}) as { readonly preconditions?: { readonly resourceVersion?: string } }
        if (preconditions?.resourceVersion !== daemonSet?.metadata.resourceVersion) return
        const kernel = daemonSet?.metadata.labels?.[labels.kernel]
        const servesNobody =
          daemonSet?.status?.observedGeneration === daemonSet?.metadata.generation &&
          daemonSet?.status?.desiredNumberScheduled === 0
        if (kernel === undefined || module === undefined || servesNobody) return
        const runs = (api.list(nodes) as readonly Node[]).filter(
          node => matchesLabels(module.spec.selector, node.metadata.labels) && kernelLabelValue(kernelOf(node)) === kernel,
        )
        if (runs.length > 0)
          never(`the loader DaemonSet ${match[2]} was removed while ${runs.length} selected nodes run its kernel`)
      }
      const text = JSON.stringify(body ?? '')
      if (/"password"|BEGIN [A-Z ]*PRIVATE KEY/.test(text)) never(`a secret in ${method} ${path}`)
    },
    logged(message, fields) {
      if (/TypeError|is not a function|undefined/.test(message))
        never(`the operator stumbled: ${message} ${JSON.stringify(fields)}`)
    },
    look() {
      readyStaysTrue()
      for (const name of cluster.nodeNames()) {
        const { kernel } = cluster.node(name)
        const now = new Set(kernel.loaded.keys())
        const before = loaded.get(name)
        if (before !== undefined && before.bootId === kernel.bootId) {
          for (const module of before.modules) {
            if (!now.has(module) && !allowed.has(module) && !allowed.has(`${module} ${name}`))
              never(`${module} was unloaded from ${name} though nobody asked for it`)
          }
        }
        loaded.set(name, { bootId: kernel.bootId, modules: now })
      }
    },
    allowUnload: (module, node) => void allowed.add(node === undefined ? module : `${module} ${node}`),
    settled: () => allowed.clear(),
  }
}

export const driverOf = (module: Module): string =>
  (module.spec.moduleLoader.container.modprobe.moduleName ?? '').replaceAll('-', '_')

/** The Module's driver; under another name where the image that serves is from before a rename. */
export function driverIn({ loaded }: ModelKernel, module: Module, image: string | undefined): LoadedModule | undefined {
  const named = loaded.get(driverOf(module))
  if (image === undefined || named?.image === image) return named
  return [...loaded.values()].find(found => found.image === image) ?? named
}
