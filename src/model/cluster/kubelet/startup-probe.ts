// Startup probes: a container counts as started, and can be ready, when its probe has succeeded once (kubernetes, pkg/kubelet/prober).
import type { ContainerSpec, StartupProbe } from '../pod-spec.ts'
import { Gate, type Routine } from '../routine.ts'
import { type ContainerContext, recordEvent } from './container-life.ts'
import type { ContainerRun } from './pod-status.ts'

/** Containers younger than that at the kubelet's start are probed in any case (prober, kubeletRestartGracePeriod). */
const restartGraceMs = 10_000
const attemptsPerProbe = 3

type Outcome = { readonly result: 'success' } | { readonly result: 'failure' | 'unknown'; readonly words: string }

/**
 * Probes one running container until it has succeeded or failed often enough, and notes that in `run.startup`. The owner cancels it
 * with the pod's story: when the pod is deleted or the kubelet ends.
 */
export function* probeStartup(context: ContainerContext, spec: ContainerSpec, run: ContainerRun): Routine<void> {
  const { core } = context
  const probe = spec.startupProbe
  if (probe === undefined) return
  const periodMs = (probe.periodSeconds ?? 10) * 1000
  // A ticker that was set going at some time before.
  yield { sleepMs: periodMs / 2 }
  if (run.startup === 'not probed') {
    const isOld = run.startedAtMs < core.startedAtMs() - restartGraceMs
    if (isOld && core.startedContainers === 'left as they are') return
    run.startup = 'pending'
    context.wake()
    yield { sleepMs: periodMs }
  }
  let failures = 0
  while (run.end === undefined) {
    const startMs = core.clock.nowMs()
    if (startMs - run.startedAtMs >= (probe.initialDelaySeconds ?? 0) * 1000) {
      const outcome = yield* probeOnce(context, spec, probe, run)
      if (run.end !== undefined) return
      // What could not be asked counts neither way.
      if (outcome.result === 'failure') failures++
      tell(context, spec, outcome)
      // The API wants a successThreshold of 1.
      if (outcome.result === 'success') run.startup = 'succeeded'
      if (failures >= (probe.failureThreshold ?? 3)) run.startup = 'failed'
    }
    if (run.startup !== 'pending') return context.wake()
    yield { sleepMs: Math.max(0, periodMs - (core.clock.nowMs() - startMs)) }
  }
}

function* probeOnce(context: ContainerContext, spec: ContainerSpec, probe: StartupProbe, run: ContainerRun): Routine<Outcome> {
  let outcome: Outcome = { result: 'success' }
  for (let attempt = 0; attempt < attemptsPerProbe; attempt++) {
    outcome = yield* askContainer(context, probe, run)
    if (outcome.result !== 'unknown') break
  }
  return outcome
}

/** Nothing here serves HTTP, TCP or gRPC: such a probe succeeds. */
function* askContainer(context: ContainerContext, probe: StartupProbe, run: ContainerRun): Routine<Outcome> {
  const command = probe.exec?.command
  if (command === undefined || run.container === undefined) return { result: 'success' }
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  const startMs = context.core.clock.nowMs()
  yield { sleepMs: context.core.speeds.execMs }
  const done = new Gate()
  let outcome: Outcome | undefined
  const task = run.container.exec(command, ({ code, text }) => {
    outcome = code === 0 ? { result: 'success' } : { result: 'failure', words: text }
    done.open()
  })
  if (typeof task === 'string') return { result: 'unknown', words: task }
  try {
    yield { until: done, sleepMs: Math.max(0, timeoutSeconds * 1000 - (context.core.clock.nowMs() - startMs)) }
    const words = `command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s`
    return outcome ?? { result: 'failure', words }
  } finally {
    // Timed out, or cut with the kubelet's connection to the runtime.
    task.signal('KILL')
  }
}

function tell(context: ContainerContext, spec: ContainerSpec, outcome: Outcome): void {
  if (outcome.result === 'success') return
  const message =
    outcome.result === 'failure'
      ? `Startup probe failed: ${outcome.words}`
      : `Startup probe errored and resulted in unknown state: ${outcome.words}`
  recordEvent(context, spec, 'Warning', 'Unhealthy', message)
}
