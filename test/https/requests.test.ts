import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { ServerResponse } from 'node:http'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type HttpsTransport, httpsTransport } from '../../src/shell/kube/https.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { json, startServer, type TestServer } from './server.ts'

let server: TestServer
let transport: HttpsTransport
const never = new AbortController().signal
const get = (path: string, more: Partial<KubeRequest> = {}): KubeRequest => ({ method: 'GET', path, deadlineMs: 5000, ...more })

before(async () => {
  server = await startServer()
})
after(() => server.close())
afterEach(() => transport.close())

/** A new transport; `connections()` counts those it opened, `requests()` what it sent. */
function open(): { readonly connections: () => number; readonly requests: () => TestServer['seen'] } {
  const [connectionsBefore, seenBefore] = [server.connections(), server.seen.length]
  transport = httpsTransport(server.config, { userAgent: 'kmm/1.2.3' })
  server.answer((_, response) => json(response, 200, { ok: true }))
  return { connections: () => server.connections() - connectionsBefore, requests: () => server.seen.slice(seenBefore) }
}

describe('a request to a real API server', () => {
  it('carries method, path, percent-encoded query, content type, JSON body and user agent', async () => {
    const { requests } = open()
    const response = await transport(
      {
        method: 'PATCH',
        path: '/api/v1/nodes/a',
        query: { fieldManager: 'kmm', labelSelector: 'a in (b,c),d=é' },
        contentType: 'application/apply-patch+yaml',
        body: { metadata: { name: 'ü' } },
        deadlineMs: 5000,
      },
      never,
    )
    assert.deepEqual([response.status, response.body], [200, { ok: true }])
    const [seen] = requests()
    assert.equal(seen?.method, 'PATCH')
    assert.equal(seen?.url, '/api/v1/nodes/a?fieldManager=kmm&labelSelector=a+in+%28b%2Cc%29%2Cd%3D%C3%A9')
    assert.equal(seen?.headers['content-type'], 'application/apply-patch+yaml')
    assert.equal(seen?.headers['user-agent'], 'kmm/1.2.3')
    assert.equal(seen?.body, '{"metadata":{"name":"ü"}}')
  })

  it('keeps the path prefix of the server address', async () => {
    const { requests } = open()
    transport.close()
    transport = httpsTransport({ ...server.config, server: `${server.config.server}/k8s/clusters/c-1/` }, { userAgent: 'kmm/1' })
    await transport(get('/version'), never)
    assert.equal(requests()[0]?.url, '/k8s/clusters/c-1/version')
  })

  it('gives an answer that is no JSON as text', async () => {
    open()
    server.answer((_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('ok'))
    assert.equal((await transport(get('/readyz'), never)).body, 'ok')
  })

  it('gives an error status as a response, with Retry-After', async () => {
    open()
    server.answer((_, response) => json(response, 429, { kind: 'Status', code: 429 }, { 'Retry-After': '7' }))
    const response = await transport(get('/api/v1/pods'), never)
    assert.deepEqual([response.status, response.headers['retry-after'], response.body], [429, '7', { kind: 'Status', code: 429 }])
  })

  it('rejects JSON that is cut, without quoting a Secret', async () => {
    open()
    server.answer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"password":"hunter2"'),
    )
    await assert.rejects(transport(get('/api/v1/namespaces/a/secrets/b'), never), (error: Error) => {
      assert.match(error.message, /not the JSON.*29 characters of a Secret/)
      return !error.message.includes('hunter2')
    })
    await assert.rejects(transport(get('/api/v1/pods'), never), { what: 'answer' })
  })
})

