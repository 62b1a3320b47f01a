// Watches: order, resuming, selectors, bookmarks, versions that are gone.
import assert from 'node:assert/strict'
import { accepted, configMaps, eventually, metadataOf, refused, type Scenario, versionOf, type World } from './world.ts'

const only = { labelSelector: 'w=1' }
const map = (name: string, labels: object = { w: '1' }) => ({ metadata: { name, labels } })
const label = (world: World, name: string, labels: object) =>
  world.patch(configMaps, name, 'merge-patch+json', { metadata: { labels } })

export function watchCases(scenario: Scenario): void {
  scenario('a watch from a list tells what came after it, in order', async world => {
    await world.create(configMaps, map('before'))
    const list = accepted(await world.list(configMaps, only))
    const watch = await world.watch(configMaps, { ...only, resourceVersion: versionOf(list) })
    assert.equal(watch.status, 200)
    await world.create(configMaps, map('a'))
    await world.create(configMaps, map('b'))
    await label(world, 'a', { x: '1' })
    await world.remove(configMaps, 'b')
    await watch.tells(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b'])
    const versions = watch.events.map(event => Number(event.object['metadata']?.['resourceVersion']))
    assert.deepEqual(
      versions,
      [...versions].sort((x, y) => x - y),
    )
    assert.equal(new Set(versions).size, 4)
    assert.equal(watch.events[0]?.object['kind'], 'ConfigMap')
  })

  scenario('a watch resumes where it was cut, without a gap and without a repetition', async world => {
    const list = accepted(await world.list(configMaps, only))
    const first = await world.watch(configMaps, { ...only, resourceVersion: versionOf(list) })
    await world.create(configMaps, map('a'))
    await first.tells(['ADDED a'])
    first.close()
    await world.create(configMaps, map('b'))
    await world.remove(configMaps, 'a')
    const seen = String(first.events[0]?.object['metadata']?.['resourceVersion'])
    const second = await world.watch(configMaps, { ...only, resourceVersion: seen })
    await second.tells(['ADDED b', 'DELETED a'])
  })

  scenario('a watch without a version starts with what is there', async world => {
    await world.create(configMaps, map('a'))
    const watch = await world.watch(configMaps, only)
    await watch.tells(['ADDED a'])
    await world.create(configMaps, map('b'))
    await watch.tells(['ADDED a', 'ADDED b'])
  })

  scenario('an object that leaves the selection is deleted for the watch, one that enters is new', async world => {
    const list = accepted(await world.list(configMaps, only))
    const watch = await world.watch(configMaps, { ...only, resourceVersion: versionOf(list) })
    await world.create(configMaps, map('a', { w: '0' }))
    const entered = accepted(await label(world, 'a', { w: '1' }))
    const left = accepted(await label(world, 'a', { w: '2' }))
    await watch.tells(['ADDED a', 'DELETED a'])
    assert.equal(watch.events[0]?.object['metadata']?.['resourceVersion'], versionOf(entered))
    assert.equal(watch.events[1]?.object['metadata']?.['resourceVersion'], versionOf(left))
    assert.equal(watch.events[1]?.object['metadata']?.['labels']?.['w'], '1')
  })

  scenario('a write that changes nothing is not told', async world => {
    const list = accepted(await world.list(configMaps, only))
    const watch = await world.watch(configMaps, { ...only, resourceVersion: versionOf(list) })
    await world.create(configMaps, map('a'))
    await label(world, 'a', { w: '1' })
    await world.create(configMaps, map('b'))
    await watch.tells(['ADDED a', 'ADDED b'])
  })

  scenario('the deletion of an object is told with its last state and a newer version', async world => {
    const made = accepted(await world.create(configMaps, map('a')), 201)
    const watch = await world.watch(configMaps, { ...only, resourceVersion: versionOf(made) })
    await world.remove(configMaps, 'a')
    await watch.tells(['DELETED a'])
    const { uid } = metadataOf(made)
    assert.equal(watch.events[0]?.object['metadata']?.['uid'], uid)
    assert.ok(Number(watch.events[0]?.object['metadata']?.['resourceVersion']) > Number(versionOf(made)))
  })

  scenario('a watch ends at its timeout, and its last bookmark is where the next one starts', async world => {
    const list = accepted(await world.list(configMaps, only))
    const watch = await world.watch(configMaps, {
      ...only,
      resourceVersion: versionOf(list),
      allowWatchBookmarks: 'true',
      timeoutSeconds: '3',
    })
    await world.create(configMaps, map('other', { w: 'no' }))
    const made = accepted(await world.create(configMaps, map('a')), 201)
    await watch.ends()
    const bookmarks = watch.events.filter(event => event.type === 'BOOKMARK')
    assert.ok(bookmarks.length >= 1, 'a bookmark before the end')
    const last = String(bookmarks.at(-1)?.object['metadata']?.['resourceVersion'])
    assert.ok(Number(last) >= Number(versionOf(made)))
    assert.equal(bookmarks.at(-1)?.object['kind'], 'ConfigMap')
    const next = await world.watch(configMaps, { ...only, resourceVersion: last })
    await world.create(configMaps, map('b'))
    await next.tells(['ADDED b'])
  })

  scenario('a streamed list ends with a bookmark that says so', async world => {
    await world.create(configMaps, map('a'))
    const watch = await world.watch(configMaps, {
      ...only,
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    })
    await eventually('the bookmark', async () => watch.events.some(event => event.type === 'BOOKMARK'))
    assert.deepEqual(watch.story(), ['ADDED a'])
    const mark = watch.events.find(event => event.type === 'BOOKMARK')
    assert.equal(mark?.object['metadata']?.['annotations']?.['k8s.io/initial-events-end'], 'true')
  })

  scenario('a version that is no number is refused, by a watch as an error of the server', async world => {
    refused(await world.list(configMaps, { resourceVersion: 'x' }), 400, 'BadRequest', 'invalid resource version')
    const watch = await world.watch(configMaps, { resourceVersion: 'x' })
    assert.equal(watch.status, 500)
    assert.equal(watch.body['kind'], 'Status')
  })
}
