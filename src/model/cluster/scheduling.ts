// Which node may run a pod: selectors, required affinity, taints and tolerations (component-helpers, scheduling/corev1).
import type { Taint, Toleration } from '../../core/cluster.ts'
import type { NodeObject, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from './pod-spec.ts'

/** nodeSelector and required node affinity. */
export function fitsNodeSelection(spec: PodSpec, node: NodeObject): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return terms === undefined || terms.some(term => matchesTerm(term, node))
}

/** An empty term matches nothing; the requirements of one term hold together. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: NodeObject): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    matchExpressions.every(requirement =>
      meets(requirement, Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined),
    ) &&
    // The only field there is.
    matchFields.every(requirement => requirement.key === 'metadata.name' && meets(requirement, node.metadata.name))
  )
}

function meets({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual)
    case 'NotIn':
      return actual === undefined || !values.includes(actual)
    case 'Exists':
      return actual !== undefined
    case 'DoesNotExist':
      return actual === undefined
    case 'Gt':
    case 'Lt': {
      const [left, right] = [Number(actual), Number(values[0])]
      if (actual === undefined || Number.isNaN(left) || Number.isNaN(right)) return false
      return operator === 'Gt' ? left > right : left < right
    }
    default:
      return false
  }
}

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(toleration => {
    if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false
    const operator = toleration.operator === undefined || toleration.operator === '' ? 'Equal' : toleration.operator
    if (toleration.key === undefined || toleration.key === '') return operator === 'Exists'
    if (toleration.key !== taint.key) return false
    return operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')
  })
}

/** The first taint with one of these effects that nothing tolerates. */
export const untoleratedTaint = (
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined => taints?.find(taint => effects.includes(taint.effect) && !tolerates(tolerations ?? [], taint))

export const taintKeys = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  diskPressure: 'node.kubernetes.io/disk-pressure',
  memoryPressure: 'node.kubernetes.io/memory-pressure',
  pidPressure: 'node.kubernetes.io/pid-pressure',
  networkUnavailable: 'node.kubernetes.io/network-unavailable',
} as const
