import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PlannedEvent } from '../../src/core/plan.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { eventObject } from '../../src/shell/kube/event.ts'
import type { KubeRequest, KubeResponse } from '../../src/shell/kube/transport.ts'
import { EventSender } from '../../src/shell/loop/event-sender.ts'
import { status } from './scripted-server.ts'
import { pass, settle } from './turns.ts'

const event = (name: string, reason = 'Loaded', message = 'it is loaded'): PlannedEvent => ({
  about: { apiVersion: 'v1', kind: 'Node', name, uid: `uid-${name}` },
  type: 'Normal',
  reason,
  message,
})

function setUp(fault: (request: KubeRequest) => KubeResponse | Error | undefined = () => undefined) {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const stopping = new AbortController()
  const sent: { request: KubeRequest; atMs: number }[] = []
  const sender = new EventSender({
    clock,
    stop: stopping.signal,
    component: 'us',
    log: () => {},
    transport: request => {
      sent.push({ request, atMs: clock.monotonicMs() })
      const answer = fault(request)
      if (answer instanceof Error) return Promise.reject(answer)
      return Promise.resolve(answer ?? { status: 201, headers: {}, body: request.body })
    },
  })
  const bodies = () => sent.map(({ request }) => request.body as { metadata: { name: string }; count: number; reason: string })
  return { clock, stopping, sent, sender, bodies }
}

describe('Events', () => {
  it('are sent one a second', async () => {
    const { sender, clock, sent } = setUp()
    for (const name of ['a', 'b', 'c']) sender.tell(event(name))
    await pass(clock, 5_000)
    assert.deepEqual(
      sent.map(({ atMs }) => atMs),
      [0, 1_000, 2_000],
    )
    assert.equal(sent[0]?.request.path, '/api/v1/namespaces/default/events')
  })

  it('are told once per object and reason in five minutes; the count follows', async () => {
    const { sender, clock, sent, bodies } = setUp()
    sender.tell(event('a'))
    await pass(clock, 1_000)
    for (let time = 0; time < 3; time++) sender.tell(event('a', 'Loaded', `again ${time}`))
    sender.tell(event('a', 'Other'))
    await pass(clock, 10_000)
    assert.deepEqual(
      sent.map(({ request }) => request.method),
      ['POST', 'POST'],
    )
    await pass(clock, 300_000)
    assert.equal(sent[2]?.request.method, 'PATCH')
    assert.equal(sent[2]?.request.path, `/api/v1/namespaces/default/events/${bodies()[0]?.metadata.name}`)
    assert.deepEqual(sent[2]?.request.body, { count: 4, lastTimestamp: '2026-01-01T00:00:01Z', message: 'again 2' })
    sender.tell(event('a'))
    await pass(clock, 10_000)
    assert.equal(sent[3]?.request.method, 'POST', 'a new time, a new event')
    assert.notEqual(bodies()[3]?.metadata.name, bodies()[0]?.metadata.name)
  })

  it('are never doubled: a lost answer is asked for again under the same name', async () => {
    let lost = true
    const { sender, clock, bodies, sent } = setUp(({ method }) => {
      if (method === 'PATCH') return undefined
      if (!lost) return status(409, 'AlreadyExists')
      lost = false
      return new Error('socket hang up')
    })
    sender.tell(event('a'))
    await pass(clock, 60_000)
    assert.equal(bodies().length, 2)
    assert.equal(bodies()[0]?.metadata.name, bodies()[1]?.metadata.name)
    sender.tell(event('a'))
    await pass(clock, 300_000)
    assert.equal(sent[2]?.request.method, 'PATCH', 'it counts as told')
  })

  it('are given up after three outages, or at once where they are refused', async () => {
    const outage = setUp(() => status(503, 'ServiceUnavailable'))
    outage.sender.tell(event('a'))
    await pass(outage.clock, 60_000)
    assert.equal(outage.sent.length, 3)
    const refused = setUp(() => status(403, 'Forbidden'))
    refused.sender.tell(event('a'))
    await pass(refused.clock, 60_000)
    assert.equal(refused.sent.length, 1)
  })

  it('are dropped when too many wait', async () => {
    const { sender } = setUp()
    for (let number = 0; number < 2_000; number++) sender.tell(event(`n${number}`))
    await settle()
    assert.equal(sender.waiting, 500)
  })

  it('are not sent after the stop', async () => {
    const { sender, clock, stopping, sent } = setUp()
    sender.tell(event('a'))
    stopping.abort(new Error('stop'))
    sender.tell(event('b'))
    await pass(clock, 1_000_000)
    assert.equal(sent.length, 0)
  })

  it('say what happened to what, in the object of core/v1', () => {
    const times = { firstMs: Date.parse('2026-01-01T00:00:00Z'), lastMs: Date.parse('2026-01-01T00:01:00Z'), count: 2 }
    const told = eventObject(
      { ...event('a'), about: { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'ns', name: 'd' } },
      times,
      'us',
    )
    assert.match(told.metadata.name, /^d\.[0-9a-f]{16}$/)
    const { metadata: _, ...rest } = told
    assert.deepEqual(rest, {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'ns', name: 'd' },
      type: 'Normal',
      reason: 'Loaded',
      message: 'it is loaded',
      source: { component: 'us' },
      reportingComponent: 'us',
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:01:00Z',
      count: 2,
    })
    assert.equal(told.metadata.namespace, 'ns')
  })

  it('have at most 1024 bytes of message, whatever the characters', () => {
    const times = { firstMs: 0, lastMs: 0, count: 1 }
    for (const text of ['x'.repeat(3_000), 'ü'.repeat(1_500), '🚗'.repeat(700)]) {
      const { message } = eventObject(event('a', 'R', text), times, 'us')
      assert.ok(Buffer.byteLength(message) <= 1024)
      assert.equal(message, Buffer.from(message).toString(), 'no half character')
    }
  })
})
