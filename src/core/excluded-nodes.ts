// Nodes that a DaemonSet leaves out by name (docs/decisions/0008): its controller deletes the pod that it has there, and makes no other.
import type { DaemonSet } from './cluster.ts'

type Field = { readonly key?: string; readonly operator?: string; readonly values?: readonly string[] }
type Affinity = {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly { readonly matchFields?: readonly Field[] }[]
    }
  }
}

/** The field `affinity` of a pod template, where there are such nodes. A field selector takes one value each (core/v1 validation). */
export function excluding(nodes: readonly string[]): { readonly affinity?: Affinity } {
  if (nodes.length === 0) return {}
  const matchFields = nodes.toSorted().map(node => ({ key: 'metadata.name', operator: 'NotIn', values: [node] }))
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } },
  }
}

/** What `excluding` has left out of a DaemonSet of ours. */
export function excludedNodesOf(daemonSet: DaemonSet): readonly string[] {
  const found = daemonSet.spec?.template?.spec?.['affinity'] as Affinity | undefined
  const terms = found?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const fields = terms.flatMap(term => term.matchFields ?? [])
  return fields.flatMap(field => (field.operator === 'NotIn' ? (field.values ?? []) : []))
}

/** The DaemonSet as it is, but OnDelete, and with these nodes left out: else leaving out one node would replace the pods of all others. */
export function leavingOut({ apiVersion, kind, metadata, spec }: DaemonSet, nodes: readonly string[]): DaemonSet {
  const { name, namespace = '', labels = {}, ownerReferences = [] } = metadata
  const { affinity: _, ...podSpec } = spec?.template?.spec ?? {}
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, ownerReferences },
    spec: {
      ...spec,
      updateStrategy: { type: 'OnDelete' },
      template: { ...spec?.template, spec: { ...podSpec, ...excluding(nodes) } },
    },
  }
}
