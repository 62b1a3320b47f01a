import type { Node, Pod } from '../cluster.ts'
import { judgeFinalizer } from '../node/finalizer.ts'
import { hasOurFinalizer } from '../operands.ts'
import type { SeenModule } from './seen-module.ts'

/** The words of a failed unload, if the pod is held for it. */
export function heldWords(seen: SeenModule, pod: Pod, node: Node, nowMs: number): string | undefined {
  if (!hasOurFinalizer(pod)) return undefined
  const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => event.reason === 'FailedPreStopHook')
  const verdict = judgeFinalizer(pod, { node, endOfService: seen.isServiceEnding(pod), failedPreStop, nowMs })
  return verdict.do === 'hold' ? verdict.words || verdict.because : undefined
}
