// What the kubelet tells the API about a pod, from what its runtime shows (kubernetes, pkg/kubelet/kubelet_pods.go).
import type { Condition, ContainerState, ContainerStatus } from '../../../core/cluster.ts'
import type { Container } from '../container.ts'
import { type ContainerSpec, type PodObject, timeOf, withCondition } from '../pod-spec.ts'

type ContainerEnd = {
  /** Of the container that ended. */
  readonly id: string
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly startedAtMs: number | undefined
  readonly finishedAtMs: number
}

/** One life of a container; a restart is another one. */
export type ContainerRun = {
  readonly id: string
  /** restartCount: 0 for the first. */
  readonly number: number
  readonly startedAtMs: number
  /** Absent when it could not be started. */
  readonly container: Container | undefined
  /** What its startup probe has said; `not probed`: there is none, or nobody has probed yet since the kubelet began. */
  startup: 'not probed' | 'pending' | 'succeeded' | 'failed'
  end: ContainerEnd | undefined
}

export type ContainerRecord = {
  readonly spec: ContainerSpec
  imageId: string
  run: ContainerRun | undefined
  /** The end of the run before. */
  previous: ContainerEnd | undefined
}

/** Why a container waits; the kubelet's reason cache, lost when it restarts. */
export type WaitReason = {
  readonly reason: string
  readonly message: string
  /** When it makes sense to try again. */
  readonly retryMs?: number
}

/** Whether a container that has ended is started again. */
export function isRestarted(pod: PodObject, record: ContainerRecord, kind: 'init' | 'main'): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  const policy = pod.spec?.restartPolicy ?? 'Always'
  const code = record.run?.end?.exitCode
  if (code === undefined) return true
  if (policy === 'Never') return false
  return code !== 0 || (policy === 'Always' && kind === 'main')
}

function terminated(end: ContainerEnd): ContainerState {
  return {
    terminated: {
      exitCode: end.exitCode,
      reason: end.reason,
      ...(end.message === '' ? {} : { message: end.message }),
      ...(end.startedAtMs === undefined ? {} : { startedAt: timeOf(end.startedAtMs) }),
      finishedAt: timeOf(end.finishedAtMs),
      ...({ containerID: `containerd://${end.id}` } as object),
    },
  }
}

function containerStatus(
  pod: PodObject,
  record: ContainerRecord,
  reason: WaitReason | undefined,
  kind: 'init' | 'main',
  ended: boolean,
): ContainerStatus {
  const { run, previous, spec } = record
  const states = (): { state: ContainerState; lastState?: ContainerState } => {
    if (run === undefined) {
      if (ended) return { state: { terminated: lostContainer } }
      return { state: { waiting: waitingOf(reason) } }
    }
    const last = previous === undefined ? {} : { lastState: terminated(previous) }
    if (run.end === undefined) return { state: { running: { startedAt: timeOf(run.startedAtMs) } }, ...last }
    if (!ended && reason !== undefined && isRestarted(pod, record, kind))
      return { state: { waiting: waitingOf(reason) }, lastState: terminated(run.end) }
    return { state: terminated(run.end), ...last }
  }
  const isStarted = run !== undefined && run.end === undefined && (run.startup === 'not probed' || run.startup === 'succeeded')
  const isDone = kind === 'init' && run?.end?.exitCode === 0
  const extra: object = {
    image: spec.image ?? '',
    imageID: record.imageId,
    ...(run === undefined ? {} : { containerID: `containerd://${run.id}` }),
    started: isStarted,
  }
  return { name: spec.name, ready: isStarted || isDone, restartCount: run?.number ?? 0, ...states(), ...extra }
}

const waitingOf = (why: WaitReason | undefined) => {
  const { reason, message } = why ?? { reason: 'ContainerCreating', message: '' }
  return { reason, ...(message === '' ? {} : { message }) }
}

/** A pod that ends before a container of it was ever made (kubernetes, status_manager.go, TerminatePod). */
const lostContainer = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
}

function phaseOf(pod: PodObject, init: readonly ContainerStatus[], main: readonly ContainerStatus[], ended: boolean): string {
  const policy = pod.spec?.restartPolicy ?? 'Always'
  const ends = main.map(
    status => status.state?.terminated ?? (status.state?.waiting === undefined ? undefined : status.lastState?.terminated),
  )
  const isRunning = main.some(status => status.state?.running !== undefined)
  const isWaiting = main.some(status => status.state?.waiting !== undefined && status.lastState?.terminated === undefined)
  const failedInit = init.some(status => (status.state?.terminated?.exitCode ?? 0) !== 0)
  if (failedInit && (policy === 'Never' || ended)) return 'Failed'
  if (!ended && init.some(status => status.state?.terminated?.exitCode !== 0)) return 'Pending'
  if (isWaiting) return 'Pending'
  if (isRunning) return 'Running'
  const succeeded = ends.every(end => end?.exitCode === 0)
  if (ended) return succeeded ? 'Succeeded' : 'Failed'
  if (policy === 'Always') return 'Running'
  if (succeeded) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

/**
 * @param old the status in the API: conditions of others stay, transition times stay when nothing turned.
 * @param ended all containers are gone for good.
 */
export function podStatus(
  pod: PodObject,
  init: readonly ContainerRecord[],
  main: readonly ContainerRecord[],
  reasons: ReadonlyMap<string, WaitReason>,
  nowMs: number,
  ended: boolean,
): NonNullable<PodObject['status']> {
  const initStatuses = init.map(record => containerStatus(pod, record, reasons.get(record.spec.name), 'init', ended))
  const isInitialised = initStatuses.every(status => status.state?.terminated?.exitCode === 0)
  const mainStatuses = main.map(record => {
    const waiting =
      isInitialised || record.run !== undefined ? reasons.get(record.spec.name) : { reason: 'PodInitializing', message: '' }
    return containerStatus(pod, record, waiting, 'main', ended)
  })
  const phase = phaseOf(pod, initStatuses, mainStatuses, ended)
  const unready = mainStatuses.filter(status => status.ready !== true).map(status => status.name)
  const why = (): Partial<Condition> => {
    if (phase === 'Failed') return { reason: 'PodFailed' }
    if (phase === 'Succeeded') return { reason: 'PodCompleted' }
    return { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  }
  const ready = unready.length === 0 && phase === 'Running' ? { status: 'True' } : { status: 'False', ...why() }
  const next: readonly Condition[] = [
    { type: 'PodReadyToStartContainers', status: ended ? 'False' : 'True' },
    isInitialised
      ? { type: 'Initialized', status: 'True' }
      : { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized' },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ]
  const conditions = next.reduce((all, condition) => withCondition(all, condition, nowMs), pod.status?.conditions ?? [])
  return {
    phase,
    conditions,
    startTime: pod.status?.startTime ?? timeOf(nowMs),
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: mainStatuses,
    ...({ qosClass: 'BestEffort' } as object),
  }
}

/** Conditions that are not the kubelet's stay as they are. */
export function merged(object: PodObject, status: NonNullable<PodObject['status']>): NonNullable<PodObject['status']> {
  const own = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'])
  const theirs = (object.status?.conditions ?? []).filter(condition => !own.has(condition.type))
  const ours = (status.conditions ?? []).filter(condition => own.has(condition.type))
  return { ...object.status, ...status, conditions: [...ours, ...theirs] }
}
