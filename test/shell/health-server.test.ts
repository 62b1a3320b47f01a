import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { serveHealth } from '../../src/shell/health-server.ts'
import type { Health } from '../../src/shell/loop/health.ts'
import { BadInput } from '../../src/shell/yaml.ts'

const address = { host: '127.0.0.1', port: 0 }
const fine: Health = { ready: true, alive: true, reasons: [] }
const unready: Health = { ready: false, alive: true, reasons: ['pods are not listed yet', 'nodes are not listed yet'] }
const dead: Health = { ready: false, alive: false, reasons: ['the watch of pods has been silent for 540 s'] }

const cases: readonly (readonly [sentence: string, health: Health, path: string, status: number, body: string])[] = [
  ['is alive', fine, '/healthz', 200, 'ok\n'],
  ['is ready', fine, '/readyz', 200, 'ok\n'],
  ['is alive while it is not ready', unready, '/healthz', 200, 'ok\n'],
  ['says why it is not ready, one reason a line', unready, '/readyz', 503, 'pods are not listed yet\nnodes are not listed yet\n'],
  ['says why only a restart helps', dead, '/healthz', 503, 'the watch of pods has been silent for 540 s\n'],
  [
    'is not ready when it is not alive',
    { ...dead, ready: true },
    '/readyz',
    503,
    'the watch of pods has been silent for 540 s\n',
  ],
  ['ignores a query', fine, '/readyz?verbose', 200, 'ok\n'],
  ['knows no other path', fine, '/', 404, 'not found\n'],
]

describe('The health server', () => {
  for (const [sentence, health, path, status, body] of cases) {
    it(sentence, async () => {
      const server = await serveHealth(address, () => health)
      try {
        const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
        assert.deepEqual([response.status, await response.text()], [status, body])
      } finally {
        await server.close()
      }
    })
  }

  it('asks anew for every probe', async () => {
    let health = unready
    const server = await serveHealth(address, () => health)
    try {
      const status = async () => (await fetch(`http://127.0.0.1:${server.port}/readyz`)).status
      assert.equal(await status(), 503)
      health = fine
      assert.equal(await status(), 200)
    } finally {
      await server.close()
    }
  })

  it('closes although a probe keeps its connection open', async () => {
    const server = await serveHealth(address, () => fine)
    await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text()
    const startedMs = performance.now()
    await server.close()
    assert.ok(performance.now() - startedMs < 1000)
    await assert.rejects(fetch(`http://127.0.0.1:${server.port}/healthz`))
  })

  it('says that its port is taken, and by which setting it is chosen', async () => {
    const first = await serveHealth(address, () => fine)
    try {
      await assert.rejects(
        serveHealth({ host: '127.0.0.1', port: first.port }, () => fine),
        (error: unknown) =>
          error instanceof BadInput &&
          error.message.startsWith(`healthProbeBindAddress: 127.0.0.1:${first.port} is taken by another`),
      )
    } finally {
      await first.close()
    }
  })
})
