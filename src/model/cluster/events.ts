// Events as the components of a cluster write them: the same words about the same object are one Event whose count grows.
import type { KubeObject } from '../../core/object.ts'
import { keyOf } from '../../core/object.ts'
import { events } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import type { ModelApi } from '../api-server.ts'
import { timeOf } from './pod-spec.ts'

type EventWords = {
  readonly about: KubeObject
  /** For example `spec.containers{module-loader}`. */
  readonly fieldPath?: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type EventRecorder = (words: EventWords) => void

type CountedEvent = KubeObject & { readonly count?: number }

/** `warnings`: Normal events are not written; in a large cluster there are several for each pod, and the model never forgets one. */
export type WrittenEvents = 'all' | 'warnings'

export const onlyWarnings =
  (record: EventRecorder): EventRecorder =>
  words => {
    if (words.type === 'Warning') record(words)
  }

/** @param component for example `kubelet`; @param host the node, if the component runs on one. */
export function createEventRecorder(api: ModelApi, clock: Clock, component: string, host?: string): EventRecorder {
  const known = new Map<string, string>()
  let number = 0
  return ({ about, fieldPath, type, reason, message }) => {
    const { uid, namespace, name } = about.metadata
    const now = timeOf(clock.nowMs())
    const same = JSON.stringify([uid, fieldPath, reason, message])
    const key = known.get(same)
    if (key !== undefined) {
      const counted = api.update(events, key, event => ({
        ...event,
        count: ((event as CountedEvent).count ?? 1) + 1,
        lastTimestamp: now,
      }))
      if (counted !== undefined) return
    }
    // Cluster-scoped objects have their events in the namespace default.
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${(clock.nowMs() * 1000 + (number++ % 1000)).toString(16)}`, namespace: namespace ?? 'default' },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
    }
    const created = attempt(() => api.create(events, event, component))
    if (created !== undefined) known.set(same, keyOf(created))
  }
}

/** What the API refuses (the object went, the namespace is terminating) is not done; components try again when they look again. */
export function attempt<T>(write: () => T): T | undefined {
  try {
    return write()
  } catch (error) {
    if (error instanceof Error && error.name === 'ApiError') return undefined
    throw error
  }
}
