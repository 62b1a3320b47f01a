// The ready labels of a Node: which drivers and device plugins really run there (behaviour.md 2.7, decisions.md 19).
import { isNodeReady, type Node, type Pod } from '../cluster.ts'
import { waitForMarkSeconds } from '../loading/hooks.ts'
import { deprecatedPluginReadyLabel, deprecatedReadyLabel, pluginReadyLabel, readyLabel } from '../names.ts'
import type { Labels } from '../object.ts'
import { parseKey } from '../object.ts'
import {
  containerOf,
  hasOurFinalizer,
  isAdopted,
  isDeleting,
  isServing,
  moduleKeyOf,
  type Operand,
  operandOf,
} from '../operands.ts'
import { isOfEarlierNode } from './finalizer.ts'
import { afterGraceMs } from './loader-end.ts'

/** The loader pods of other Modules on the same node that were made to load one of the pod's kernel modules. */
export type Rivals = (pod: Pod) => readonly Pod[]

/** Both spellings: with the namespace, and the deprecated one without (still read by other tools). */
export function readyLabelsOf(operand: Operand, moduleKey: string): readonly [string, string] {
  const { namespace = '', name } = parseKey(moduleKey)
  return operand === 'loader'
    ? [readyLabel(namespace, name), deprecatedReadyLabel(name)]
    : [pluginReadyLabel(namespace, name), deprecatedPluginReadyLabel(name)]
}

const isReadyKey = (key: string): boolean => /^kmm\.node\.kubernetes\.io\/[^/]+\.(device-plugin-)?ready$/.test(key)

/** The ready labels that the Node should carry now. */
export function readyLabels(node: Node, pods: readonly Pod[], rivals: Rivals, nowMs: number): Labels {
  const present = Object.entries(node.metadata.labels ?? {}).filter(([key]) => isReadyKey(key))
  // Nobody knows what a silent node does: its labels stay, and with them the pods that they hold there.
  if (!isNodeReady(node)) return Object.fromEntries(present)
  const wanted: Record<string, string> = {}
  const unfinished = new Set(pods.filter(isUnfinished).map(moduleKeyOf))
  for (const pod of pods) {
    const moduleKey = moduleKeyOf(pod)
    if (moduleKey === undefined) continue
    if (operandOf(pod) === 'loader' && (unfinished.has(moduleKey) || rivals(pod).some(isUnfinished))) continue
    if (unheardOnNewNodeMs(pod, node, nowMs) > 0) continue
    const keys = readyLabelsOf(operandOf(pod), moduleKey)
    for (const key of keys) {
      const stays = node.metadata.labels?.[key] !== undefined && isUnheardSinceReturn(pod, node)
      if (isServing(pod) || isProbedAgain(pod) || stays) wanted[key] = ''
    }
  }
  return wanted
}

/**
 * For how long still the state of a pod says nothing, 0 if it does: it was ready on a Node object that was deleted, and another one of that name
 * was made. If that is another machine, its kubelet starts the container anew; if it is the same one, registered again, it has nothing new to
 * tell.
 */
export function unheardOnNewNodeMs(pod: Pod, node: Node, nowMs: number): number {
  const started = Date.parse(containerOf(pod)?.state?.running?.startedAt ?? '')
  const born = Date.parse(node.metadata.creationTimestamp ?? '')
  if (isDeleting(pod) || !isOfEarlierNode(pod, node) || !(started < born)) return 0
  const readySince = Date.parse(node.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '')
  return Math.max(0, Math.max(born, readySince || 0) + afterGraceMs - nowMs)
}

/**
 * An older loader whose end is not yet judged, or is held: its driver may still be in the kernel, and a newer loader's modprobe is content
 * with it. (A daemon pod that has ended keeps no other one away, finalizer or not: test/real/ended-pods.test.ts.)
 */
const isUnfinished = (pod: Pod): boolean => operandOf(pod) === 'loader' && isDeleting(pod) && hasOurFinalizer(pod)

/** When Ready ceased to be true, after the container that runs now was started: it was ready with this very container. */
function ceasedWhileRunning(pod: Pod): number | undefined {
  const ceased = pod.status?.conditions?.find(
    condition => condition.type === 'Ready' && condition.status !== 'True',
  )?.lastTransitionTime
  const started = containerOf(pod)?.state?.running?.startedAt
  if (isDeleting(pod) || ceased === undefined || started === undefined) return undefined
  return Date.parse(started) < Date.parse(ceased) ? Date.parse(ceased) : undefined
}

/**
 * The node life cycle sets Ready=False on every pod of a silent node. When the node is back, that is not the kubelet's word: a
 * container that runs since before counts as it did, until its kubelet reports (after a reboot: as not running, or with a new start).
 */
export function isUnheardSinceReturn(pod: Pod, node: Node): boolean {
  const returned = node.status?.conditions?.find(condition => condition.type === 'Ready')?.lastTransitionTime
  const silenced = ceasedWhileRunning(pod)
  return returned !== undefined && silenced !== undefined && silenced <= Date.parse(returned)
}

/**
 * A kubelet before 1.35 that was restarted takes Ready back until its startup probe has succeeded once more. A container of ours that
 * ran for longer than a load may take has loaded its driver: else it would have ended itself (core/loading/hooks.ts).
 */
export function isProbedAgain(pod: Pod): boolean {
  if (operandOf(pod) !== 'loader' || isAdopted(pod) || containerOf(pod)?.started !== false) return false
  const [ceased, started] = [ceasedWhileRunning(pod), containerOf(pod)?.state?.running?.startedAt]
  return ceased !== undefined && started !== undefined && ceased - Date.parse(started) > waitForMarkSeconds * 1000
}
