import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import type { KubeObject, Resource } from '../../src/core/object.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { startListWatch } from '../../src/shell/kube/list-watch.ts'
import { TransportError } from '../../src/shell/kube/transport-error.ts'
import { scriptedServer, status } from './scripted-server.ts'
import { pass, settle } from './turns.ts'

const things: Resource = { apiVersion: 'v1', kind: 'Thing', plural: 'things', namespaced: true }
let end = () => {}
afterEach(() => end())

function setUp(server = scriptedServer(), resource = things) {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const stopping = new AbortController()
  end = () => stopping.abort(new Error('the test is over'))
  const store = new Map<string, KubeObject>()
  const heard: string[] = []
  const logs: string[] = []
  const note = (what: string, object: KubeObject) =>
    heard.push(`${what} ${object.metadata.name}@${object.metadata.resourceVersion}`)
  const { state, done } = startListWatch(
    {
      resource,
      labelSelector: 'ours=yes',
      transport: server.transport,
      clock,
      chance: () => 0.5,
      log: (level, message) => logs.push(`${level} ${message}`),
      sink: {
        upsert: object => {
          note('+', object)
          store.set(object.metadata.name, object)
        },
        remove: object => {
          note('-', object)
          store.delete(object.metadata.name)
        },
        listed: seen => {
          for (const [name, object] of store) {
            if (seen(object)) continue
            note('gone', object)
            store.delete(name)
          }
        },
        reached: () => {},
      },
    },
    stopping.signal,
  )
  const connection = () => server.connections.at(-1) ?? assert.fail('no watch is open')
  const watches = () => server.requests.filter(request => request.query?.['watch'] === 'true')
  const lists = () => server.requests.filter(request => request.query?.['watch'] === undefined)
  const names = () => [...store.keys()].sort()
  return { server, clock, store, heard, logs, state, done, stopping, connection, watches, lists, names }
}

