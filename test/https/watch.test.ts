import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { type HttpsTransport, httpsTransport } from '../../src/shell/kube/https.ts'
import type { WatchEvent } from '../../src/shell/kube/transport.ts'
import { splitLines } from '../../src/shell/kube/watch-stream.ts'
import { json, line, startServer, type TestServer } from './server.ts'

let server: TestServer
let transport: HttpsTransport

before(async () => {
  server = await startServer()
})
after(() => server.close())
afterEach(() => transport.close())

type Ended = { readonly names: readonly string[]; readonly error?: { readonly what?: string; readonly message: string } }

/** Watches what `write` writes; the names of the events, and how it ended. */
async function watch(
  write: (response: ServerResponse) => unknown,
  options: {
    readonly silenceMs?: number
    readonly path?: string
    readonly stop?: AbortSignal
    readonly onEvent?: (event: WatchEvent) => unknown
  } = {},
): Promise<Ended> {
  transport = httpsTransport(server.config, { userAgent: 'kmm/1' })
  server.answer((_, response) => {
    response.on('error', () => undefined)
    response.writeHead(200, { 'content-type': 'application/json' })
    void write(response)
  })
  const { silenceMs, path = '/api/v1/pods', stop = new AbortController().signal, onEvent } = options
  const query = { watch: 'true' }
  const silence = silenceMs === undefined ? {} : { silenceMs }
  const { stream, status } = await transport({ method: 'GET', path, query, deadlineMs: 1000, ...silence }, stop)
  assert.equal(status, 200)
  assert.ok(stream)
  const names: string[] = []
  try {
    for await (const event of stream) {
      names.push((event.object as { metadata: { name: string } }).metadata.name)
      await onEvent?.(event)
    }
    return { names }
  } catch (error) {
    return { names, error: error as Error & { what?: string } }
  }
}

