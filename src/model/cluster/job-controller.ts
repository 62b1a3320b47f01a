// The Job controller for Jobs of one completion: a pod, another one after a failure, until it worked or backoffLimit is reached
// (kubernetes, pkg/controller/job).
import { controllerOf, type KubeObject, keyOf, type Labels } from '../../core/object.ts'
import { jobs, pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { isReady } from './daemon-set-pods.ts'
import { attempt, type EventRecorder } from './events.ts'
import { podName } from './names.ts'
import type { OwnedPods } from './owned-pods.ts'
import { type PodObject, type PodSpec, timeOf, uidOf } from './pod-spec.ts'
import { createWorkQueue } from './work-queue.ts'

type JobCondition = {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

type JobObject = KubeObject & {
  readonly spec: {
    readonly backoffLimit?: number
    readonly completions?: number
    readonly parallelism?: number
    readonly activeDeadlineSeconds?: number
    readonly suspend?: boolean
    readonly template: {
      readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels }
      readonly spec?: PodSpec
    }
  }
  readonly status?: {
    readonly conditions?: readonly JobCondition[]
    readonly startTime?: string
    readonly failed?: number
    readonly succeeded?: number
    readonly active?: number
  }
}

/** Keeps a pod until its end is counted. */
const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
const retryMs = { first: 10_000, longest: 600_000 }

export function createJobController(context: {
  readonly api: ModelApi
  readonly clock: Clock
  readonly owned: OwnedPods
  readonly latencyMs: number
  recorder(component: string): EventRecorder
}): {
  changed(change: Change): void
} {
  const { api, clock, owned } = context
  const event = context.recorder('job-controller')
  const queue = createWorkQueue(clock, context.latencyMs, key => sync(key))
  const lastFailureMs = new Map<string, number>()

  const sync = (key: string) => {
    const job = api.get(jobs, key) as JobObject | undefined
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return
    const isOver = job.status?.conditions?.some(
      condition => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
    )
    const all = [...owned.of(uidOf(job)).values()]
    const counts = countEnded(job, all)
    const alive = all.filter(pod => pod.metadata.deletionTimestamp === undefined && !hasEnded(pod))
    if (isOver === true) {
      for (const pod of alive) attempt(() => api.remove(pods, keyOf(pod)))
      return
    }
    const startTime = job.status?.startTime ?? timeOf(clock.nowMs())
    const verdict = judge(job, counts, startTime)
    let active = alive.length
    if (verdict !== undefined) {
      for (const pod of alive) attempt(() => api.remove(pods, keyOf(pod)))
      active = 0
    } else if (
      job.spec.suspend !== true &&
      active < Math.min(job.spec.parallelism ?? 1, (job.spec.completions ?? 1) - counts.succeeded)
    ) {
      const waitMs = waitBeforeNext(job, counts.failed)
      if (waitMs > 0) queue.addAfter(key, waitMs)
      else if (createPod(job, counts.failed + counts.succeeded)) active++
    }
    const status = {
      ...job.status,
      startTime,
      ...(active === 0 ? { active: undefined } : { active }),
      ...(counts.failed === 0 ? {} : { failed: counts.failed }),
      ...(counts.succeeded === 0 ? {} : { succeeded: counts.succeeded }),
      ready: alive.filter(isReady).length,
      ...(verdict === undefined ? {} : { conditions: [...(job.status?.conditions ?? []), ...verdict.map(stamped)] }),
      ...(verdict?.some(condition => condition.type === 'Complete') === true ? { completionTime: timeOf(clock.nowMs()) } : {}),
    }
    attempt(() => api.updateStatus(jobs, key, object => ({ ...object, status }) as KubeObject, 'job-controller'))
    if (job.spec.activeDeadlineSeconds !== undefined && verdict === undefined) {
      queue.addAfter(key, Date.parse(startTime) + job.spec.activeDeadlineSeconds * 1000 - clock.nowMs())
    }
  }
  const stamped = (condition: JobCondition): JobCondition => ({ ...condition, lastTransitionTime: timeOf(clock.nowMs()) })

  /** Counts pods that have ended and lets them go: afterwards only the status knows of them. */
  const countEnded = (job: JobObject, all: readonly PodObject[]): { readonly failed: number; readonly succeeded: number } => {
    let failed = job.status?.failed ?? 0
    let succeeded = job.status?.succeeded ?? 0
    for (const pod of all) {
      if (!hasEnded(pod) || pod.metadata.finalizers?.includes(trackingFinalizer) !== true) continue
      if (pod.status?.phase === 'Succeeded') succeeded++
      else {
        failed++
        lastFailureMs.set(uidOf(job), clock.nowMs())
      }
      const without = (object: KubeObject) => ({
        ...object,
        metadata: {
          ...object.metadata,
          finalizers: (object.metadata.finalizers ?? []).filter(finalizer => finalizer !== trackingFinalizer),
        },
      })
      attempt(() => api.update(pods, keyOf(pod), without, 'job-controller'))
    }
    return { failed, succeeded }
  }

  const judge = (
    job: JobObject,
    counts: { readonly failed: number; readonly succeeded: number },
    startTime: string,
  ): readonly JobCondition[] | undefined => {
    if (counts.succeeded >= (job.spec.completions ?? 1)) {
      event({ about: job, type: 'Normal', reason: 'Completed', message: 'Job completed' })
      const why = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
      return [
        { type: 'SuccessCriteriaMet', status: 'True', ...why },
        { type: 'Complete', status: 'True', ...why },
      ]
    }
    const isLate =
      job.spec.activeDeadlineSeconds !== undefined &&
      Date.parse(startTime) + job.spec.activeDeadlineSeconds * 1000 <= clock.nowMs()
    if (!isLate && counts.failed <= (job.spec.backoffLimit ?? 6)) return undefined
    const why = isLate
      ? { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
      : { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
    event({ about: job, type: 'Warning', ...why })
    return [
      { type: 'FailureTarget', status: 'True', ...why },
      { type: 'Failed', status: 'True', ...why },
    ]
  }

  const waitBeforeNext = (job: JobObject, failed: number): number => {
    const last = lastFailureMs.get(uidOf(job))
    if (last === undefined || failed === 0) return 0
    return last + Math.min(retryMs.longest, retryMs.first * 2 ** (failed - 1)) - clock.nowMs()
  }

  const createPod = (job: JobObject, number: number): boolean => {
    const { template } = job.spec
    const isTaken = (name: string) => api.get(pods, `${job.metadata.namespace ?? ''}/${name}`) !== undefined
    const pod: PodObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: podName(job.metadata.name, `${uidOf(job)} ${number} ${clock.nowMs()}`, isTaken),
        namespace: job.metadata.namespace ?? '',
        labels: {
          ...template.metadata?.labels,
          'job-name': job.metadata.name,
          'batch.kubernetes.io/job-name': job.metadata.name,
          'controller-uid': uidOf(job),
          'batch.kubernetes.io/controller-uid': uidOf(job),
        },
        ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
        finalizers: [trackingFinalizer],
        ownerReferences: [
          {
            apiVersion: job.apiVersion,
            kind: job.kind,
            name: job.metadata.name,
            uid: uidOf(job),
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { ...template.spec },
    }
    try {
      api.create(pods, pod, 'job-controller')
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ApiError') throw error
      event({ about: job, type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${error.message}` })
      queue.addAfter(keyOf(job), retryMs.first)
      return false
    }
    event({ about: job, type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod.metadata.name}` })
    return true
  }

  /** A Job that goes lets go of its pods, so that the garbage collector can take them. */
  const letGo = (pod: KubeObject) => {
    const owner = controllerOf(pod)
    if (
      owner?.kind !== 'Job' ||
      pod.metadata.deletionTimestamp === undefined ||
      pod.metadata.finalizers?.includes(trackingFinalizer) !== true
    )
      return false
    const job = api.get(jobs, keyOf({ metadata: { name: owner.name, namespace: pod.metadata.namespace ?? '' } }))
    if (job !== undefined && uidOf(job) === owner.uid && job.metadata.deletionTimestamp === undefined) return false
    const finalizers = pod.metadata.finalizers.filter(finalizer => finalizer !== trackingFinalizer)
    clock.after(context.latencyMs, () =>
      attempt(() => api.update(pods, keyOf(pod), object => ({ ...object, metadata: { ...object.metadata, finalizers } }))),
    )
    return true
  }

  return {
    changed({ resource, type, object }) {
      if (resource.kind === 'Job' && type !== 'DELETED') queue.add(keyOf(object))
      if (resource.kind !== 'Pod') return
      if (type !== 'DELETED' && letGo(object)) return
      const owner = controllerOf(object)
      if (owner?.kind === 'Job') queue.add(keyOf({ metadata: { name: owner.name, namespace: object.metadata.namespace ?? '' } }))
    },
  }
}

const hasEnded = (pod: PodObject): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