describe('connections', () => {
  it('carry twenty requests after each other on one connection', async () => {
    const { connections } = open()
    for (let i = 0; i < 20; i++) await transport(get('/x'), never)
    assert.equal(connections(), 1)
  })

  it('are at most sixteen for fifty requests at once, and are kept for the next fifty', async () => {
    const { connections } = open()
    server.answer((_, response) => setTimeout(json, 10, response, 200, {}))
    const fifty = () => Promise.all(Array.from({ length: 50 }, () => transport(get('/x'), never)))
    await fifty()
    await fifty()
    assert.equal(connections(), 16)
  })

  it('never let a lease renewal wait behind other requests', async () => {
    open()
    const held: (() => void)[] = []
    server.answer((seen, response) => {
      if (seen.url.includes('/leases/')) json(response, 200, {})
      else held.push(() => json(response, 200, {}))
    })
    const busy = Array.from({ length: 40 }, () => transport(get('/slow'), never))
    const lease = await transport(get('/apis/coordination.k8s.io/v1/namespaces/a/leases/kmm', { method: 'PUT', body: {} }), never)
    assert.equal(lease.status, 200)
    server.answer((_, response) => json(response, 200, {}))
    for (const release of held) release()
    await Promise.all(busy)
  })

  it('that the server closed meanwhile cost a GET nothing', async () => {
    const { requests } = open()
    await transport(get('/x'), never)
    let cuts = 0
    server.answer((_, response) => {
      // The connection dies under the request, as when the server's idle timer fires at that moment.
      if (cuts++ === 0) response.socket?.destroy()
      else json(response, 200, { again: true })
    })
    assert.deepEqual((await transport(get('/y'), never)).body, { again: true })
    assert.equal(requests().length, 3)
  })

  it('that the server closed meanwhile fail a write, which may have been carried out', async () => {
    const { requests } = open()
    await transport(get('/x'), never)
    server.answer((_, response) => response.socket?.destroy())
    await assert.rejects(transport(get('/y', { method: 'POST', body: {} }), never), {
      name: 'TransportError',
      what: 'connection',
    })
    assert.equal(requests().length, 2)
  })
})

describe('a deadline', () => {
  for (const [what, answer] of [
    ['an answer that never begins', () => undefined],
    ['a body that trickles', trickle],
  ] as const) {
    it(`ends ${what}, and names the request`, async () => {
      open()
      server.answer((_, response) => void answer(response))
      const started = performance.now()
      await assert.rejects(transport(get('/api/v1/pods', { deadlineMs: 150 }), never), (error: Error & { what?: string }) => {
        assert.equal(error.what, 'deadline')
        assert.match(error.message, /^GET https:\/\/127\.0\.0\.1:\d+\/api\/v1\/pods: no complete answer after 0\.15 s$/)
        return true
      })
      assert.ok(performance.now() - started < 1000)
    })
  }

  it('covers the time in which a request waits for a free connection', async () => {
    open()
    server.answer(() => undefined)
    const all = Array.from({ length: 20 }, () => transport(get('/x', { deadlineMs: 150 }), never))
    const ends = await Promise.allSettled(all)
    assert.deepEqual(new Set(ends.map(end => end.status)), new Set(['rejected']))
  })
})

/** A byte now and then, for at most 3 s. */
async function trickle(response: ServerResponse): Promise<void> {
  response.on('error', () => undefined)
  response.writeHead(200, { 'content-type': 'application/json' })
  for (let i = 0; i < 150 && !response.destroyed; i++) {
    response.write(' ')
    await delay(20)
  }
}

describe('stop', () => {
  it('ends a request on its way and one that was not sent yet', async () => {
    const { requests } = open()
    const stop = new AbortController()
    // On its way is what the server has, and does not answer.
    server.answer(() => void setImmediate(() => stop.abort()))
    const waiting = transport(get('/x'), stop.signal)
    await assert.rejects(waiting, { what: 'stopped' })
    await assert.rejects(transport(get('/y'), stop.signal), { what: 'stopped' })
    assert.deepEqual(
      requests().map(seen => seen.url),
      ['/x'],
    )
  })

  it('is forgotten by requests that are over, however they ended', async () => {
    open()
    const stop = new AbortController()
    await transport(get('/x'), stop.signal)
    server.answer((_, response) => response.socket?.destroy())
    await assert.rejects(transport(get('/x', { method: 'POST' }), stop.signal))
    server.answer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end())
    const { stream } = await transport(get('/x', { query: { watch: 'true' } }), stop.signal)
    for await (const _ of stream ?? []) assert.fail('no event was sent')
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
  })
})