describe('a watch', () => {
  it('gives the events in order, and ends when the server ends it', async () => {
    assert.deepEqual(await watch(response => response.end(line('ADDED', 'a') + line('MODIFIED', 'b') + line('BOOKMARK', 'c'))), {
      names: ['a', 'b', 'c'],
    })
  })

  it('puts together what arrives in pieces, also in the middle of a character', async () => {
    const bytes = Buffer.from(line('ADDED', 'grün') + line('ADDED', '日本'))
    const ended = await watch(async response => {
      for (const byte of bytes) {
        response.write(Buffer.from([byte]))
        await delay(0)
      }
      response.end()
    })
    assert.deepEqual(ended, { names: ['grün', '日本'] })
  })

  it('fails when the connection is cut between two events', async () => {
    const ended = await watch(response => response.write(line('ADDED', 'a'), () => response.socket?.destroy()))
    assert.deepEqual([ended.names, ended.error?.what], [['a'], 'connection'])
  })

  it('fails when the server ends it in the middle of an event', async () => {
    const ended = await watch(response => response.end(`${line('ADDED', 'a')}{"type":"ADDED","obj`))
    assert.deepEqual([ended.names, ended.error?.what], [['a'], 'connection'])
    assert.match(ended.error?.message ?? '', /in the middle of an event/)
  })

  it('fails on a line that is no event, and shows its beginning', async () => {
    const ended = await watch(response => response.write(`${line('ADDED', 'a')}<html>${'x'.repeat(500)}\n`))
    assert.deepEqual([ended.names, ended.error?.what], [['a'], 'answer'])
    assert.match(
      ended.error?.message ?? '',
      /^watch https:.*\/api\/v1\/pods: a line of the watch is not JSON: <html>x{194}\.\.\. \(506 characters\)$/,
    )
    const unknown = await watch(response => response.write('{"type":"NEWS","object":{}}\n'))
    assert.match(unknown.error?.message ?? '', /no watch event: \{"type":"NEWS"/)
  })

  it('never shows a line of Secrets', async () => {
    const ended = await watch(response => response.write('{"type":"ADDED","object":{"data":"aHVudGVy}\n'), {
      path: '/api/v1/secrets',
    })
    assert.match(ended.error?.message ?? '', /43 characters of a Secret/)
    assert.ok(!ended.error?.message.includes('aHVu'))
  })

  it('fails when the server falls silent with the connection open', async () => {
    const started = performance.now()
    const ended = await watch(response => response.write(line('ADDED', 'a')), { silenceMs: 150 })
    assert.deepEqual([ended.names, ended.error?.what], [['a'], 'silence'])
    assert.ok(performance.now() - started < 1500)
  })

  it('lives on while something comes, for longer than the silence that ends it and than its deadline', async () => {
    const ended = await watch(
      async response => {
        for (let i = 0; i < 14; i++) {
          response.write(line('BOOKMARK', String(i)))
          await delay(100)
        }
        response.end()
      },
      { silenceMs: 600 },
    )
    assert.deepEqual([ended.names.length, ended.error], [14, undefined])
  })

  it('does not take a slow reader for a silent server', async () => {
    const ended = await watch(response => response.end(line('ADDED', 'a') + line('ADDED', 'b')), {
      silenceMs: 100,
      onEvent: () => delay(300),
    })
    assert.deepEqual(ended, { names: ['a', 'b'] })
  })

  it('ends at once on stop, and closes its connection', async () => {
    const stop = new AbortController()
    const ended = await watch(response => response.write(line('ADDED', 'a')), { stop: stop.signal, onEvent: () => stop.abort() })
    assert.deepEqual([ended.names, ended.error?.what], [['a'], 'stopped'])
    for (let i = 0; i < 100 && server.openSockets().length > 0; i++) await delay(10)
    assert.equal(server.openSockets().length, 0)
  })

  it('gives an error status as a response without a stream', async () => {
    transport = httpsTransport(server.config, { userAgent: 'kmm/1' })
    server.answer((_, response) => json(response, 410, { kind: 'Status', reason: 'Expired' }))
    const request = { method: 'GET', path: '/api/v1/pods', query: { watch: 'true' }, deadlineMs: 1000 } as const
    const response = await transport(request, new AbortController().signal)
    assert.deepEqual([response.status, response.body, response.stream], [410, { kind: 'Status', reason: 'Expired' }, undefined])
  })

  it('must begin within the deadline', async () => {
    transport = httpsTransport(server.config, { userAgent: 'kmm/1' })
    server.answer(() => undefined)
    const request = { method: 'GET', path: '/api/v1/pods', query: { watch: 'true' }, deadlineMs: 100 } as const
    await assert.rejects(transport(request, new AbortController().signal), { what: 'deadline' })
  })

  it('takes a connection of its own, so that any number of watches leaves the requests theirs', async () => {
    transport = httpsTransport(server.config, { userAgent: 'kmm/1' })
    const before = server.connections()
    server.answer((seen, response) => {
      if (seen.url.includes('watch')) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      else json(response, 200, {})
    })
    const stop = new AbortController()
    const request = { method: 'GET', path: '/api/v1/pods', query: { watch: 'true' }, deadlineMs: 2000 } as const
    await Promise.all(Array.from({ length: 20 }, () => transport(request, stop.signal)))
    await transport({ method: 'GET', path: '/x', deadlineMs: 2000 }, stop.signal)
    assert.equal(server.connections() - before, 21)
    stop.abort()
  })
})

describe('splitting lines', () => {
  it('gives the same lines however the bytes are cut', () => {
    const texts = fc.array(
      fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => text.trim() !== '' && !text.includes('\n')),
    )
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 200 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''))
        const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const splitter = splitLines()
        const got = places.slice(1).flatMap((end, i) => splitter.push(bytes.subarray(places[i], end)))
        assert.deepEqual(got, lines)
        assert.equal(splitter.pendingBytes(), 0)
      }),
    )
  })
})
