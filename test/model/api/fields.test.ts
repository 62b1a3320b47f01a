import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  difference,
  type FieldSet,
  intersection,
  parseFieldSet,
  printPaths,
  union,
  withoutIdentity,
} from '../../../src/model/api/fields.ts'
import { isEqual } from '../../../src/model/api/json.ts'
import type { Shape } from '../../../src/model/api/shape.ts'
import { compare, fieldSetOf, merge, removeItems } from '../../../src/model/api/typed.ts'

const shape: Shape = {
  fields: {
    items: { keys: ['name'], items: {} },
    set: { set: 'set' },
    atomic: { merge: 'atomic' },
    labels: { values: {} },
  },
}

const scalar = fc.constantFrom('1', '2', 3, true)
const optional = { requiredKeys: [] }
const item = fc.record(
  { name: fc.constantFrom('a', 'b', 'c'), value: scalar, deep: fc.record({ x: scalar }, optional) },
  { requiredKeys: ['name'] },
)
const value = fc.record(
  {
    items: fc.uniqueArray(item, { selector: entry => entry.name, maxLength: 3 }),
    set: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { maxLength: 3 }),
    atomic: fc.dictionary(fc.constantFrom('k', 'l'), scalar),
    labels: fc.dictionary(fc.constantFrom('k', 'l'), scalar),
    plain: fc.record({ one: scalar, two: scalar }, optional),
    list: fc.array(scalar, { maxLength: 2 }),
  },
  optional,
)
const set = value.map(object => fieldSetOf(object, shape))
const paths = (fields: FieldSet) => new Set(printPaths(fields))

describe('sets of fields', () => {
  it('union, difference and intersection are those of their paths', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        assert.deepEqual(paths(union(a, b)), paths(a).union(paths(b)))
        assert.deepEqual(paths(difference(a, b)), paths(a).difference(paths(b)))
        assert.deepEqual(paths(intersection(a, b)), paths(a).intersection(paths(b)))
      }),
    )
  })

  it('survive being sent', () => {
    fc.assert(fc.property(set, fields => assert.deepEqual(parseFieldSet(JSON.parse(JSON.stringify(fields))), fields)))
  })

  it('are printed as the server prints them', () => {
    const fields = fieldSetOf({ items: [{ name: 'a', value: 1 }], set: ['p'], labels: { k: '1' } }, shape)
    assert.deepEqual(printPaths(fields), [
      '.items[name="a"]',
      '.items[name="a"].name',
      '.items[name="a"].value',
      '.labels.k',
      '.set[="p"]',
    ])
  })

  it('never hold the identity of an object', () => {
    const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a', uid: 'u', resourceVersion: '1', labels: { l: '1' } } }
    assert.deepEqual(printPaths(withoutIdentity(fieldSetOf(object, {}))), ['.metadata.labels.l'])
  })
})

describe('typed values', () => {
  it('merged hold all that was applied, and merging again changes nothing', () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const merged = merge(live, applied, shape)
        const { added, modified } = compare(merged, merge(merged, applied, shape), shape)
        assert.deepEqual(printPaths(added), [])
        assert.deepEqual(printPaths(modified), [])
        const changes = compare(applied, merged, shape)
        assert.deepEqual(printPaths(union(changes.removed, changes.modified)), [])
      }),
    )
  })

  it('compared with themselves do not differ, and differ the other way round with added and removed exchanged', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        assert.deepEqual(compare(a, structuredClone(a), shape), { added: {}, modified: {}, removed: {} })
        const there = compare(a, b, shape)
        const back = compare(b, a, shape)
        assert.deepEqual(paths(there.added), paths(back.removed))
        assert.deepEqual(paths(there.modified), paths(back.modified))
      }),
    )
  })

  it('keep the live reference when the applied value changes nothing', () => {
    fc.assert(fc.property(value, live => assert.equal(merge(live, structuredClone(live), shape), live)))
  })

  it('leave null where a container that stays loses its last item', () => {
    const object = { labels: { k: '1' }, items: [{ name: 'a' }], plain: { one: '1' } }
    const fields = fieldSetOf({ labels: { k: '1' }, items: [{ name: 'a' }] }, shape)
    assert.deepEqual(removeItems(object, fields, shape), { labels: null, items: null, plain: { one: '1' } })
  })

  it('take the order of the applied list for its items, and leave the others where they were', () => {
    const names = (list: unknown) => (list as readonly { name: string }[]).map(entry => entry.name).join('')
    const list = (text: string) => ({ items: Array.from(text).map(name => ({ name })) })
    for (const [live, applied, merged] of [
      ['abc', 'cb', 'acb'],
      ['ab', 'cd', 'abcd'],
      ['abc', 'b', 'abc'],
      ['', 'ba', 'ba'],
      ['ab', 'ba', 'ba'],
    ] as const) {
      assert.equal(
        names((merge(list(live), list(applied), shape) as ReturnType<typeof list>).items),
        merged,
        `${live} + ${applied}`,
      )
    }
  })

  it('lose the members of a set and nothing else', () => {
    fc.assert(
      fc.property(value, set, (object, fields) => {
        const left = removeItems(object, fields, shape)
        assert.ok(!isEqual(left, undefined))
        const gone = paths(fields)
        for (const path of paths(fieldSetOf(left, shape))) assert.ok(!gone.has(path) || path.endsWith('labels'), path)
      }),
    )
  })
})
