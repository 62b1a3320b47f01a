// No loader pod is on the node, because the loader of another Module has, or may have, the same kernel module in its kernel.
import { kernelModulesOf, kernelModulesOfPod } from '../loading/kernel-modules.ts'
import { keyOf } from '../object.ts'
import { isDeleting, moduleKeyOf } from '../operands.ts'
import { type Problem, problem } from '../problem.ts'
import { heldWords } from './held-words.ts'
import type { SeenModule } from './seen-module.ts'
import type { Target } from './targets.ts'

export function rivalProblem(seen: SeenModule, { node, kernel }: Target, nowMs: number): Problem | undefined {
  const { name } = node.metadata
  const pod = seen.rivalPods.find(rival => rival.spec?.nodeName === name)
  if (pod === undefined) return undefined
  const other = moduleKeyOf(pod) ?? ''
  if (isDeleting(pod)) {
    const words = heldWords(seen, pod, node, nowMs)
    return words === undefined
      ? problem('WaitingForOtherModule', { module: seen.key, node: name, other, pod: keyOf(pod) })
      : problem('StillLoaded', { module: other, node: name, pod: pod.metadata.name, words })
  }
  const own = kernelModulesOf(seen.module?.spec.moduleLoader.container.modprobe ?? {})
  const kernelModule = own.find(one => kernelModulesOfPod(pod)?.includes(one) ?? true) ?? ''
  return { ...problem('ModuleNameTaken', { module: seen.key, kernel, kernelModule, other }), node: name }
}
