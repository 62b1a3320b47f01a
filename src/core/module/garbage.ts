// The only reasons for which a DaemonSet is removed (decisions.md 9). A Module that is gone takes them along by ownership.

import type { CanonicalModule } from '../canonical.ts'
import { type DaemonSet, kernelOf } from '../cluster.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { labels } from '../names.ts'
import { refOf } from '../object.ts'
import { isDeleting, operandOf } from '../operands.ts'
import type { Removal } from '../plan.ts'
import { loaderVersion, pluginVersion, versionOf } from './kernels.ts'
import type { SeenModule } from './seen-module.ts'

export function garbage(seen: SeenModule, module: CanonicalModule): readonly Removal[] {
  const running = new Set(seen.nodes.map(node => kernelLabelValue(kernelOf(node))))
  const isKernelUnknown = seen.nodes.some(node => kernelOf(node) === '')
  return seen.daemonSets.flatMap(daemonSet => {
    const because = isDeleting(daemonSet) ? undefined : reason(daemonSet, module, isKernelUnknown ? undefined : running)
    if (because === undefined) return []
    return [
      {
        object: refOf(daemonSet),
        uid: daemonSet.metadata.uid ?? '',
        resourceVersion: daemonSet.metadata.resourceVersion ?? '',
        because,
      },
    ]
  })
}

/** `running` is undefined while a matching node has not said which kernel it runs. */
function reason(daemonSet: DaemonSet, module: CanonicalModule, running: ReadonlySet<string> | undefined): string | undefined {
  if (operandOf(daemonSet) === 'plugin') {
    if (module.spec.devicePlugin === undefined) return 'the Module has no devicePlugin section any more'
    return pluginVersion(daemonSet, module) !== versionOf(module) && servesNobody(daemonSet)
      ? replaced(pluginVersion(daemonSet, module))
      : undefined
  }
  const kernel = daemonSet.metadata.labels?.[labels.kernel] ?? ''
  if (running !== undefined && !running.has(kernel)) return `no node that the Module selects runs kernel ${kernel}`
  return loaderVersion(daemonSet, module) !== versionOf(module) && servesNobody(daemonSet)
    ? replaced(loaderVersion(daemonSet, module))
    : undefined
}

const replaced = (version: string): string =>
  `version ${version === '' ? '(none)' : version} was replaced and runs on no node any more`

/** By a status that belongs to the present spec. */
const servesNobody = ({ metadata, status }: DaemonSet): boolean =>
  status?.observedGeneration !== undefined &&
  status.observedGeneration === metadata.generation &&
  status.desiredNumberScheduled === 0
