import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ApiError } from '../../../src/model/api/errors.ts'
import { jsonPatch, mergePatch, strategicMergePatch } from '../../../src/model/api/patch.ts'
import { parsePath } from '../../../src/model/api/paths.ts'
import { canonicalQuantity } from '../../../src/model/api/quantity.ts'
import { type Schema, schemaFaults } from '../../../src/model/api/schema.ts'

const quantities: readonly (readonly [unknown, unknown])[] = [
  ['1000m', '1'],
  ['0.5', '500m'],
  ['1', '1'],
  [1, '1'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1000', '1k'],
  ['1500', '1500'],
  ['100M', '100M'],
  ['0.0001', '100u'],
  ['512Ki', '512Ki'],
  ['0.5Ki', '512'],
  ['-1', '-1'],
  ['0', '0'],
  ['0.0000000001', '1n'],
  ['1e3', '1e3'],
  ['nonsense', 'nonsense'],
]

describe('quantities', () => {
  for (const [given, stored] of quantities) {
    it(`${JSON.stringify(given)} is stored as ${JSON.stringify(stored)}`, () => assert.equal(canonicalQuantity(given), stored))
  }

  it('have one form: the canonical form of a canonical form is itself', () => {
    const suffix = fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), suffix, (amount, unit) => {
        const once = canonicalQuantity(`${amount}${unit}`)
        assert.equal(canonicalQuantity(once), once)
      }),
    )
  })
})

/** RFC 7386, appendix A. */
const merges: readonly (readonly [unknown, unknown, unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

describe('patches', () => {
  it('merge as RFC 7386 shows', () => {
    for (const [document, patch, result] of merges) assert.deepEqual(mergePatch(document, patch), result)
  })

  it('point as RFC 6901 says', () => {
    const document = { 'a/b': { 'm~n': [1, 2] } }
    assert.deepEqual(jsonPatch(document, [{ op: 'replace', path: '/a~1b/m~0n/1', value: 3 }]), { 'a/b': { 'm~n': [1, 3] } })
    assert.deepEqual(jsonPatch(document, [{ op: 'add', path: '/a~1b/m~0n/-', value: 3 }]), { 'a/b': { 'm~n': [1, 2, 3] } })
    assert.deepEqual(jsonPatch(document, [{ op: 'add', path: '/a~1b/m~0n/0', value: 3 }]), { 'a/b': { 'm~n': [3, 1, 2] } })
  })

  it('refuse what does not apply with 422, what is no patch with 400', () => {
    const code = (patch: unknown): number => {
      try {
        jsonPatch({ a: [1] }, patch)
      } catch (error) {
        return error instanceof ApiError ? error.code : 0
      }
      return 200
    }
    assert.equal(code([{ op: 'remove', path: '/a/1' }]), 422)
    assert.equal(code([{ op: 'add', path: '/a/2', value: 1 }]), 422)
    assert.equal(code([{ op: 'add', path: '/b/c', value: 1 }]), 422)
    assert.equal(code([{ op: 'test', path: '/a/0', value: '1' }]), 422)
    assert.equal(code([{ op: 'test', path: '/b', value: null }]), 200)
    assert.equal(code([{ op: 'test', path: '/b/c', value: null }]), 422)
    assert.equal(code([{ op: 'jump', path: '/a' }]), 400)
    assert.equal(code({}), 400)
  })

  it('never change the document', () => {
    const document = Object.freeze({ a: Object.freeze({ b: Object.freeze([1]) }) })
    jsonPatch(document, [
      { op: 'add', path: '/a/b/-', value: 2 },
      { op: 'move', from: '/a/b', path: '/c' },
    ])
    mergePatch(document, { a: { b: null } })
  })

  it('merge strategically: the order of the patch, the rest in its place', () => {
    const shape = { fields: { items: { keys: ['name'] } } }
    const list = (text: string) => ({ items: Array.from(text).map(name => ({ name })) })
    for (const [live, patch, result] of [
      ['hsc', 'f', 'fhsc'],
      ['hsfc', 'hec', 'hesfc'],
      ['fh', 'hfc', 'hfc'],
    ] as const) {
      assert.deepEqual(strategicMergePatch(list(live), list(patch), shape), list(result))
    }
    const gone = { items: [{ name: 'h', $patch: 'delete' }] }
    assert.deepEqual(strategicMergePatch(list('hs'), gone, shape), list('s'))
    assert.deepEqual(strategicMergePatch(list('hs'), { items: [{ $patch: 'replace' }, { name: 'x' }] }, shape), list('x'))
  })
})

describe('paths', () => {
  const resource = (more: object) => ({ is: 'resource', ...more })
  const table: readonly (readonly [string, object])[] = [
    ['/api/v1/nodes', resource({ apiVersion: 'v1', plural: 'nodes' })],
    ['/api/v1/namespaces/a', resource({ apiVersion: 'v1', plural: 'namespaces', name: 'a' })],
    ['/api/v1/namespaces/a/status', resource({ apiVersion: 'v1', plural: 'namespaces', name: 'a', subresource: 'status' })],
    ['/api/v1/namespaces/a/pods', resource({ apiVersion: 'v1', plural: 'pods', namespace: 'a' })],
    [
      '/apis/apps/v1/namespaces/a/daemonsets/b/status',
      resource({ apiVersion: 'apps/v1', plural: 'daemonsets', namespace: 'a', name: 'b', subresource: 'status' }),
    ],
    ['/apis/apps/v1', { is: 'discovery', parts: ['apis', 'apps', 'v1'] }],
    ['/version', { is: 'discovery', parts: ['version'] }],
  ]
  for (const [path, target] of table) it(`${path} is understood`, () => assert.deepEqual(parsePath(path), target))
})

describe('schemas', () => {
  const faulty: readonly (readonly [string, Schema, readonly string[]])[] = [
    ['a field without a type', { type: 'object', properties: { a: {} } }, ['s.properties[a].type']],
    [
      'a type in a logical part',
      { type: 'object', anyOf: [{ properties: { a: { type: 'object' } } }] },
      ['s.anyOf[0].properties[a].type'],
    ],
    ['a list without items', { type: 'array' }, ['s.items']],
    ['an unknown type', { type: 'text' }, ['s.type']],
    [
      'a list map without keys',
      { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
      ['s.x-kubernetes-list-map-keys'],
    ],
    [
      'a key that may be absent',
      {
        type: 'array',
        items: { type: 'object', properties: { a: { type: 'string' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['a'],
      },
      ['s.items.properties[a].default'],
    ],
    [
      'fields and free keys together',
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
      ['s.additionalProperties'],
    ],
    ['an int-or-string', { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }, []],
    [
      'required alternatives',
      { type: 'object', anyOf: [{ required: ['a'] }], not: { required: ['a', 'b'] }, properties: {} },
      [],
    ],
  ]
  for (const [what, schema, paths] of faulty) {
    it(`${paths.length === 0 ? 'accept' : 'refuse'} ${what}`, () =>
      assert.deepEqual(
        schemaFaults(schema, 's').map(fault => fault.path),
        paths,
      ))
  }
})
