import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject, ManagedFields } from '../../src/core/object.ts'
import { firstDifference, needsApply } from '../../src/shell/kube/compare.ts'
import { sameQuantity } from '../../src/shell/kube/quantity.ts'

type Json = Record<string, unknown>

const object = (fields: Json, metadata: Json = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', ...metadata },
  ...fields,
})
const entry = (fieldsV1: object, more: ManagedFields = {}): ManagedFields => ({
  manager: 'us',
  operation: 'Apply',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})
const seenAs = (fields: Json, owned: object, metadata: Json = {}) =>
  object(fields, { uid: 'u', resourceVersion: '7', ...metadata, managedFields: [entry(owned)] })
const spec = (fields: object) => ({ 'f:spec': fields })

type Case = { it: string; stated: KubeObject; seen: KubeObject; differs: string | undefined }

const port = 'k:{"containerPort":80,"protocol":"TCP"}'
const cases: readonly Case[] = [
  {
    it: 'an object as we applied it',
    stated: object({ spec: { a: 1, b: 'x' } }),
    seen: seenAs({ spec: { a: 1, b: 'x', filledByServer: true } }, spec({ 'f:a': {}, 'f:b': {} })),
    differs: undefined,
  },
  {
    it: 'another value',
    stated: object({ spec: { a: 2 } }),
    seen: seenAs({ spec: { a: 1 } }, spec({ 'f:a': {} })),
    differs: '.spec.a',
  },
  {
    it: 'a field that we have not stated before, although its value is right: it has to become ours',
    stated: object({ spec: { a: 1 } }),
    seen: seenAs({ spec: { a: 1 } }, {}),
    differs: '.spec',
  },
  {
    it: 'a field that is ours and no longer stated',
    stated: object({ spec: { a: 1 } }),
    seen: seenAs({ spec: { a: 1, b: 2 } }, spec({ 'f:a': {}, 'f:b': {} })),
    differs: '.spec.b',
  },
  {
    it: 'a label of somebody else',
    stated: object({}, { labels: { ours: 'x' } }),
    seen: seenAs({}, { 'f:metadata': { 'f:labels': { 'f:ours': {} } } }, { labels: { ours: 'x', theirs: 'y' } }),
    differs: undefined,
  },
  {
    it: 'the last label of ours, no longer stated',
    stated: object({}, { labels: {} }),
    seen: seenAs({}, { 'f:metadata': { 'f:labels': { 'f:ours': {} } } }, { labels: { ours: 'x', theirs: 'y' } }),
    differs: '.metadata.labels.ours',
  },
  {
    it: 'no labels stated and none of ours',
    stated: object({}, { uid: 'u' }),
    seen: seenAs({}, {}, { labels: { theirs: 'y' } }),
    differs: undefined,
  },
  {
    it: 'amounts that are written in another way',
    stated: object({
      spec: { resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 1 } }, sizeLimit: '0.5Gi' },
    }),
    seen: seenAs(
      { spec: { resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } }, sizeLimit: '512Mi' } },
      spec({ 'f:resources': { 'f:limits': { 'f:cpu': {}, 'f:memory': {} }, 'f:requests': { 'f:cpu': {} } }, 'f:sizeLimit': {} }),
    ),
    differs: undefined,
  },
  {
    it: 'words that look like amounts where there are none',
    stated: object({ spec: { value: '1000m' } }),
    seen: seenAs({ spec: { value: '1' } }, spec({ 'f:value': {} })),
    differs: '.spec.value',
  },
  {
    it: 'null, [] and {} where there is nothing',
    stated: object({ spec: { a: 1, b: null, c: [], d: {}, e: { f: {} } } }),
    seen: seenAs({ spec: { a: 1 } }, spec({ 'f:a': {} })),
    differs: undefined,
  },
  {
    it: 'null where there was a value of ours',
    stated: object({ spec: { a: null } }),
    seen: seenAs({ spec: { a: 1 } }, spec({ 'f:a': {} })),
    differs: '.spec.a',
  },
  {
    it: 'an empty struct that the server keeps',
    stated: object({ spec: { volumes: [{ name: 'x', emptyDir: {} }] } }),
    seen: seenAs(
      { spec: { volumes: [{ name: 'x', emptyDir: {} }] } },
      spec({ 'f:volumes': { 'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:emptyDir': {} } } }),
    ),
    differs: undefined,
  },
  {
    it: 'an empty struct that the server fills',
    stated: object({ spec: { strategy: {} } }),
    seen: seenAs({ spec: { strategy: { type: 'RollingUpdate' } } }, spec({ 'f:strategy': {} })),
    differs: undefined,
  },
  {
    it: 'items by their keys, whatever stands between them',
    stated: object({
      spec: {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
    }),
    seen: seenAs(
      {
        spec: {
          env: [
            { name: 'A', value: '1' },
            { name: 'Z', value: '9' },
            { name: 'B', value: '2' },
          ],
        },
      },
      spec({
        'f:env': {
          'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} },
          'k:{"name":"B"}': { '.': {}, 'f:name': {}, 'f:value': {} },
        },
      }),
    ),
    differs: undefined,
  },
  {
    it: 'items in another order',
    stated: object({
      spec: {
        env: [
          { name: 'B', value: '2' },
          { name: 'A', value: '1' },
        ],
      },
    }),
    seen: seenAs(
      {
        spec: {
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
      },
      spec({ 'f:env': { 'k:{"name":"A"}': { 'f:name': {}, 'f:value': {} }, 'k:{"name":"B"}': { 'f:name': {}, 'f:value': {} } } }),
    ),
    differs: '.spec.env[{"name":"A"}] is at another place',
  },
  {
    it: 'an item that is ours and no longer stated',
    stated: object({ spec: { env: [{ name: 'A' }] } }),
    seen: seenAs(
      { spec: { env: [{ name: 'A' }, { name: 'B' }] } },
      spec({ 'f:env': { 'k:{"name":"A"}': { 'f:name': {} }, 'k:{"name":"B"}': { 'f:name': {} } } }),
    ),
    differs: '.spec.env[{"name":"B"}]',
  },
  {
    it: 'a changed field of an item',
    stated: object({ spec: { env: [{ name: 'A', value: 'new' }] } }),
    seen: seenAs(
      { spec: { env: [{ name: 'A', value: 'old' }] } },
      spec({ 'f:env': { 'k:{"name":"A"}': { 'f:name': {}, 'f:value': {} } } }),
    ),
    differs: '.spec.env[{"name":"A"}].value',
  },
  {
    it: 'a key that the server filled in',
    stated: object({ spec: { ports: [{ containerPort: 80 }] } }),
    seen: seenAs(
      { spec: { ports: [{ containerPort: 80, protocol: 'TCP' }] } },
      spec({ 'f:ports': { [port]: { '.': {}, 'f:containerPort': {} } } }),
    ),
    differs: undefined,
  },
  {
    it: 'another item with the same first key',
    stated: object({ spec: { ports: [{ containerPort: 80, protocol: 'UDP' }] } }),
    seen: seenAs(
      { spec: { ports: [{ containerPort: 80, protocol: 'TCP' }] } },
      spec({ 'f:ports': { [port]: { '.': {}, 'f:containerPort': {} } } }),
    ),
    differs: '.spec.ports[{"containerPort":80,"protocol":"UDP"}]',
  },
  {
    it: 'values of a set among those of others',
    stated: object({}, { finalizers: ['ours'] }),
    seen: seenAs({}, { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"ours"': {} } } }, { finalizers: ['theirs', 'ours'] }),
    differs: undefined,
  },
  {
    it: 'a value of a set that is ours and no longer stated',
    stated: object({}, { finalizers: ['ours'] }),
    seen: seenAs({}, { 'f:metadata': { 'f:finalizers': { 'v:"ours"': {}, 'v:"old"': {} } } }, { finalizers: ['ours', 'old'] }),
    differs: '.metadata.finalizers["old"]',
  },
  {
    it: 'a list that is merged as a whole',
    stated: object({ spec: { args: ['a', 'b'] } }),
    seen: seenAs({ spec: { args: ['a', 'b'] } }, spec({ 'f:args': {} })),
    differs: undefined,
  },
  {
    it: 'a shorter list that is merged as a whole',
    stated: object({ spec: { args: ['a'] } }),
    seen: seenAs({ spec: { args: ['a', 'b'] } }, spec({ 'f:args': {} })),
    differs: '.spec.args',
  },
  {
    it: 'an emptied list that is merged as a whole',
    stated: object({ spec: { args: [] } }),
    seen: seenAs({ spec: { args: ['a'] } }, spec({ 'f:args': {} })),
    differs: '.spec.args',
  },
  {
    it: 'a map that is merged as a whole and lost a key',
    stated: object({ spec: { nodeSelector: { a: '1' } } }),
    seen: seenAs({ spec: { nodeSelector: { a: '1', b: '2' } } }, spec({ 'f:nodeSelector': {} })),
    differs: '.spec.nodeSelector',
  },
  {
    it: 'a node selector that was emptied',
    stated: object({ spec: { nodeSelector: {} } }),
    seen: seenAs({ spec: { nodeSelector: { a: '1' } } }, spec({ 'f:nodeSelector': {} })),
    differs: '.spec.nodeSelector',
  },
  {
    it: 'what the server fills into something that is merged as a whole',
    stated: object({ spec: { fieldRef: { fieldPath: 'spec.nodeName' }, resourceFieldRef: { resource: 'limits.cpu' } } }),
    seen: seenAs(
      {
        spec: {
          fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' },
          resourceFieldRef: { resource: 'limits.cpu', divisor: '0' },
        },
      },
      spec({ 'f:fieldRef': {}, 'f:resourceFieldRef': {} }),
    ),
    differs: undefined,
  },
  {
    it: 'tolerations, one more',
    stated: object({ spec: { tolerations: [{ key: 'a' }] } }),
    seen: seenAs({ spec: { tolerations: [{ key: 'a' }, { key: 'b' }] } }, spec({ 'f:tolerations': {} })),
    differs: '.spec.tolerations',
  },
]

describe('Comparing what we state with what is there', () => {
  for (const { it: what, stated, seen, differs } of cases) {
    it(`${differs === undefined ? 'finds nothing to do for' : 'finds'} ${what}`, () => {
      assert.equal(firstDifference(stated, seen, 'us'), differs)
      assert.equal(needsApply(stated, seen, 'us'), differs !== undefined)
    })
  }

  it('applies what is absent', () => {
    assert.equal(firstDifference(object({}), undefined, 'us'), 'absent')
  })

  it('does not take fields of other managers, of updates or of the status for its own', () => {
    const stated = object({ spec: { a: 1 } })
    for (const more of [{ manager: 'them' }, { operation: 'Update' }, { subresource: 'status' }]) {
      const seen = object({ spec: { a: 1 } }, { managedFields: [entry(spec({ 'f:a': {} }), more)] })
      assert.equal(firstDifference(stated, seen, 'us'), '.spec')
    }
  })

  it('compares a status with what is ours in the status', () => {
    const owned = entry(
      { 'f:status': { 'f:ready': {}, 'f:conditions': { 'k:{"type":"Ready"}': { 'f:type': {}, 'f:status': {} } } } },
      { subresource: 'status' },
    )
    const seen = object(
      { spec: { a: 1 }, status: { ready: 1, conditions: [{ type: 'Ready', status: 'True' }] } },
      { managedFields: [owned] },
    )
    const status = (ready: number) => object({ status: { ready, conditions: [{ type: 'Ready', status: 'True' }] } })
    assert.equal(firstDifference(status(1), seen, 'us', 'status'), undefined)
    assert.equal(firstDifference(status(2), seen, 'us', 'status'), '.status.ready')
    assert.equal(firstDifference(object({ status: { ready: 1 } }), seen, 'us', 'status'), '.status.conditions')
  })

  it('goes by values alone where the object came from a file, without managedFields', () => {
    const seen = object({ spec: { a: 1, b: [{ name: 'x', filled: true }], limits: { cpu: '1' } } })
    assert.equal(needsApply(object({ spec: { a: 1, b: [{ name: 'x' }], limits: { cpu: '1000m' }, c: [] } }), seen, 'us'), false)
    assert.equal(needsApply(object({ spec: { a: 2 } }), seen, 'us'), true)
    assert.equal(needsApply(object({ spec: { b: [] } }), seen, 'us'), false)
  })

  it('applies while a former owner still owns something, and only where its fields are meant', () => {
    const old = entry({ 'f:metadata': { 'f:labels': { 'f:kmm/x': {}, 'f:other': {} } } }, { manager: 'old', operation: 'Update' })
    const seen = object({}, { labels: { other: 'y', 'kmm/x': '1' }, managedFields: [old] })
    const owns = (path: readonly string[]) => path[2]?.startsWith('f:kmm/') === true
    assert.equal(firstDifference(object({}), seen, 'us', 'main', [{ manager: 'old', owns }]), 'owned by old')
    assert.equal(firstDifference(object({}), seen, 'us', 'main', [{ manager: 'old', owns: () => false }]), undefined)
    assert.equal(firstDifference(object({}), seen, 'us', 'main', [{ manager: 'older' }]), undefined)
    assert.equal(
      firstDifference(object({ status: {} }), seen, 'us', 'status', [{ manager: 'old' }]),
      undefined,
      'not of the status',
    )
  })
})

describe('Amounts', () => {
  const equal: readonly [string | number, string | number][] = [
    ['1000m', '1'],
    ['1', 1],
    ['0.1', '100m'],
    ['1Gi', '1024Mi'],
    ['1k', '1000'],
    ['1e3', '1k'],
    ['1.5Gi', '1536Mi'],
    ['0', '0m'],
    ['+1', '1'],
    ['.5', '500m'],
    ['1000000n', '1m'],
    ['2E', '2000P'],
    ['1E2', '100'],
    ['-1', '-1000m'],
  ]
  for (const [a, b] of equal) it(`are the same: ${a} and ${b}`, () => assert.ok(sameQuantity(a, b) && sameQuantity(b, a)))
  const other: readonly [string, string][] = [
    ['1', '1m'],
    ['1G', '1Gi'],
    ['1', ''],
    ['x', 'y'],
    ['1', '-1'],
    ['1', '1 '],
  ]
  for (const [a, b] of other) it(`differ: "${a}" and "${b}"`, () => assert.ok(!sameQuantity(a, b)))
})
