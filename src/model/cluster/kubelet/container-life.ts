// One container of a pod, from pull to kill, as the kubelet drives it (kubernetes, pkg/kubelet/kuberuntime/kuberuntime_container.go).
import { createHash } from 'node:crypto'
import { type Container, type ContainerOptions, type ExecResult, startContainer } from '../container.ts'
import { type ContainerSpec, type ExecAction, type PodObject, podText } from '../pod-spec.ts'
import { Gate, type Routine } from '../routine.ts'
import type { Privilege } from '../surroundings.ts'
import { durationText } from './back-off.ts'
import { ensureImage } from './image-pull.ts'
import type { KubeletCore } from './kubelet-core.ts'
import { type ContainerRecord, type ContainerRun, isRestarted, type WaitReason } from './pod-status.ts'
import { fieldValue, mountsOf, type Volumes } from './volumes.ts'

/** What the worker of a pod lends to its containers. */
export type ContainerContext = {
  readonly core: KubeletCore
  /** The pod as last seen. */
  pod(): PodObject
  /** Something has happened that the worker should look at. */
  wake(): void
  /** Runs beside the worker's story, until the worker is stopped. */
  spawn<T>(routine: Routine<T>, ended: (result: T) => void): void
}

/** Whether a hook of this container runs, and what ends it. */
export type RunningHook = { readonly kind: 'postStart' | 'preStop'; readonly stop: () => void }

const minimumGraceSeconds = 2

/** Pulls, creates, starts, runs postStart. @returns why the container waits; undefined when it runs. */
export function* bringUp(
  context: ContainerContext,
  record: ContainerRecord,
  volumes: Volumes,
  hooks: Map<string, RunningHook>,
): Routine<WaitReason | undefined> {
  const { core } = context
  const { spec } = record
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) => recordEvent(context, spec, type, reason, message)
  const image = yield* ensureImage({ ...core.pulls, event }, context.pod(), spec)
  if ('reason' in image) {
    event('Warning', 'Failed', `Error: ${image.reason}`)
    return image
  }
  record.imageId = `${(spec.image ?? '').split('@')[0]}@${image.digest}`
  const argv = [...(spec.command ?? image.command), ...(spec.args ?? [])]
  event('Normal', 'Created', 'Container created')
  yield { sleepMs: core.speeds.startMs }
  const run = start(context, record, { reference: spec.image ?? '', image, mounts: mountsOf(spec, volumes) }, argv)
  if (typeof run === 'string') {
    event('Warning', 'Failed', `Error: ${run}`)
    return { reason: 'RunContainerError', message: run }
  }
  event('Normal', 'Started', 'Container started')
  const hook = spec.lifecycle?.postStart
  if (hook === undefined) return undefined
  const result = yield* runHook(context, record, run, hook, 'postStart', hooks)
  if (result === undefined || (result !== 'ended early' && result.code === 0)) return undefined
  event('Warning', 'FailedPostStartHook', 'PostStartHook failed')
  const message = result === 'ended early' ? 'the container ended' : hookMessage(context.pod(), spec, hook, result)
  // The kubelet runs preStop also after a failed postStart (kubelet-facts.md 5).
  yield* bringDown(context, record, context.pod().spec?.terminationGracePeriodSeconds ?? 30, 'FailedPostStartHook', hooks)
  return { reason: 'PostStartHookError', message }
}

function start(
  context: ContainerContext,
  record: ContainerRecord,
  parts: Pick<ContainerOptions, 'reference' | 'image' | 'mounts'>,
  argv: readonly string[],
): ContainerRun | string {
  const { core } = context
  const { spec } = record
  const pod = context.pod()
  const number = record.run === undefined ? 0 : record.run.number + 1
  const started = startContainer(
    {
      ...parts,
      clock: core.clock,
      kernel: core.machine.kernel(),
      rootAccess: spec.securityContext?.readOnlyRootFilesystem === true ? 'read-only' : 'read-write',
      privileges: privilegesOf(spec, pod, core.machine.kernelLog),
      environment: new Map([
        ...parts.image.environment,
        ...(spec.env ?? []).map(env => [env.name, env.value ?? fieldValue(pod, env.valueFrom?.fieldRef)] as const),
      ]),
      directory: spec.workingDir ?? '/',
      terminationLogPath: spec.terminationMessagePath ?? '/dev/termination-log',
      programs: core.machine.programs,
      moduleMs: core.speeds.moduleMs,
      hasFirmware: name => core.machine.hasFirmware(name),
    },
    argv,
  )
  if (record.run?.end !== undefined) record.previous = record.run.end
  const nowMs = core.clock.nowMs()
  const id = createHash('sha256').update(`${pod.metadata.uid} ${spec.name} ${number}`).digest('hex')
  if (typeof started === 'string') {
    record.run = {
      id,
      number,
      startedAtMs: nowMs,
      container: undefined,
      startup: 'not probed',
      end: { id, exitCode: 128, reason: 'StartError', message: started, startedAtMs: undefined, finishedAtMs: nowMs },
    }
    return started
  }
  const startup = spec.startupProbe === undefined ? 'not probed' : 'pending'
  const run: ContainerRun = { id, number, startedAtMs: nowMs, container: started, startup, end: undefined }
  record.run = run
  started.exited.onOpen(() => {
    noteEnd(run, started, core.clock.nowMs())
    core.clock.after(core.speeds.relistMs, () => context.wake())
  })
  return run
}

