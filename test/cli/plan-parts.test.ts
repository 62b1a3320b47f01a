import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { printJson } from '../../src/cli/json.ts'
import { completeObjects, newestTime } from '../../src/cli/plan/complete.ts'
import { createLook } from '../../src/cli/plan/look.ts'
import { planEverything } from '../../src/cli/plan/run.ts'
import type { Controller, Watch } from '../../src/core/controller.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { emptyPlan } from '../../src/core/plan.ts'
import { events, nodes, pods } from '../../src/core/resources.ts'

const now = '2024-05-01T12:00:00Z'
const object = (kind: string, name: string, metadata: object = {}, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...metadata },
  ...more,
})
const pod = (name: string, metadata: object = {}, more: object = {}) => object('Pod', name, { namespace: 'x', ...metadata }, more)

describe('completed objects', () => {
  it('are the same in whatever order they came', () => {
    const owned = { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '7' }] }
    const objects = [
      pod('a'),
      pod('b', owned),
      object('Node', 'a'),
      pod('c', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'b' }] }),
      object('Node', 'b', { uid: '1' }),
    ]
    const expected = completeObjects(objects, now)
    fc.assert(
      fc.property(fc.shuffledSubarray(objects, { minLength: objects.length }), shuffled =>
        assert.deepEqual(completeObjects(shuffled, now), expected),
      ),
    )
  })

  it('have all that an API server fills in, and keep what they have', () => {
    const [bare, full] = completeObjects(
      [pod('a'), pod('b', { uid: '1', resourceVersion: '2', generation: 3, creationTimestamp: '2020-01-01T00:00:00Z' })],
      now,
    )
    assert.match(bare?.metadata.uid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.deepEqual(
      { ...bare?.metadata, uid: '' },
      { name: 'a', namespace: 'x', uid: '', resourceVersion: '1', generation: 1, creationTimestamp: now },
    )
    assert.deepEqual(full?.metadata, {
      name: 'b',
      namespace: 'x',
      uid: '1',
      resourceVersion: '2',
      generation: 3,
      creationTimestamp: '2020-01-01T00:00:00Z',
    })
  })

  it('have the generation that their status speaks of', () => {
    const [one] = completeObjects([pod('a', {}, { status: { observedGeneration: 4 } })], now)
    assert.equal(one?.metadata.generation, 4)
  })

  it('keep an owner that was another incarnation of the object of this name', () => {
    const [owner, dependent] = completeObjects(
      [pod('a', { uid: 'new' }), pod('b', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'old' }] })],
      now,
    )
    assert.deepEqual([owner?.metadata.uid, dependent?.metadata.ownerReferences?.[0]?.uid], ['new', 'old'])
  })
})

describe('the newest time', () => {
  const times: readonly (readonly [what: string, objects: readonly KubeObject[], expected: string])[] = [
    ['is the epoch without any', [pod('a')], '1970-01-01T00:00:00Z'],
    [
      'may be deep in a status',
      [pod('a', { creationTimestamp: '2020-01-01T00:00:00Z' }, { status: { conditions: [{ lastTransitionTime: now }] } })],
      now,
    ],
    [
      'compares instants, not letters',
      [pod('a', { creationTimestamp: '2024-05-01T13:00:00+02:00' }), pod('b', { creationTimestamp: '2024-05-01T11:30:00Z' })],
      '2024-05-01T11:30:00Z',
    ],
    [
      'is not taken from labels and data of users',
      [pod('a', { labels: { buildTime: now } }, { data: { time: now } })],
      '1970-01-01T00:00:00Z',
    ],
    ['is not taken from texts', [pod('a', {}, { status: { message: now } })], '1970-01-01T00:00:00Z'],
  ]
  for (const [what, objects, expected] of times) it(what, () => assert.equal(newestTime(objects), expected))
})

const watches: readonly Watch[] = [
  {
    resource: pods,
    labelSelector: 'ours,tier=back,zone!=c',
    trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
  },
  { resource: events, fieldSelector: 'type=Warning' },
]
const byTier = { name: 'tier', resource: pods, values: (one: KubeObject) => [one.metadata.labels?.['zone'] ?? ''] }