describe('The list-watch', () => {
  it('lists in pages, newest state, and watches from there with bookmarks', async () => {
    const server = scriptedServer()
    for (let number = 0; number < 1_200; number++) server.put(`t${number}`)
    const { state, store, lists, watches, connection } = setUp(server)
    await settle()
    assert.equal(store.size, 1_200)
    assert.deepEqual(
      lists().map(request => request.query),
      [
        { labelSelector: 'ours=yes', limit: '500' },
        { labelSelector: 'ours=yes', limit: '500', continue: '500' },
        { labelSelector: 'ours=yes', limit: '500', continue: '1000' },
      ],
    )
    assert.deepEqual(
      watches().map(request => request.query),
      [{ labelSelector: 'ours=yes', watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '1300', timeoutSeconds: '450' }],
    )
    assert.equal(watches()[0]?.silenceMs, 100_000)
    assert.ok(state.synced)
    connection().push({ type: 'BOOKMARK', object: { kind: 'Thing', metadata: { resourceVersion: '1400' } } })
    await settle()
    assert.equal(state.resourceVersion, '1400')
  })

  it('gives items of a typed list their apiVersion and kind', async () => {
    const server = scriptedServer()
    server.put('a')
    const { store } = setUp(server)
    await settle()
    assert.equal(store.get('a')?.kind, 'Thing')
    assert.equal(store.get('a')?.apiVersion, 'v1')
  })

  it('follows the events in their order', async () => {
    const { server, heard, connection } = setUp()
    await settle()
    connection().push({ type: 'ADDED', object: server.put('a') })
    connection().push({ type: 'MODIFIED', object: server.put('a') })
    connection().push({ type: 'DELETED', object: server.drop('a') })
    await settle()
    assert.deepEqual(heard, ['+ a@101', '+ a@102', '- a@103'])
  })

  for (const how of ['close', 'cut'] as const) {
    it(`goes on from the last version after the watch was ${how === 'close' ? 'closed' : 'cut'}, without a new list`, async () => {
      const { server, clock, connection, watches, lists, names } = setUp()
      await settle()
      connection().push({ type: 'ADDED', object: server.put('a') })
      await pass(clock, 60_000)
      const missed = server.put('b')
      if (how === 'close') connection().close()
      else connection().cut(new Error('socket hang up'))
      await pass(clock, 2_000)
      assert.equal(watches().at(-1)?.query?.['resourceVersion'], '101')
      connection().push({ type: 'ADDED', object: missed })
      await settle()
      assert.deepEqual(names(), ['a', 'b'])
      assert.equal(lists().length, 1)
    })
  }

  const expired: readonly { it: string; fail: (test: ReturnType<typeof setUp>) => void }[] = [
    {
      it: 'as an answer',
      fail: ({ server, connection }) => {
        server.faults.push(() => status(410, 'Expired'))
        connection().close()
      },
    },
    { it: 'in the stream', fail: ({ connection }) => connection().push({ type: 'ERROR', object: status(410, 'Expired').body }) },
  ]
  for (const { it: where, fail } of expired) {
    it(`lists again after a 410 ${where}, and tells what is gone meanwhile`, async () => {
      const server = scriptedServer()
      server.put('stays')
      server.put('goes')
      const test = setUp(server)
      await pass(test.clock, 5_000)
      server.drop('goes')
      server.put('comes')
      fail(test)
      await settle()
      assert.equal(test.lists().length, 2)
      assert.deepEqual(test.names(), ['comes', 'stays'])
      assert.ok(test.heard.includes('gone goes@102'))
      assert.equal(test.watches().at(-1)?.query?.['resourceVersion'], '104')
      assert.ok(test.state.synced)
    })
  }

  it('counts as not synced while it lists again', async () => {
    const { server, connection, state, clock } = setUp()
    await settle()
    server.faults.push(() => status(500, 'InternalError'))
    connection().push({ type: 'ERROR', object: status(410, 'Expired').body })
    await settle()
    assert.equal(state.synced, false)
    await pass(clock, 5_000)
    assert.ok(state.synced)
  })

  it('does not list in a hot loop where every watch is refused with 410', async () => {
    const { server, connection, clock, lists } = setUp()
    await settle()
    server.faults.push(
      ...Array.from(
        { length: 1_000 },
        () => (request: { query?: Readonly<Record<string, string>> }) =>
          request.query?.['watch'] ? status(410, 'Expired') : undefined,
      ),
    )
    connection().close()
    await pass(clock, 60_000)
    assert.ok(lists().length <= 9, `${lists().length} lists in a minute`)
  })

  it('takes the whole list in one piece when its pages expire', async () => {
    const server = scriptedServer()
    for (let number = 0; number < 600; number++) server.put(`t${number}`)
    server.faults.push(
      () => undefined,
      () => status(410, 'Expired'),
    )
    const { lists, state, store } = setUp(server)
    await settle()
    assert.deepEqual(
      lists().map(request => request.query?.['limit']),
      ['500', '500', undefined],
    )
    assert.ok(state.synced)
    assert.equal(store.size, 600)
  })

  it('waits as long as Retry-After says', async () => {
    const server = scriptedServer()
    server.faults.push(() => status(429, 'TooManyRequests', { 'retry-after': '7' }))
    const { clock, state } = setUp(server)
    await pass(clock, 6_900)
    assert.equal(state.synced, false)
    await pass(clock, 200)
    assert.ok(state.synced)
  })

  it('never gives up, and waits longer each time, at most half a minute', async () => {
    const server = scriptedServer()
    server.faults.push(...Array.from({ length: 40 }, () => () => new Error('connect ECONNREFUSED')))
    const { clock, state } = setUp(server)
    const waits: number[] = []
    for (let tries = server.requests.length; !state.synced; ) {
      const beforeMs = clock.monotonicMs()
      await settle()
      if (!clock.advanceToNext()) break
      await settle()
      if (server.requests.length > tries) waits.push(clock.monotonicMs() - beforeMs)
      tries = server.requests.length
      assert.ok(clock.monotonicMs() < 3_600_000)
    }
    assert.ok(state.synced)
    assert.deepEqual(waits.slice(0, 4), [375, 750, 1_500, 3_000])
    assert.ok(waits.every(wait => wait <= 30_000))
  })

  it('opens a new watch when nothing was heard for too long, even if the transport did not notice', async () => {
    const { clock, watches, state } = setUp()
    await pass(clock, 109_000)
    assert.equal(watches().length, 1)
    await pass(clock, 3_000)
    assert.equal(watches().length, 2)
    assert.ok(state.synced)
  })

  it('warns of a silent watch, but not of one of Events', async () => {
    const silence = () => new TransportError('silence', 'nothing came')
    for (const [kind, level] of [
      ['Thing', 'warn'],
      ['Event', 'debug'],
    ] as const) {
      const { clock, logs, watches, connection } = setUp(scriptedServer(), { ...things, kind })
      await settle()
      connection().cut(silence())
      await pass(clock, 2_000)
      assert.deepEqual([logs, watches().length], [[`${level} nothing came`], 2])
      end()
    }
  })

  it('keeps a watch that says only bookmarks', async () => {
    const { clock, watches, connection } = setUp()
    await settle()
    for (let minute = 0; minute < 10; minute++) {
      connection().push({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(200 + minute) } } })
      await pass(clock, 60_000)
    }
    assert.equal(watches().length, 1)
  })

  it('goes on after other errors in the stream, with a new list only when they do not end', async () => {
    const { server, clock, connection, lists, names } = setUp()
    await settle()
    connection().push({ type: 'ERROR', object: status(500, 'InternalError').body })
    await pass(clock, 1_000)
    assert.equal(lists().length, 1)
    server.faults.push(...Array.from({ length: 4 }, () => () => status(504, 'Timeout')))
    connection().close()
    server.put('a')
    await pass(clock, 120_000)
    assert.equal(lists().length, 2)
    assert.deepEqual(names(), ['a'])
  })

  it('does not list again after a long outage: nothing was lost', async () => {
    const { server, clock, connection, lists, watches, state, names } = setUp()
    await settle()
    server.faults.push(...Array.from({ length: 20 }, () => () => new Error('connect ECONNREFUSED')))
    connection().cut(new Error('socket hang up'))
    await pass(clock, 900_000)
    assert.equal(lists().length, 1)
    assert.ok(watches().length > 20)
    connection().push({ type: 'ADDED', object: server.put('a') })
    await settle()
    assert.deepEqual(names(), ['a'])
    assert.equal(state.failures, 0)
  })

  it('goes on after an event that is none', async () => {
    const { clock, connection, watches, logs } = setUp()
    await settle()
    connection().push({ type: 'ADDED', object: { kind: 'Thing' } })
    await pass(clock, 1_000)
    assert.equal(watches().length, 2)
    assert.match(logs[0] ?? '', /watch things: a ADDED event without metadata.resourceVersion/)
  })

  it('ends at once when stopped, and sends nothing more', async () => {
    const { server, clock, stopping, done } = setUp()
    await settle()
    stopping.abort(new Error('stop'))
    await done
    const before = server.requests.length
    await pass(clock, 600_000)
    assert.equal(server.requests.length, before)
    assert.equal(clock.pending(), 0)
  })
})
