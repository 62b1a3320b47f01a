// Which taints keep a DaemonSet's pods from a node. Source: core/v1 Toleration.ToleratesTaint; the automatic tolerations are those
// that the DaemonSet controller adds to each of its pods (Kubernetes, "DaemonSet", taints and tolerations).
import type { Taint, Toleration } from './cluster.ts'

const condition = (name: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
})

export const daemonSetTolerations: readonly Toleration[] = [
  condition('not-ready', 'NoExecute'),
  condition('unreachable', 'NoExecute'),
  condition('disk-pressure', 'NoSchedule'),
  condition('memory-pressure', 'NoSchedule'),
  condition('pid-pressure', 'NoSchedule'),
  condition('unschedulable', 'NoSchedule'),
]

/**
 * The node lifecycle controller also taints silent nodes with NoSchedule. That keeps new pods away for as long as nobody could run
 * them, and the running ones stay: such a node is not ready (decisions.md 19), which is another thing than not meant for this Module.
 */
const silence: readonly Toleration[] = [condition('not-ready', 'NoSchedule'), condition('unreachable', 'NoSchedule')]

const isUnset = (text: string | undefined): boolean => text === undefined || text === ''

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (!isUnset(toleration.effect) && toleration.effect !== taint.effect) return false
  if (!isUnset(toleration.key) && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  if (!isUnset(toleration.operator) && toleration.operator !== 'Equal') return false
  return (toleration.value ?? '') === (taint.value ?? '')
}

/**
 * The first NoSchedule or NoExecute taint that neither a DaemonSet's automatic tolerations nor the given ones cover: with it a node
 * is no target (decisions.md 17). A cordon and a PreferNoSchedule taint keep nothing away.
 */
export function blockingTaint(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | undefined {
  const all = [...daemonSetTolerations, ...silence, ...tolerations]
  return taints.find(
    taint =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !all.some(toleration => tolerates(toleration, taint)),
  )
}
