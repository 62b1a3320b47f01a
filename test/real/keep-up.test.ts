// The shell's list and watch on a real API server that is restarted and stands still: nothing is missed, nothing is invented.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject } from '../../src/core/object.ts'
import { type Clock, realClock } from '../../src/shell/clock.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { startListWatch } from '../../src/shell/kube/list-watch.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { configMaps } from './resources.ts'

const never = new AbortController().signal
const real = onControlPlane()

type Seen = {
  /** Value of `data.n` by name. */
  readonly values: Map<string, string>
  /** Lists that were completed. */
  lists: number
  isSynced(): boolean
  readonly log: string[]
}

/** Keeps up with the ConfigMaps of one namespace while `body` runs. */
async function keepingUp(
  plane: ControlPlane,
  namespace: string,
  clock: Clock,
  body: (seen: Seen) => Promise<void>,
): Promise<void> {
  await plane.transport(
    { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } }, deadlineMs: 5000 },
    never,
  )
  const transport = httpsTransport(plane.config, { userAgent: `keep-up-${namespace}`, clock })
  const values = new Map<string, string>()
  const stop = new AbortController()
  const log: string[] = []
  const { state, done } = startListWatch(
    {
      resource: configMaps,
      fieldSelector: `metadata.namespace=${namespace}`,
      transport,
      clock,
      chance: Math.random,
      log: (level, message, fields) => log.push(`${level} ${message} ${JSON.stringify(fields)}`),
      sink: {
        upsert: object => void values.set(object.metadata.name, (object as KubeObject & { data?: { n?: string } }).data?.n ?? ''),
        remove: object => void values.delete(object.metadata.name),
        listed: isSeen => {
          seen.lists += 1
          for (const name of values.keys()) {
            if (!isSeen({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, uid: uids.get(name) ?? '' } }))
              values.delete(name)
          }
        },
        reached: () => undefined,
      },
    },
    stop.signal,
  )
  const seen: Seen = { values, lists: 0, isSynced: () => state.synced, log }
  try {
    await body(seen)
  } finally {
    stop.abort()
    await done
    transport.close()
  }
}

const uids = new Map<string, string>()

async function write(plane: ControlPlane, namespace: string, name: string, n: number): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { n: String(n) } }
  const query = { fieldManager: 'test', force: 'true' }
  const request = { method: 'PATCH', path, query, body, contentType: 'application/apply-patch+yaml', deadlineMs: 5000 } as const
  const response = await plane.transport(request, never)
  assert.ok(response.status < 300, JSON.stringify(response.body))
  uids.set(name, (response.body as KubeObject).metadata.uid ?? '')
}

async function eventually(what: () => string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (isSo()) return
    await delay(50)
  }
  assert.fail(`not in 20 s: ${what()}`)
}

describe('keeping up with a real API server', () => {
  real('sees every change once it happened, and lists only once', plane =>
    keepingUp(plane, 'plain', realClock, async seen => {
      await write(plane, 'plain', 'a', 1)
      for (let n = 2; n <= 50; n++) await write(plane, 'plain', 'a', n)
      await write(plane, 'plain', 'b', 1)
      await plane.transport({ method: 'DELETE', path: '/api/v1/namespaces/plain/configmaps/b', deadlineMs: 5000 }, never)
      await eventually(
        () => JSON.stringify([...seen.values]),
        () => seen.values.get('a') === '50' && !seen.values.has('b'),
      )
      assert.equal(seen.lists, 1)
    }),
  )

  real('misses nothing that happened while the API server was restarted', plane =>
    keepingUp(plane, 'restart', realClock, async seen => {
      await write(plane, 'restart', 'kept', 1)
      await write(plane, 'restart', 'gone', 1)
      await eventually(
        () => JSON.stringify([...seen.values]),
        () => seen.values.size === 2,
      )
      await plane.restartApiServer()
      // Before the shell is back: its version may be older than what the new server can tell a watch from.
      await plane.transport({ method: 'DELETE', path: '/api/v1/namespaces/restart/configmaps/gone', deadlineMs: 5000 }, never)
      await write(plane, 'restart', 'kept', 2)
      await eventually(
        () => `${JSON.stringify([...seen.values])}\n${seen.log.join('\n')}`,
        () => seen.values.get('kept') === '2' && !seen.values.has('gone'),
      )
    }),
  )

  real('finds out by itself that an API server stands still with its connections open, and catches up afterwards', plane => {
    // Fifty times as fast as real time: 100 s of silence are 2 s.
    const factor = 50
    const quick: Clock = {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now() * factor,
      after: (delayMs, callback) => realClock.after(delayMs / factor, callback),
    }
    return keepingUp(plane, 'frozen', quick, async seen => {
      await write(plane, 'frozen', 'a', 1)
      await eventually(
        () => seen.log.join('\n'),
        () => seen.values.get('a') === '1' && seen.isSynced(),
      )
      plane.freeze()
      try {
        await eventually(
          () => seen.log.join('\n'),
          () => seen.log.some(line => line.includes('nothing came for 100 s')),
        )
      } finally {
        plane.thaw()
      }
      await write(plane, 'frozen', 'a', 2)
      await eventually(
        () => seen.log.join('\n'),
        () => seen.values.get('a') === '2',
      )
    })
  })
})
