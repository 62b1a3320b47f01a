// Why does the device plugin not run where the driver is loaded? It makes no node not ready (docs/decisions/0010), but people wait for it.

import type { CanonicalModule } from '../canonical.ts'
import { isNodeReady, type Node, type Pod } from '../cluster.ts'
import { containerOf, isDeleting, isServing, ownerUidOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { matchesLabels } from '../selectors.ts'
import { pluginOf } from './kernels.ts'
import { refusalOf, refusedBy } from './refusal.ts'
import type { SeenModule } from './seen-module.ts'

/** Undefined where it runs, or is on its way. `plugins`: those of the Module on the node. */
export function pluginProblem(
  seen: SeenModule,
  module: CanonicalModule,
  node: Node,
  plugins: readonly Pod[],
): Problem | undefined {
  const daemonSet = module.spec.devicePlugin === undefined ? undefined : pluginOf(seen, module)
  if (daemonSet === undefined || !isNodeReady(node)) return undefined
  const { name, labels } = node.metadata
  const pod = plugins.find(one => !isDeleting(one) && ownerUidOf(one) === daemonSet.metadata.uid)
  if (pod !== undefined) {
    const words = isServing(pod) ? undefined : wordsOf(pod)
    const { namespace = '' } = module.metadata
    return words === undefined
      ? undefined
      : problem('DevicePluginFailing', { module: seen.key, node: name, namespace, pod: pod.metadata.name, words })
  }
  const isWanted = matchesLabels(daemonSet.spec?.template?.spec?.nodeSelector ?? {}, labels)
  const refusal = plugins.length === 0 && isWanted ? refusalOf(seen, daemonSet) : undefined
  return refusal === undefined
    ? undefined
    : { ...problem('DevicePluginRefused', refusedBy(seen, daemonSet, refusal)), node: name }
}

/** Of the scheduler or the kubelet, with how it ended last. Undefined while nothing has failed. */
function wordsOf(pod: Pod): string | undefined {
  const unscheduled = pod.status?.conditions?.find(condition => condition.type === 'PodScheduled' && condition.status === 'False')
  if (unscheduled?.reason === 'Unschedulable') return unscheduled.message ?? unscheduled.reason
  const { state, lastState } = containerOf(pod) ?? {}
  const { reason, message } = state?.waiting ?? {}
  const ended = state?.terminated ?? lastState?.terminated
  const end = ended === undefined ? [] : [`exit code ${ended.exitCode}`, ...(ended.message ? [ended.message] : [])]
  if (state?.terminated !== undefined) return end.join(': ')
  if (reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing') return undefined
  return [[reason, ...(message ? [message] : [])].join(': '), ...end].join('; ').replaceAll('\n', ' ')
}
