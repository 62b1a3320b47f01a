// One pod on one node: what the kubelet's pod worker does, one step after the other (kubernetes, pkg/kubelet/pod_workers.go, kubelet.go).

import { keyOf } from '../../../core/object.ts'
import { pods } from '../../../core/resources.ts'
import { attempt } from '../events.ts'
import { isTerminal, type PodObject, uidOf } from '../pod-spec.ts'
import { Gate, type Routine, type RunningRoutine, startRoutine } from '../routine.ts'
import { bringDown, bringUp, type ContainerContext, crashLoop, type RunningHook, recordEvent } from './container-life.ts'
import type { KubeletCore } from './kubelet-core.ts'
import { type ContainerRecord, type ContainerRun, isRestarted, merged, podStatus, type WaitReason } from './pod-status.ts'
import { probeStartup } from './startup-probe.ts'
import { setUpVolumes, type Volumes } from './volumes.ts'

export type PodWorker = {
  readonly uid: string
  /** The pod as the API has it now. */
  update(pod: PodObject): void
  /** The pod is gone from the API: its containers are ended without a report. */
  vanish(): void
  /** The kubelet's process begins again, and reads the pod anew; `unknown` when it cannot ask. */
  restart(now: PodObject | 'gone' | 'unknown'): void
  /** The power goes: containers are gone with the kernel. */
  powerOff(): void
  /** The last status is sent again if the API has another one. */
  report(): void
  /** Whether the API shows another readiness than the kubelet said last. */
  differs(pod: PodObject): boolean
  /** The kubelet's process has ended: nothing is done until `restart`. Hooks are cut, containers go on. */
  stop(): void
  /** Its containers die, as when memory runs out: no hook runs, and the kubelet starts them again by the pod's restart policy. */
  killContainers(): void
}

type Stage = 'running' | 'ending' | 'ended'

const volumeRetryMs = { first: 500, longest: 122_000 }

