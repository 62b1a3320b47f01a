import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Index, Watch } from '../../src/core/controller.ts'
import type { KubeObject, Resource } from '../../src/core/object.ts'
import { Snapshot } from '../../src/shell/snapshot/snapshot.ts'

const things: Resource = { apiVersion: 'v1', kind: 'Thing', plural: 'things', namespaced: true }
type Thing = KubeObject & { readonly colours?: readonly string[]; readonly heartbeat?: number }
const byColour: Index<Thing> = { name: 'colour', resource: things, values: thing => thing.colours ?? [] }

let version = 0
function thing(name: string, fields: object = {}, metadata: object = {}): Thing {
  version += 1
  return {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name, namespace: 'ns', uid: name, resourceVersion: String(version), ...metadata },
    ...fields,
  }
}

function setUp(watch: Partial<Watch> = {}) {
  const logs: string[] = []
  const snapshot = new Snapshot([{ resource: things, indexes: [byColour], ...watch }], {
    fieldManager: 'us',
    log: (_level, message) => logs.push(message),
  })
  const changes: string[] = []
  const touched: string[] = []
  const sink = snapshot.sink(snapshot.watchOf(thing('x')) ?? assert.fail(), {
    changed: (_resource, old, object) => changes.push(`${old?.metadata.name ?? '-'} ${object?.metadata.name ?? '-'}`),
    touched: (_resource, key) => touched.push(key),
    reached: () => {},
  })
  const colours = (colour: string) => snapshot.by(byColour, colour).map(object => object.metadata.name)
  return { snapshot, sink, changes, touched, colours, logs }
}

describe('The snapshot', () => {
  it('finds objects by key and by index', () => {
    const { snapshot, sink, colours } = setUp()
    sink.upsert(thing('a', { colours: ['red', 'blue'] }))
    sink.upsert(thing('b', { colours: ['red'] }))
    assert.deepEqual(colours('red'), ['a', 'b'])
    sink.upsert(thing('a', { colours: ['green'] }))
    assert.deepEqual([colours('red'), colours('blue'), colours('green')], [['b'], [], ['a']])
    sink.remove(thing('a'))
    assert.deepEqual(colours('green'), [])
    assert.equal(snapshot.get(things, 'ns/a'), undefined)
    assert.deepEqual(
      snapshot.list(things).map(object => object.metadata.name),
      ['b'],
    )
  })

  it('keeps one copy of what many objects say, and all that only one of them says', () => {
    const { snapshot, sink } = setUp({ shared: ['metadata.labels', 'spec.containers', 'spec.absent.inner'] })
    const given = (name: string, app: string) =>
      thing(name, { spec: { containers: [{ image: 'x' }], node: name } }, { labels: { app } })
    for (const object of [given('a', 'one'), given('b', 'one'), given('c', 'two')]) sink.upsert(object)
    const found = ['a', 'b', 'c'].map(name => snapshot.get(things, `ns/${name}`) as Thing & { spec: { containers: unknown } })
    const [a, b, c] = found
    assert.ok(a !== undefined && b !== undefined && c !== undefined)
    assert.equal(a.metadata.labels, b.metadata.labels)
    assert.equal(a.spec.containers, c.spec.containers)
    assert.deepEqual(
      found.map(({ metadata, spec }) => [metadata.name, metadata.labels, spec]),
      ['a', 'b', 'c'].map(name => [name, { app: name === 'c' ? 'two' : 'one' }, { containers: [{ image: 'x' }], node: name }]),
    )
  })

  it('wakes nobody for a heartbeat, but keeps the newer version', () => {
    const trim = (object: KubeObject): KubeObject => ({
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: object.metadata,
    })
    const { snapshot, sink, changes, touched } = setUp({ trim })
    const first = thing('a', { heartbeat: 1 })
    sink.upsert(first)
    const second = thing(
      'a',
      { heartbeat: 2 },
      { managedFields: [{ manager: 'kubelet', operation: 'Update', time: 'later', fieldsV1: {} }] },
    )
    sink.upsert(second)
    assert.deepEqual(changes, ['- a'])
    assert.deepEqual(touched, ['ns/a', 'ns/a'])
    assert.equal(snapshot.get(things, 'ns/a')?.metadata.resourceVersion, second.metadata.resourceVersion)
  })

  it('takes a list that has not changed since for the same list', () => {
    const { snapshot, sink } = setUp()
    sink.upsert(thing('a'))
    const list = snapshot.list(things)
    assert.equal(snapshot.list(things), list)
    sink.upsert(thing('b'))
    assert.equal(snapshot.list(things).length, 2)
    assert.equal(list.length, 1, 'a list that was given out does not change')
  })

  it('drops what a new list does not hold', () => {
    const { sink, changes, snapshot } = setUp()
    sink.upsert(thing('a'))
    sink.upsert(thing('b'))
    sink.listed(object => object.metadata.name === 'b', '900')
    assert.deepEqual(changes, ['- a', '- b', 'a -'])
    assert.equal(snapshot.resourceVersion(things), '900')
  })

  it('puts back the managedFields that a trim drops', () => {
    const trim = (object: KubeObject): KubeObject => ({ ...object, metadata: { name: object.metadata.name, namespace: 'ns' } })
    const { snapshot, sink } = setUp({ trim })
    sink.upsert(thing('a', {}, { managedFields: [{ manager: 'us', operation: 'Apply', fieldsV1: {} }] }))
    assert.deepEqual(snapshot.get(things, 'ns/a')?.metadata.managedFields, [{ manager: 'us', operation: 'Apply', fieldsV1: {} }])
  })

  it('survives a trim and an index that throw', () => {
    const broken: Index = {
      name: 'broken',
      resource: things,
      values: () => {
        throw new Error('no values')
      },
    }
    const trim = () => {
      throw new Error('no trim')
    }
    const { snapshot, sink, logs } = setUp({ trim, indexes: [broken] })
    sink.upsert(thing('a'))
    assert.equal(snapshot.list(things).length, 1)
    assert.deepEqual(logs, ['cannot trim Thing ns/a: no trim', 'cannot index Thing ns/a by broken: no values'])
  })

  it('refuses two watches of one resource, and an index that its watch does not declare', () => {
    const watch = { resource: things }
    assert.throws(() => new Snapshot([watch, watch], { fieldManager: 'us', log: () => {} }), /two watches of v1\/things/)
    assert.throws(() => setUp({ indexes: [] }).snapshot.by(byColour, 'red'), /index colour is not among the indexes/)
  })

  it('has the same objects under an index as a search through all of them, after any history', () => {
    const colour = fc.constantFrom('red', 'green', 'blue')
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), colours: fc.uniqueArray(colour), remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step), steps => {
        const { snapshot, sink, colours } = setUp()
        for (const { name, colours, remove } of steps) {
          if (remove) sink.remove(thing(name))
          else sink.upsert(thing(name, { colours }))
        }
        for (const wanted of ['red', 'green', 'blue']) {
          const all = (snapshot.list(things) as readonly Thing[]).filter(object => object.colours?.includes(wanted))
          assert.deepEqual(colours(wanted).sort(), all.map(object => object.metadata.name).sort())
        }
      }),
    )
  })
})