function noteEnd(run: ContainerRun, container: Container, nowMs: number): void {
  if (run.end !== undefined) return
  const exitCode = container.exitCode() ?? 137
  run.end = {
    id: run.id,
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    message: container.terminationMessage(),
    startedAtMs: run.startedAtMs,
    finishedAtMs: nowMs,
  }
}

/** @returns undefined for a hook that is no program (nothing here serves HTTP), or the result; `ended early` when it could not run. */
function* runHook(
  context: ContainerContext,
  record: ContainerRecord,
  run: ContainerRun,
  hook: ExecAction,
  kind: RunningHook['kind'],
  hooks: Map<string, RunningHook>,
): Routine<ExecResult | 'ended early' | undefined> {
  if (hook.sleep !== undefined) yield { sleepMs: hook.sleep.seconds * 1000 }
  const command = hook.exec?.command
  if (command === undefined) return undefined
  if (run.container === undefined || run.end !== undefined) return 'ended early'
  yield { sleepMs: context.core.speeds.execMs }
  const done = new Gate()
  let result: ExecResult | undefined
  const task = run.container.exec(command, ended => {
    result = ended
    done.open()
  })
  if (typeof task === 'string') return { code: -1, error: task, text: '' }
  const name = `${record.spec.name} ${kind}`
  hooks.set(name, { kind, stop: () => task.signal('KILL') })
  yield { until: done }
  hooks.delete(name)
  return result ?? 'ended early'
}

/** As the kubelet words it, with Go's %q for the output. */
function hookMessage(pod: PodObject, spec: ContainerSpec, hook: ExecAction, result: ExecResult): string {
  const command = (hook.exec?.command ?? []).join(' ')
  const error = result.code === -1 ? result.error : `command '${command}' exited with ${result.code}: ${result.error}`
  return `Exec lifecycle hook ([${command}]) for Container "${spec.name}" in Pod "${podText(pod)}" failed - error: ${error}, message: ${JSON.stringify(result.text)}`
}

/** preStop, TERM, and KILL when the grace period is over (but never sooner than 2 s after TERM). */
export function* bringDown(
  context: ContainerContext,
  record: ContainerRecord,
  graceSeconds: number,
  message: string,
  hooks: Map<string, RunningHook>,
): Routine<void> {
  const { core } = context
  const { run, spec } = record
  if (run?.container === undefined || run.end !== undefined) return
  const { container } = run
  recordEvent(context, spec, 'Normal', 'Killing', message)
  const hook = spec.lifecycle?.preStop
  let leftSeconds = graceSeconds
  if (hook !== undefined && graceSeconds > 0) {
    const startMs = core.clock.nowMs()
    const done = new Gate()
    context.spawn(runHook(context, record, run, hook, 'preStop', hooks), result => {
      const isGood = result === undefined || (result !== 'ended early' && result.code === 0)
      // Also when it is killed with its container at the end of the grace period.
      if (!isGood) recordEvent(context, spec, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
      done.open()
    })
    yield { until: done, sleepMs: graceSeconds * 1000 }
    leftSeconds -= Math.floor((core.clock.nowMs() - startMs) / 1000)
  }
  container.signal('TERM')
  yield { until: container.exited, sleepMs: Math.max(minimumGraceSeconds, leftSeconds) * 1000 }
  container.signal('KILL')
}

/** Whether the container waits for its back-off, and then until when. */
export function crashLoop(
  context: ContainerContext,
  record: ContainerRecord,
  kind: 'init' | 'main',
): { readonly reason: WaitReason; readonly waitMs: number } | undefined {
  const { core } = context
  const end = record.run?.end
  if (end === undefined || !isRestarted(context.pod(), record, kind)) return undefined
  const key = `${context.pod().metadata.uid} ${record.spec.name}`
  const nowMs = core.clock.nowMs()
  const waitMs = core.crashes.waitMs(key, end.finishedAtMs, nowMs)
  if (waitMs === 0) {
    core.crashes.next(key, end.finishedAtMs, nowMs)
    return undefined
  }
  const pod = podText(context.pod())
  recordEvent(
    context,
    record.spec,
    'Warning',
    'BackOff',
    `Back-off restarting failed container ${record.spec.name} in pod ${pod}`,
  )
  const message = `back-off ${durationText(core.crashes.stepMs(key))} restarting failed container=${record.spec.name} pod=${pod}`
  return { reason: { reason: 'CrashLoopBackOff', message }, waitMs }
}

export function recordEvent(
  context: ContainerContext,
  spec: ContainerSpec,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  context.core.event({ about: context.pod(), fieldPath: `spec.containers{${spec.name}}`, type, reason, message })
}

function privilegesOf(spec: ContainerSpec, pod: PodObject, kernelLog: 'open' | 'restricted'): ReadonlySet<Privilege> {
  const { privileged, capabilities } = spec.securityContext ?? {}
  const user = spec.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser ?? 0
  const has = (capability: string) =>
    privileged === true ||
    (user === 0 &&
      (capabilities?.add ?? []).some(added => added === capability || added === 'ALL' || added === `CAP_${capability}`))
  const privileges = new Set<Privilege>()
  if (has('SYS_MODULE')) privileges.add('load modules')
  if (kernelLog === 'open' || has('SYSLOG')) privileges.add('read the kernel log')
  return privileges
}
