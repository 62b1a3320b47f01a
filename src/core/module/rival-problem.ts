// No loader pod is on the node, because the loader of another Module has, or may have, the same kernel module in its kernel.
import type { Pod } from '../cluster.ts'
import { kernelModulesOf, kernelModulesOfPod } from '../loading/kernel-modules.ts'
import { judgeFinalizer } from '../node/finalizer.ts'
import { keyOf } from '../object.ts'
import { hasOurFinalizer, isDeleting, moduleKeyOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

export function rivalProblem(seen: SeenModule, { node, kernel }: Target, nowMs: number): Problem | undefined {
  const { name } = node.metadata
  const pod = seen.rivalPods.find(rival => rival.spec?.nodeName === name)
  if (pod === undefined) return undefined
  const other = moduleKeyOf(pod) ?? ''
  if (isDeleting(pod)) {
    const words = heldWords(seen, pod, { node, nowMs })
    return words === undefined
      ? problem('WaitingForOtherModule', { module: seen.key, node: name, other, pod: keyOf(pod) })
      : problem('StillLoaded', { module: other, node: name, pod: pod.metadata.name, words })
  }
  const own = kernelModulesOf(seen.module?.spec.moduleLoader.container.modprobe ?? {})
  const kernelModule = own.find(one => kernelModulesOfPod(pod)?.includes(one) ?? true) ?? ''
  return { ...problem('ModuleNameTaken', { module: seen.key, kernel, kernelModule, other }), node: name }
}

/** The words of a failed unload, or why else the pod is held; undefined while it is not known. */
export function heldWords(
  seen: SeenModule,
  pod: Pod,
  { node, nowMs }: { readonly node: Target['node']; readonly nowMs: number },
): string | undefined {
  if (!hasOurFinalizer(pod)) return undefined
  const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => event.reason === 'FailedPreStopHook')
  const verdict = judgeFinalizer(pod, { node, endOfService: false, failedPreStop, nowMs })
  return verdict.do === 'hold' ? verdict.words || verdict.because : undefined
}
