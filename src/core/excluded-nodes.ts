// Nodes that a DaemonSet leaves out by name (docs/decisions/0008): its controller deletes the pod that it has there, and makes no other.
import type { DaemonSet } from './cluster.ts'

type Field = { readonly key?: string; readonly operator?: string; readonly values?: readonly string[] }
type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }
type Affinity = {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly {
        readonly matchFields?: readonly Field[]
        readonly matchExpressions?: readonly Expression[]
      }[]
    }
  }
}

/**
 * The field `affinity` of a pod template: not on these nodes, nor on those that carry one of these labels. A field selector takes one
 * value each (core/v1 validation).
 */
export function excluding(nodes: readonly string[], labels: readonly string[] = []): { readonly affinity?: Affinity } {
  if (nodes.length === 0 && labels.length === 0) return {}
  const matchFields = nodes.toSorted().map(node => ({ key: 'metadata.name', operator: 'NotIn', values: [node] }))
  const matchExpressions = labels.toSorted().map(key => ({ key, operator: 'DoesNotExist' }))
  const term = {
    ...(matchFields.length === 0 ? {} : { matchFields }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  }
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } } }
}

const termsOf = (daemonSet: DaemonSet) =>
  (daemonSet.spec?.template?.spec?.['affinity'] as Affinity | undefined)?.nodeAffinity
    ?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []

/** What `excluding` has left out of a DaemonSet of ours. */
export function excludedNodesOf(daemonSet: DaemonSet): readonly string[] {
  const fields = termsOf(daemonSet).flatMap(term => term.matchFields ?? [])
  return fields.flatMap(field => (field.operator === 'NotIn' ? (field.values ?? []) : []))
}

/** Labels of Nodes that `excluding` keeps a DaemonSet of ours off. */
export const keptOffBy = (daemonSet: DaemonSet): readonly string[] =>
  termsOf(daemonSet)
    .flatMap(term => term.matchExpressions ?? [])
    .flatMap(({ key, operator }) => (operator === 'DoesNotExist' ? key : []))

/** The DaemonSet as it is, but OnDelete, and with these nodes left out: else leaving out one node would replace the pods of all others. */
export function leavingOut(daemonSet: DaemonSet, nodes: readonly string[], keepOff = keptOffBy(daemonSet)): DaemonSet {
  const { apiVersion, kind, metadata, spec } = daemonSet
  const { name, namespace = '', labels = {}, ownerReferences = [] } = metadata
  const { affinity: _, ...podSpec } = spec?.template?.spec ?? {}
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, ownerReferences },
    spec: {
      ...spec,
      updateStrategy: { type: 'OnDelete' },
      template: { ...spec?.template, spec: { ...podSpec, ...excluding(nodes, keepOff) } },
    },
  }
}