describe('the look of a plan', () => {
  const labels = { ours: '', tier: 'back', zone: 'a' }
  const look = createLook(
    [
      pod('a', { labels }, { spec: { big: true } }),
      pod('b', { labels: { ...labels, tier: 'front' } }),
      pod('c', { labels: { tier: 'back' } }),
      pod('d', { labels: { ...labels, zone: 'c' } }),
      object('Event', 'e', { namespace: 'x' }, { type: 'Normal' }),
      object('Event', 'f', { namespace: 'x' }, { type: 'Warning' }),
      object('Node', 'n1'),
    ],
    watches,
    () => undefined,
  )

  it('holds only what is watched and selected, trimmed', () => {
    assert.deepEqual(look.list(pods), [pod('a', { labels })])
    assert.deepEqual(
      look.list(events).map(one => one.metadata.name),
      ['f'],
    )
    assert.deepEqual(look.list(nodes), [])
  })

  it('finds by key and by index', () => {
    assert.equal(look.get(pods, 'x/a')?.metadata.name, 'a')
    assert.equal(look.get(pods, 'x/b'), undefined)
    assert.deepEqual(
      look.by(byTier, 'a').map(one => one.metadata.name),
      ['a'],
    )
    assert.deepEqual(look.by(byTier, 'b'), [])
  })
})

describe('the run over all keys', () => {
  const controller = (name: string, planOf: (key: string) => typeof emptyPlan): Controller => ({
    name,
    resource: events,
    wakes: [{ resource: pods, keys: () => ['x/z', 'x/b', 'x/z'] }],
    plan: (_, key) => planOf(key),
  })
  const look = createLook(
    [pod('p'), object('Event', 'm', { namespace: 'x' })],
    [{ resource: pods }, { resource: events }],
    () => undefined,
  )
  const context = { nowMs: 0, settings: { operatorNamespace: 'o', managed: false } }

  it('takes controllers in their order and each key once, sorted', () => {
    const busy = { ...emptyPlan, questions: [{ ask: 'exists' as const, image: 'i', namespace: 'x' }] }
    const plans = planEverything([controller('B', () => busy), controller('A', () => busy)], look, context)
    assert.deepEqual(
      plans.map(one => `${one.controller} ${one.key}`),
      ['B x/b', 'B x/m', 'B x/z', 'A x/b', 'A x/m', 'A x/z'],
    )
  })

  it('leaves out keys without an object for which nothing is to be done', () => {
    assert.deepEqual(
      planEverything([controller('A', () => emptyPlan)], look, context).map(one => one.key),
      ['x/m'],
    )
  })
})

describe('printed JSON', () => {
  it('has the fields of a map in one order, whatever theirs was', () => {
    const value = { b: 1, a: [{ d: 1, c: 2 }], k: 'k' }
    assert.equal(printJson(value), printJson({ k: 'k', a: [{ c: 2, d: 1 }], b: 1 }))
    assert.deepEqual(Object.keys(JSON.parse(printJson(value)) as object), ['a', 'b', 'k'])
  })

  const documented: readonly (readonly [what: string, fields: readonly string[]])[] = [
    ['a plan', ['controller', 'key', 'questions', 'apply', 'writes', 'status', 'remove', 'problems']],
    ['a removal', ['object', 'because', 'finalizer']],
    ['a finding', ['object', 'path', 'code', 'message']],
    ['a problem', ['code', 'message', 'image', 'kernel', 'node']],
    ['an object', ['apiVersion', 'kind', 'metadata', 'spec', 'status', 'data']],
    ['a reference', ['apiVersion', 'kind', 'namespace', 'name', 'uid']],
  ]
  for (const [what, fields] of documented) {
    it(`has the fields of ${what} in the order of the documentation`, () => {
      const value = Object.fromEntries(fields.toReversed().map(field => [field, 1]))
      assert.deepEqual(Object.keys(JSON.parse(printJson(value)) as object), fields)
    })
  }
})
