// Which pods of a Module belong to which node, also those that are not yet scheduled.
import type { Pod } from '../cluster.ts'
import { operandOf } from '../operands.ts'

export type NodePods = { readonly loaders: readonly Pod[]; readonly plugins: readonly Pod[] }

export const noPods: NodePods = { loaders: [], plugins: [] }

export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, NodePods> {
  const byNode = new Map<string, { readonly loaders: Pod[]; readonly plugins: Pod[] }>()
  for (const pod of pods) {
    const nodeName = pod.spec?.nodeName ?? affinityNode(pod)
    if (nodeName === undefined) continue
    const found = byNode.get(nodeName) ?? { loaders: [], plugins: [] }
    byNode.set(nodeName, found)
    found[operandOf(pod) === 'loader' ? 'loaders' : 'plugins'].push(pod)
  }
  return byNode
}

/** A DaemonSet pod that is not yet scheduled names its node in an affinity (DaemonSet controller, util.ReplaceDaemonSetPodNodeNameNodeAffinity). */
function affinityNode(pod: Pod): string | undefined {
  type Term = { matchFields?: readonly { key: string; operator?: string; values?: readonly string[] }[] }
  type Affinity = { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: readonly Term[] } } }
  const { affinity } = (pod.spec ?? {}) as { affinity?: Affinity }
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const fields = terms.flatMap(term => term.matchFields ?? [])
  return fields.find(field => field.key === 'metadata.name' && field.operator !== 'NotIn')?.values?.[0]
}
