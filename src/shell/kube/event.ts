// The API object of a planned event. Source: core/v1 Event; names as client-go's recorder gives them (object name, dot, hash),
// but derived from what is told, so that a repeated request cannot make a second event.
import { createHash } from 'node:crypto'
import type { KubeObject } from '../../core/object.ts'
import type { PlannedEvent } from '../../core/plan.ts'

export type EventObject = KubeObject & { readonly count: number; readonly lastTimestamp: string; readonly message: string }

// core/v1 validation: 1024 bytes; cut by characters of at most 4 bytes where it may be longer.
const longestMessage = 1024

function cut(message: string): string {
  if (Buffer.byteLength(message) <= longestMessage) return message
  let short = message.slice(0, longestMessage - 3)
  while (Buffer.byteLength(short) > longestMessage - 3) short = short.slice(0, -1)
  return `${short.replace(/[\uD800-\uDBFF]$/, '')}...`
}

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

export type EventTimes = { readonly firstMs: number; readonly lastMs: number; readonly count: number }

/** Milliseconds since the epoch; `component` is who tells it. Events about cluster-scoped objects live in `default`. */
export function eventObject(event: PlannedEvent, times: EventTimes, component: string): EventObject {
  const { apiVersion, kind, name, namespace, uid } = event.about
  const told = JSON.stringify([apiVersion, kind, namespace, name, uid, event.reason, event.message, times.firstMs])
  const hash = createHash('sha256').update(told).digest('hex').slice(0, 16)
  const object = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 230)}.${hash}`, namespace: namespace ?? 'default' },
    involvedObject: {
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    type: event.type,
    reason: event.reason,
    message: cut(event.message),
    source: { component },
    reportingComponent: component,
    firstTimestamp: seconds(times.firstMs),
    lastTimestamp: seconds(times.lastMs),
    count: times.count,
  }
  return object
}
