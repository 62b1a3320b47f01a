// What a kubelet would tell of pods whose containers it only pretends to run. The words and fields are those of the stages that
// test/control-plane/kubelets.yaml gives to kwok, so that one operator sees the same on both.
import { createHash } from 'node:crypto'
import type { Condition } from '../../../core/cluster.ts'
import { type ContainerSpec, type PodObject, timeOf } from '../pod-spec.ts'

type Status = NonNullable<PodObject['status']> & { readonly [field: string]: unknown }

const runningTypes = ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready']
const readyTypes = ['ContainersReady', 'Ready']

/** Every container runs and is ready, since now. */
export function runningStatus(pod: PodObject, nowMs: number): Status {
  const now = timeOf(nowMs)
  const { initContainers = [], containers = [] } = pod.spec ?? {}
  const done = { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } }
  const init = initContainers.map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready: true,
    restartCount: 0,
    state: done,
  }))
  return {
    ...pod.status,
    phase: 'Running',
    startTime: now,
    conditions: merged(pod, runningTypes, { status: 'True' }, now),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: containers.map(spec => ({ ...facts(spec, true), state: { running: { startedAt: now } } })),
  }
}

/** Every container has ended by itself. */
export function completedStatus(pod: PodObject, nowMs: number): Status {
  const now = timeOf(nowMs)
  const terminated = { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now }
  const containerStatuses = (pod.spec?.containers ?? []).map(spec => ({ ...facts(spec, false), state: { terminated } }))
  return { ...pod.status, phase: 'Succeeded', containerStatuses }
}

/** Every container of a deleted pod has ended; `message` is the last that each said, empty for nothing. */
export function endedStatus(pod: PodObject, nowMs: number, message: string): Status {
  const now = timeOf(nowMs)
  const words = message === '' ? {} : { message }
  const terminated = { exitCode: 0, reason: 'Completed', ...words, startedAt: now, finishedAt: now }
  return {
    ...pod.status,
    phase: 'Succeeded',
    conditions: merged(pod, readyTypes, { status: 'False', reason: 'PodCompleted' }, now),
    containerStatuses: (pod.spec?.containers ?? []).map(spec => ({ ...facts(spec, false), state: { terminated } })),
  }
}

function merged(pod: PodObject, types: readonly string[], words: Omit<Condition, 'type'>, now: string): readonly Condition[] {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !types.includes(type))
  return [...others, ...types.map(type => ({ type, ...words, lastTransitionTime: now }))]
}

const facts = ({ name, image = '' }: ContainerSpec, isUp: boolean) => ({
  name,
  image,
  imageID: imageIdOf(image),
  ready: isUp,
  started: isUp,
  restartCount: 0,
})

/** A digest that stands for the image; images are few and pods are many. */
function imageIdOf(image: string): string {
  const known = imageIds.get(image)
  if (known !== undefined) return known
  const id = `${image}@sha256:${createHash('sha256').update(image).digest('hex')}`
  if (imageIds.size >= mostImages) imageIds.clear()
  imageIds.set(image, id)
  return id
}
const imageIds = new Map<string, string>()
const mostImages = 10_000