export function createPodWorker(core: KubeletCore, first: PodObject, forget: (uid: string) => void): PodWorker {
  let pod = first
  let stage: Stage = 'running'
  let isVanished = false
  const running = new Set<RunningRoutine>()
  let changed = new Gate()
  let volumes: Volumes | undefined
  let last: PodObject['status'] | undefined
  const init: ContainerRecord[] = recordsOf(first.spec?.initContainers)
  const main: ContainerRecord[] = recordsOf(first.spec?.containers)
  const reasons = new Map<string, WaitReason>()
  const hooks = new Map<string, RunningHook>()
  /** Containers with a startup probe that somebody probes. */
  let probed = new Set<ContainerRun>()
  const uid = uidOf(first)
  const spawn = <T>(routine: Routine<T>, ended: (result: T) => void): void => {
    let one: RunningRoutine | undefined
    let isOver = false
    one = startRoutine(core.clock, routine, result => {
      isOver = true
      if (one !== undefined) running.delete(one)
      ended(result)
    })
    if (!isOver) running.add(one)
  }
  const context: ContainerContext = { core, pod: () => pod, wake: () => changed.open(), spawn }

  const send = () => {
    const status = last
    if (isVanished || status === undefined || !core.isConnected()) return
    const key = keyOf(pod)
    if (core.api.get(pods, key)?.metadata.uid !== uid) return
    attempt(() =>
      core.api.updateStatus(pods, key, object => ({ ...object, status: merged(object, status) }) as PodObject, 'kubelet'),
    )
  }
  const publish = (how: 'now' | 'ended') => {
    last = podStatus(
      last === undefined ? pod : { ...pod, status: { ...pod.status, conditions: last.conditions ?? [] } },
      init,
      main,
      reasons,
      core.clock.nowMs(),
      how === 'ended',
    )
    send()
  }
  /** Ends whatever the worker is doing. */
  const stop = () => {
    const all = [...running]
    running.clear()
    probed = new Set()
    for (const one of all) one.cancel()
  }
  /** The worker's one story: what it did before is over. */
  const begin = (routine: Routine<void>, then: () => void) => {
    stop()
    spawn(routine, then)
  }

  function* mounted(): Routine<Volumes> {
    for (let waitMs = volumeRetryMs.first; ; waitMs = Math.min(volumeRetryMs.longest, waitMs * 2)) {
      const found = setUpVolumes(pod, core.machine.hostTree, core.api)
      if (typeof found !== 'string') return found
      core.event({ about: pod, type: 'Warning', reason: 'FailedMount', message: found })
      yield { sleepMs: waitMs }
    }
  }

  const probe = () => {
    for (const { spec, run } of main) {
      if (spec.startupProbe === undefined || run?.end !== undefined || run === undefined || probed.has(run)) continue
      probed.add(run)
      spawn(probeStartup(context, spec, run), () => undefined)
    }
  }

  /** Starts what should run. @returns whether anything was tried or has changed, and when to look again. */
  function* pass(): Routine<{ readonly isBusy: boolean; readonly againMs: number | undefined }> {
    let isBusy = false
    let againMs: number | undefined
    const all = [
      ...init.map(record => ({ record, kind: 'init' as const })),
      ...main.map(record => ({ record, kind: 'main' as const })),
    ]
    for (const { record, kind } of all) {
      const { name } = record.spec
      if (record.run?.startup === 'failed' && record.run.end === undefined) {
        const graceSeconds = record.spec.startupProbe?.terminationGracePeriodSeconds ?? graceOf(pod)
        const next = (pod.spec?.restartPolicy ?? 'Always') === 'Never' ? '' : ', will be restarted'
        yield* bringDown(context, record, graceSeconds, `Container ${name} failed startup probe${next}`, hooks)
        isBusy = true
      }
      const isDone = kind === 'init' && record.run?.end?.exitCode === 0
      if (isDone || (record.run !== undefined && record.run.end === undefined) || !isRestarted(pod, record, kind)) {
        if (kind === 'init' && !isDone) return { isBusy, againMs }
        continue
      }
      const waiting = crashLoop(context, record, kind)
      if (waiting !== undefined) {
        isBusy ||= reasons.get(name)?.message !== waiting.reason.message
        reasons.set(name, waiting.reason)
        againMs = Math.min(againMs ?? waiting.waitMs, waiting.waitMs)
      } else {
        volumes ??= yield* mounted()
        const before = reasons.get(name)
        const failed = yield* bringUp(context, record, volumes, hooks)
        if (failed === undefined) reasons.delete(name)
        else reasons.set(name, failed)
        isBusy ||= failed?.retryMs === undefined || before?.message !== failed.message
        if (failed?.retryMs !== undefined) againMs = Math.min(againMs ?? failed.retryMs, failed.retryMs)
      }
      if (kind === 'init') return { isBusy, againMs }
    }
    return { isBusy, againMs }
  }

  function* run(): Routine<void> {
    for (;;) {
      changed = new Gate()
      publish('now')
      probe()
      if (isTerminal({ ...pod, ...(last === undefined ? {} : { status: last }) })) {
        stage = 'ended'
        return
      }
      const { isBusy, againMs } = yield* pass()
      // What was done is seen, and reported, at the next look of the kubelet at its runtime.
      if (isBusy) yield { sleepMs: core.speeds.relistMs }
      else yield { until: changed, ...(againMs === undefined ? {} : { sleepMs: againMs }) }
    }
  }

  function* end(graceSeconds: number): Routine<void> {
    publish('now')
    const alive = main.concat(init).filter(record => record.run !== undefined && record.run.end === undefined)
    const gates = alive.map(record => {
      const gate = new Gate()
      spawn(bringDown(context, record, graceSeconds, `Stopping container ${record.spec.name}`, hooks), () => gate.open())
      return gate
    })
    for (const gate of gates) yield { until: gate }
    yield { sleepMs: core.speeds.relistMs }
    stage = 'ended'
    publish('ended')
  }

  /** The kubelet's second delete takes the object away, or leaves it to its finalizers. */
  function* leave(): Routine<void> {
    yield { sleepMs: core.speeds.cleanUpMs }
    while (!core.isConnected()) yield { until: core.connection() }
    if (pod.metadata.deletionTimestamp === undefined) return
    send()
    attempt(() => core.api.remove(pods, keyOf(pod), { gracePeriodSeconds: 0, uid }))
  }

  const cutHooks = (why: 'pod deleted' | 'kubelet restarted') => {
    for (const [name, hook] of Array.from(hooks)) {
      const record = main.find(candidate => name === `${candidate.spec.name} ${hook.kind}`)
      hooks.delete(name)
      if (record !== undefined && hook.kind === 'postStart' && why === 'pod deleted') {
        // The cancelled start kills the container in vain: its own preStop call fails with the cancelled context.
        recordEvent(context, record.spec, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
        recordEvent(context, record.spec, 'Normal', 'Killing', 'FailedPostStartHook')
        if (record.spec.lifecycle?.preStop !== undefined)
          recordEvent(context, record.spec, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
      }
      hook.stop()
    }
  }

  const startEnding = (graceSeconds: number) => {
    stage = 'ending'
    stop()
    cutHooks('pod deleted')
    begin(end(Math.max(1, graceSeconds)), () => {
      if (isVanished) forget(uid)
      else begin(leave(), () => undefined)
    })
  }

  const continueStory = () => {
    if (isVanished) return startEnding(1)
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (stage !== 'ended') return startEnding(graceOf(pod))
      return begin(leave(), () => undefined)
    }
    if (stage !== 'ended') begin(run(), () => undefined)
  }

  if (isTerminal(first)) stage = 'ended'
  continueStory()

  return {
    uid,
    update(next) {
      const before = pod
      pod = next
      if (pod.metadata.deletionTimestamp === undefined) return
      const isNew = before.metadata.deletionTimestamp === undefined
      const isShorter = graceOf(pod) < graceOf(before)
      if (stage === 'running' || (stage === 'ending' && (isNew || isShorter))) startEnding(graceOf(pod))
      else if (stage === 'ended' && isNew) begin(leave(), () => undefined)
    },
    vanish() {
      if (isVanished) return
      isVanished = true
      const wasForced = pod.metadata.deletionGracePeriodSeconds === 0
      if (stage === 'ended') return forget(uid)
      if (stage === 'running') startEnding(wasForced ? 1 : (pod.spec?.terminationGracePeriodSeconds ?? 30))
    },
    restart(now) {
      stop()
      reasons.clear()
      // Whoever probed is forgotten with what was found.
      for (const { run: life } of main) if (life !== undefined) life.startup = 'not probed'
      if (now === 'gone') isVanished = true
      else if (now !== 'unknown') pod = now
      continueStory()
    },
    powerOff() {
      stop()
      hooks.clear()
      volumes = undefined
      reasons.clear()
      for (const { run: life } of main.concat(init)) {
        if (life === undefined || life.end !== undefined) continue
        // The runtime finds it dead at the next boot and does not know how it ended.
        life.end = {
          id: life.id,
          exitCode: 255,
          reason: 'Unknown',
          message: life.container?.terminationMessage() ?? '',
          startedAtMs: life.startedAtMs,
          finishedAtMs: core.clock.nowMs(),
        }
        life.container?.destroy()
      }
    },
    report: send,
    differs: object => last !== undefined && readiness(object.status) !== readiness(last),
    stop() {
      stop()
      cutHooks('kubelet restarted')
    },
    killContainers() {
      for (const { run: life } of main) if (life !== undefined && life.end === undefined) life.container?.signal('KILL')
    },
  }
}

const recordsOf = (specs: readonly ContainerRecord['spec'][] | undefined): ContainerRecord[] =>
  (specs ?? []).map(spec => ({ spec, imageId: '', run: undefined, previous: undefined }))

const graceOf = (pod: PodObject): number =>
  pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30

const readiness = (status: PodObject['status']): string | undefined =>
  status?.conditions?.find(condition => condition.type === 'Ready')?.status
