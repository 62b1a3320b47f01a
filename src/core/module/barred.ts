// Where nothing newer may start yet, because an older loader is not finished with the kernel.
import { kernelLabelValue } from '../kernel/version.ts'
import { labels, loaderVersionLabel } from '../names.ts'
import { judgeFinalizer } from '../node/finalizer.ts'
import { hasOurFinalizer, isDeleting, operandOf, ownerUidOf } from '../operands.ts'
import type { CanonicalModule } from './canonical.ts'
import { versionOf } from './kernels.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

/**
 * Nodes with a loader pod that ends and is not yet judged, is held after a failed unload, or belongs to a deleted Module of the same name:
 * its driver may still be in the kernel (decisions.md 2). A pod that nobody controls is none of these: the DaemonSet that fits it takes it
 * over, driver and all.
 */
export function nodesWithUnfinishedLoader(seen: SeenModule, nowMs: number): ReadonlySet<string> {
  const own = new Set<string | undefined>(seen.daemonSets.map(daemonSet => daemonSet.metadata.uid)).add(undefined)
  const nodes = new Map(seen.nodes.map(node => [node.metadata.name, node]))
  const unfinished = seen.pods.filter(pod => {
    const node = nodes.get(pod.spec?.nodeName ?? '')
    if (node === undefined || operandOf(pod) !== 'loader') return false
    if (!isDeleting(pod) || !hasOurFinalizer(pod)) return !own.has(ownerUidOf(pod))
    const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => event.reason === 'FailedPreStopHook')
    return judgeFinalizer(pod, { node, endOfService: false, failedPreStop, nowMs }).do !== 'release'
  })
  return new Set(unfinished.flatMap(pod => pod.spec?.nodeName ?? []))
}

/**
 * Those of them on which the DaemonSet would start a newer loader at once: one that has ended keeps no other away, finalizer or not
 * (test/real/ended-pods.test.ts). A node that lacks the kernel's or the version's label has none coming.
 */
export function barredNodes(
  module: CanonicalModule,
  targets: readonly Target[],
  unfinished: ReadonlySet<string>,
): readonly string[] {
  const version = versionOf(module)
  const versionLabel = loaderVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  const isOpen = ({ node: { metadata }, kernel }: Target) =>
    unfinished.has(metadata.name) &&
    metadata.labels?.[labels.kernel] === kernelLabelValue(kernel) &&
    (version === '' || metadata.labels?.[versionLabel] === version)
  return targets.filter(isOpen).map(({ node }) => node.metadata.name)
}
