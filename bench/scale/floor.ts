// The floor beside the operator, on the same nodes in the same run: plain DaemonSets of the same pods, and a bare client that writes
// the same labels.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DaemonSet } from '../../src/core/cluster.ts'
import { daemonSets } from '../../src/core/resources.ts'
import { startGuarded } from '../../test/control-plane/guarded.ts'
import { create, listDaemonSets, remove } from '../../test/real/cluster.ts'
import { floorAgent, floorDaemonSet, floorKernelLabel, floorReadyLabel } from './floor-names.ts'
import { type Latency, latencyOf, until } from './measure.ts'
import { processCost } from './process-cost.ts'
import { auditTail, isWrite } from './requests.ts'
import { forEach, type Rig } from './rig.ts'
import { namespace, workerLabel } from './shape.ts'

export type Floor = {
  /** Until every Node has its first label, from the client's first write. */
  readonly labelSeconds: number
  /** From the creation of the DaemonSets until the last pod is Ready. */
  readonly podsSeconds: number
  /** Until the last pod's label is on its Node. */
  readonly rolloutSeconds: number
  readonly deletionSeconds: number
  readonly writes: number
  /** Of the client, for the rollout alone. */
  readonly cpuSeconds: number
  readonly peakMiB: number
  readonly latency: Latency
}

/** The operator's DaemonSets, to be taken before they go. */
export async function plainCopies(rig: Rig): Promise<readonly DaemonSet[]> {
  return (await listDaemonSets(rig.plane)).filter(found => found.metadata.namespace === namespace).map(plainCopy)
}

/** The same pods on the same nodes, without a finalizer, which would need the operator. */
function plainCopy(found: DaemonSet): DaemonSet {
  const name = `floor-${found.metadata.name}`
  const own = { [floorDaemonSet]: name }
  const template = found.spec?.template
  const selector =
    (template?.spec as { readonly nodeSelector?: Readonly<Record<string, string>> } | undefined)?.nodeSelector ?? {}
  // A device plugin waits for its driver's label, which nobody writes now.
  const nodeSelector = Object.fromEntries(Object.entries(selector).filter(([key]) => !key.endsWith('.ready')))
  return {
    apiVersion: found.apiVersion,
    kind: found.kind,
    metadata: { name, namespace, labels: own },
    spec: {
      selector: { matchLabels: own },
      template: { metadata: { labels: own }, spec: { ...template?.spec, nodeSelector } },
    },
  }
}

/**
 * A rollout and a deletion of plain pods that nobody measures: the first one on a new control plane takes longer than those after it.
 */
export async function warmUp(rig: Rig): Promise<void> {
  const { plane, observer, shape } = rig
  const copies = Array.from({ length: shape.modules }, (_, index) => {
    const name = `warm-up-${index}`
    const own = { [floorDaemonSet]: name }
    const pod = { nodeSelector: { [workerLabel]: '' }, containers: [{ name: 'pause', image: 'registry.example.com/pause:1' }] }
    return {
      apiVersion: daemonSets.apiVersion,
      kind: daemonSets.kind,
      metadata: { name, namespace },
      spec: { selector: { matchLabels: own }, template: { metadata: { labels: own }, spec: pod } },
    }
  })
  const deadlineSeconds = deadlineOf(rig)
  const ready = () => [...observer.pods.values()].filter(pod => pod.isReady).length
  await forEach(copies, async copy => void (await create(plane, daemonSets, copy)))
  await until({ scenario: 'warm-up', isDone: () => ready() === shape.nodes * shape.modules, deadlineSeconds })
  await forEach(copies, async ({ metadata }) => void (await remove(plane, daemonSets, `${namespace}/${metadata.name}`)))
  await until({ scenario: 'warm-up', isDone: () => observer.pods.size === 0, deadlineSeconds })
}

const deadlineOf = ({ shape }: Rig): number => 60 + shape.nodes * shape.modules * 0.2

/** While no operator runs. `copies` are the DaemonSets of plainCopies. */
export async function measureFloor(rig: Rig, copies: readonly DaemonSet[]): Promise<Floor> {
  const { plane, observer, shape, tell } = rig
  const requests = auditTail(join(plane.folder, 'audit.log'), floorAgent)
  const file = join(import.meta.dirname, 'floor-client.ts')
  const client = startGuarded('floor client', process.execPath, [file, plane.kubeconfig], join(plane.folder, 'floor-client.log'))
  const deadlineSeconds = deadlineOf(rig)
  const keys = copies.map(copy => floorReadyLabel(copy.metadata.name))
  // What a floor before this one has left goes with the client's first write.
  const isFresh = (labels: Readonly<Record<string, string>>) => floorKernelLabel in labels && !keys.some(key => key in labels)
  const labelled = () => [...observer.nodes.values()].filter(({ labels }) => isFresh(labels)).length
  const all = (count: number, wanted: number, what: string) => (count === wanted ? true : `${count} of ${wanted} ${what}`)
  const ready = () => [...observer.pods.values()].filter(pod => pod.group === floorDaemonSet && pod.isReady).length
  try {
    await until({ scenario: 'floor', isDone: () => labelled() > 0, deadlineSeconds })
    const labelStartMs = performance.now()
    await until({ scenario: 'floor', isDone: () => all(labelled(), shape.nodes, 'nodes'), deadlineSeconds })
    const labelSeconds = (performance.now() - labelStartMs) / 1000
    await delay(2000)

    observer.reset()
    const { cpuSeconds: cpuBefore } = processCost(client.pid)
    const before = requests.entries().length
    const startedMs = performance.now()
    await forEach(copies, async copy => void (await create(plane, daemonSets, copy)))
    const pods = shape.nodes * shape.modules * (shape.devicePlugin ? 2 : 1)
    await until({ scenario: 'floor', isDone: () => all(ready(), pods, 'pods are ready'), deadlineSeconds })
    const podsSeconds = (performance.now() - startedMs) / 1000
    const told = () => {
      let count = 0
      for (const { labels } of observer.nodes.values()) for (const key of keys) if (key in labels) count += 1
      return count
    }
    await until({ scenario: 'floor', isDone: () => all(told(), pods, 'labels'), deadlineSeconds })
    const rolloutSeconds = (performance.now() - startedMs) / 1000
    const cost = processCost(client.pid)
    const latency = latencyOf(observer.latenciesMs())
    await delay(1000)
    const writes = requests.entries().slice(before).filter(isWrite).length

    const deletedMs = performance.now()
    await forEach(copies, async ({ metadata }) => void (await remove(plane, daemonSets, `${namespace}/${metadata.name}`)))
    const left = () => [...observer.pods.values()].filter(pod => pod.group === floorDaemonSet).length
    await until({ scenario: 'floor', isDone: () => all(left(), 0, 'pods are left'), deadlineSeconds })
    const deletionSeconds = (performance.now() - deletedMs) / 1000
    const cpuSeconds = cost.cpuSeconds - cpuBefore
    tell(
      `floor: labels ${labelSeconds.toFixed(1)} s; pods ${podsSeconds.toFixed(1)} s, told ${rolloutSeconds.toFixed(1)} s, ${writes} writes, ` +
        `${cpuSeconds.toFixed(1)} s CPU, label p50 ${latency.p50Ms.toFixed(0)} p99 ${latency.p99Ms.toFixed(0)} ms; deletion ${deletionSeconds.toFixed(1)} s`,
    )
    return { labelSeconds, podsSeconds, rolloutSeconds, deletionSeconds, writes, cpuSeconds, peakMiB: cost.peakMiB, latency }
  } finally {
    await client.kill()
  }
}
