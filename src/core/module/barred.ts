// Nodes that a loader DaemonSet leaves out for now, because an older loader has not finished with their kernel (decisions.md 2). A daemon
// pod that has ended keeps no other one away, finalizer or not (test/real/ended-pods.test.ts); a node affinity does.

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet, Pod } from '../cluster.ts'
import { excludedNodesOf, leavingOut } from '../excluded-nodes.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { heldLabel, labels, loaderVersionLabel } from '../names.ts'
import { judgeFinalizer } from '../node/finalizer.ts'
import { keyOf, parseKey } from '../object.ts'
import { hasOurFinalizer, isDeleting, isOutdated, moduleKeyOf, operandOf, ownerUidOf } from '../operands.ts'
import { type KernelStep, versionOf } from './kernels.ts'
import { isUnderVersion } from './left-behind.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

/** The nodes to leave out of the DaemonSet of this kernel: those whose turn it is to be emptied, and those that are not empty yet. */
export function barredNodes(
  seen: SeenModule,
  module: CanonicalModule,
  step: KernelStep,
  toEmpty: ReadonlySet<string>,
  nowMs: number,
): readonly string[] {
  const barred = new Set(step.daemonSet === undefined ? [] : excludedNodesOf(step.daemonSet))
  const loaders = Map.groupBy(
    seen.pods.filter(pod => operandOf(pod) === 'loader'),
    pod => pod.spec?.nodeName ?? '',
  )
  const rivalPods = Map.groupBy(seen.rivalPods, pod => pod.spec?.nodeName ?? '')
  const isBarred = (target: Target): boolean => {
    const { name } = target.node.metadata
    const pods = loaders.get(name) ?? []
    const own = pods.filter(pod => step.daemonSet !== undefined && ownerUidOf(pod) === step.daemonSet.metadata.uid)
    if (toEmpty.has(name)) return true
    // Only kept, never begun for a pod that is already ending: its successor may have started, and would be unloaded with it.
    if (barred.has(name) && own.some(pod => isInTheWay(seen, pod, target, step.wanted, nowMs))) return true
    if (isUnderVersion(module, target.node)) return true
    // What is there together already, is left together: to end one of them would take the driver of the other.
    const rivals = own.some(pod => !isDeleting(pod)) ? [] : (rivalPods.get(name) ?? [])
    if (rivals.some(pod => isInTheWay(seen, pod, target, undefined, nowMs))) return true
    const isForeign = (pod: Pod) => isOfAnother(seen, pod) || (versionOf(module) === '' && isVersioned(pod, module))
    return isOpen(module, target) && pods.some(pod => isForeign(pod) && isInTheWay(seen, pod, target, undefined, nowMs))
  }
  return step.targets.filter(isBarred).map(({ node }) => node.metadata.name)
}

/**
 * Labels of the Nodes on which another Module holds a kernel module of this one. A node that comes to this Module later, by a label that
 * somebody sets, has its own DaemonSet at work before the operator could name it.
 */
export function labelsToKeepOff({ rivals, rivalPods }: SeenModule): readonly string[] {
  const keys = [...rivals.map(({ module }) => keyOf(module)), ...rivalPods.flatMap(pod => moduleKeyOf(pod) ?? [])]
  return [...new Set(keys)].map(key => {
    const { namespace = '', name } = parseKey(key)
    return heldLabel(namespace, name)
  })
}

/**
 * Of a kernel for which nothing is resolved any more (its mapping was lost, its image is not known): the DaemonSet as it is, but with
 * the nodes let in again that were left out for a replacement and are empty now. Undefined where there is nothing to let in.
 */
export function lettingIn(seen: SeenModule, module: CanonicalModule, step: KernelStep, nowMs: number): DaemonSet | undefined {
  const { daemonSet, spec, problem } = step
  // Another Module holds the kernel module: what runs is kept, nothing more is started.
  if (daemonSet === undefined || spec !== undefined || isDeleting(daemonSet) || problem?.code === 'ModuleNameTaken')
    return undefined
  const before = excludedNodesOf(daemonSet)
  const still = new Set(barredNodes(seen, module, step, new Set(), nowMs))
  const left = before.filter(name => still.has(name))
  return left.length === before.length ? undefined : leavingOut(daemonSet, left)
}

/** A node that lacks the label of the kernel or of the version has no loader coming. */
function isOpen(module: CanonicalModule, { node: { metadata }, kernel }: Target): boolean {
  const version = versionOf(module)
  const versionLabel = loaderVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  return (
    metadata.labels?.[labels.kernel] === kernelLabelValue(kernel) &&
    (version === '' || metadata.labels?.[versionLabel] === version)
  )
}

/** Of a deleted Module of the same name. A pod that nobody controls is not: the DaemonSet that fits it takes it over, driver and all. */
function isOfAnother(seen: SeenModule, pod: Pod): boolean {
  const owner = ownerUidOf(pod)
  return owner !== undefined && !seen.daemonSets.some(daemonSet => daemonSet.metadata.uid === owner)
}

/** A loader of a version that the Module has given up. */
const isVersioned = (pod: Pod, { metadata }: CanonicalModule): boolean =>
  (pod.metadata.labels?.[loaderVersionLabel(metadata.namespace ?? '', metadata.name)] ?? '') !== ''

/** Its driver is, or may be, in the kernel, and is to go. `wanted`: what its successor would be; undefined for another one's pod. */
function isInTheWay(seen: SeenModule, pod: Pod, { node }: Target, wanted: DaemonSet | undefined, nowMs: number): boolean {
  if (!isDeleting(pod)) return wanted === undefined || isOutdated(pod, wanted)
  if (!hasOurFinalizer(pod)) return true
  const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => event.reason === 'FailedPreStopHook')
  return judgeFinalizer(pod, { node, endOfService: false, failedPreStop, nowMs }).do !== 'release'
}
