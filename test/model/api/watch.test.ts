import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testServer } from './server.ts'

describe('a watch of the model', () => {
  it('sends a bookmark every minute of its clock', async () => {
    const { clock, create, watch } = testServer()
    const open = await watch({ allowWatchBookmarks: 'true' })
    create('a')
    clock.advance(59_999)
    assert.deepEqual(await open.told(), ['ADDED a'])
    clock.advance(60_001)
    assert.deepEqual(await open.told(), ['ADDED a', 'BOOKMARK', 'BOOKMARK'])
  })

  it('sends no bookmark to who did not ask', async () => {
    const { clock, watch } = testServer()
    const open = await watch()
    clock.advance(600_000)
    assert.deepEqual(await open.told(), [])
  })

  it('ends at timeoutSeconds, after a last bookmark', async () => {
    const { clock, watch } = testServer()
    const open = await watch({ allowWatchBookmarks: 'true', timeoutSeconds: '30' })
    clock.advance(29_999)
    assert.equal(await open.end(), 'open')
    clock.advance(1)
    assert.equal(await open.end(), 'closed')
    assert.deepEqual(await open.told(), ['BOOKMARK'])
  })

  it('ends when it is stopped, and leaves no timer behind', async () => {
    const { clock, create, watch } = testServer()
    const open = await watch({ allowWatchBookmarks: 'true' }, { silenceMs: 1000 })
    open.stop()
    create('a')
    assert.equal(await open.end(), 'closed')
    assert.deepEqual(await open.told(), [])
    assert.equal(clock.nextInMs(), undefined)
  })

  it('fails when nothing is heard for silenceMs; every event starts the time anew', async () => {
    const { clock, create, watch } = testServer()
    const open = await watch({}, { silenceMs: 1000 })
    clock.advance(900)
    create('a')
    clock.advance(900)
    assert.equal(await open.end(), 'open')
    clock.advance(100)
    const end = await open.end()
    assert.ok(end instanceof Error && end.message === 'nothing was heard on the watch of configmaps for 1000 ms', String(end))
  })

  it('can be cut: closed by the server, broken, or silent for ever', async () => {
    const { api, clock, create, watch } = testServer()
    const closed = await watch()
    api.cutWatches('close')
    assert.equal(await closed.end(), 'closed')
    const broken = await watch()
    api.cutWatches('break')
    const error = await broken.end()
    assert.ok(error instanceof Error && error.message.includes('broke'), String(error))
    const silent = await watch({ allowWatchBookmarks: 'true', timeoutSeconds: '10' }, { silenceMs: 120_000 })
    api.cutWatches('silence')
    create('a')
    clock.advance(119_999)
    assert.equal(await silent.end(), 'open')
    assert.deepEqual(await silent.told(), [])
    clock.advance(1)
    assert.ok((await silent.end()) instanceof Error)
  })

  it('from a version that was compacted away is an ERROR with code 410 in the stream', async () => {
    const { api, create, label, watch } = testServer()
    const { resourceVersion } = (create('a').body as { metadata: { resourceVersion: string } }).metadata
    label('a', { x: '1' })
    const before = await watch({ resourceVersion })
    assert.deepEqual(await before.told(), ['MODIFIED a'])
    api.compact()
    const after = await watch({ resourceVersion })
    assert.deepEqual(await after.told(), ['ERROR'])
    const { code, reason } = (after.events[0] ?? assert.fail('no event')).object as { code: number; reason: string }
    assert.deepEqual([code, reason], [410, 'Expired'])
    assert.equal(await after.end(), 'closed')
    assert.equal(await before.end(), 'open')
  })

  it('remembers only so many events', async () => {
    const { create, label, list, watch } = testServer({ history: 10 })
    create('a')
    const { resourceVersion } = (list().body as { metadata: { resourceVersion: string } }).metadata
    for (let i = 0; i < 10; i++) label('a', { x: String(i) })
    assert.equal((await (await watch({ resourceVersion })).told()).length, 10)
    for (let i = 0; i < 20; i++) label('a', { y: String(i) })
    assert.deepEqual(await (await watch({ resourceVersion })).told(), ['ERROR'])
  })

  it('of one object by its path tells only of that object', async () => {
    const { create, watch } = testServer()
    const open = await watch({}, { path: '/api/v1/namespaces/default/configmaps/a' })
    create('b')
    create('a')
    assert.deepEqual(await open.told(), ['ADDED a'])
  })

  it('of a kind that is not served is refused', async () => {
    const open = await testServer().watch({}, { path: '/apis/none.test/v1/nothings' })
    assert.equal(open.response.status, 404)
  })
})
