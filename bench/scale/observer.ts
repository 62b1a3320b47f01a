// The bench's own watch of pods and Nodes: who is ready since when, who carries which label since when.
import { isPodReady, kernelOf, type Pod } from '../../src/core/cluster.ts'
import { type KubeObject, keyOf } from '../../src/core/object.ts'
import { nodes, pods } from '../../src/core/resources.ts'
import { realClock } from '../../src/shell/clock.ts'
import { startListWatch } from '../../src/shell/kube/list-watch.ts'
import type { Transport } from '../../src/shell/kube/transport.ts'

export type Observer = {
  readonly nodes: ReadonlyMap<string, SeenNode>
  readonly pods: ReadonlyMap<string, SeenPod>
  /** Forgets all times. A state that stays has none afterwards. */
  reset(): void
  /** Milliseconds from each pod's readiness to its label on the Node, ascending, of pairs of which both came since the reset. */
  latenciesMs(): readonly number[]
  stop(): void
}

export type SeenNode = { readonly labels: Readonly<Record<string, string>>; readonly kernel: string }
export type SeenPod = {
  readonly node: string
  readonly isReady: boolean
  readonly group: string
  readonly image: string
  readonly isEnding: boolean
}

/** Which label the pod's readiness brings to its Node, and to whom the pod belongs. Undefined: a pod that nobody waits for. */
export type LabelOf = (pod: Pod) => { readonly label: string; readonly group: string } | undefined

/** Resolves when all is listed. */
export async function startObserver(transport: Transport, labelOf: LabelOf): Promise<Observer> {
  const stopping = new AbortController()
  const seenNodes = new Map<string, SeenNode>()
  const seenPods = new Map<string, SeenPod>()
  const readySince = new Map<string, number>()
  const labelledSince = new Map<string, number>()

  const upsertPod = (object: KubeObject) => {
    const pod = object as Pod
    const found = labelOf(pod)
    if (found === undefined) return
    const node = pod.spec?.nodeName ?? ''
    const isEnding = pod.metadata.deletionTimestamp !== undefined
    const isReady = isPodReady(pod) && !isEnding
    const before = seenPods.get(keyOf(pod))
    if (isReady && before?.isReady !== true) readySince.set(`${node} ${found.label}`, performance.now())
    const image = pod.spec?.containers?.[0]?.image ?? ''
    seenPods.set(keyOf(pod), { node, isReady, group: found.group, image, isEnding })
  }
  const upsertNode = (object: KubeObject) => {
    const { name, labels = {} } = object.metadata
    const before = seenNodes.get(name)?.labels ?? {}
    for (const label of Object.keys(labels)) {
      if (!(label in before)) labelledSince.set(`${name} ${label}`, performance.now())
    }
    seenNodes.set(name, { labels, kernel: kernelOf(object) })
  }

  const synced = (['pods', 'nodes'] as const).map(
    kind =>
      new Promise<void>(resolve => {
        const seen: Map<string, unknown> = kind === 'pods' ? seenPods : seenNodes
        const sink = {
          upsert: kind === 'pods' ? upsertPod : upsertNode,
          remove: (object: KubeObject) => void seen.delete(keyOf(object)),
          listed: () => resolve(),
          reached: () => undefined,
        }
        const resource = kind === 'pods' ? pods : nodes
        startListWatch(
          { resource, transport, clock: realClock, chance: Math.random, log: () => undefined, sink },
          stopping.signal,
        )
      }),
  )
  await Promise.all(synced)
  return {
    nodes: seenNodes,
    pods: seenPods,
    reset: () => {
      readySince.clear()
      labelledSince.clear()
    },
    latenciesMs: () =>
      [...readySince]
        .flatMap(([pair, readyMs]) => {
          const labelMs = labelledSince.get(pair)
          // The two watches race each other: a label that was heard before its cause took no time.
          return labelMs === undefined ? [] : [Math.max(0, labelMs - readyMs)]
        })
        .toSorted((a, b) => a - b),
    stop: () => stopping.abort(new Error('the measurement is over')),
  }
}

/** The value below which this share of the ascending values lies; 0 of none. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? 0
