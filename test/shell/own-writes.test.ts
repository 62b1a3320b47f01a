import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject, Resource } from '../../src/core/object.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { compareVersions } from '../../src/shell/kube/versions.ts'
import { isSeen, type OwnWrite, OwnWrites, type Sight } from '../../src/shell/loop/own-writes.ts'

const things: Resource = { apiVersion: 'v1', kind: 'Thing', plural: 'things', namespaced: false }
const at = (resourceVersion: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', uid: 'u', resourceVersion, ...more },
})
const write = (resourceVersion: string | undefined, did: OwnWrite['did'] = 'write'): OwnWrite => ({
  resource: things,
  object: 'a',
  uid: 'u',
  resourceVersion,
  did,
})

const table: readonly [string, OwnWrite, Sight, boolean][] = [
  ['an older version of the object', write('10'), { object: at('9'), resourceVersion: '9' }, false],
  ['the very version', write('10'), { object: at('10'), resourceVersion: '10' }, true],
  ['a newer version, a digit longer', write('99'), { object: at('100'), resourceVersion: '100' }, true],
  ['nothing yet of what we created', write('10'), { object: undefined, resourceVersion: '9' }, false],
  [
    'nothing, although all up to our write was heard: gone since',
    write('10'),
    { object: undefined, resourceVersion: '11' },
    true,
  ],
  ['nothing before the first list', write('10'), { object: undefined, resourceVersion: undefined }, false],
  ['the object that we removed', write(undefined, 'remove'), { object: at('9'), resourceVersion: '9' }, false],
  ['nothing where we removed', write(undefined, 'remove'), { object: undefined, resourceVersion: '9' }, true],
  [
    'another incarnation where we removed',
    write(undefined, 'remove'),
    { object: at('12', { uid: 'v' }), resourceVersion: '12' },
    true,
  ],
  [
    'the removed object, now being deleted',
    write('10', 'remove'),
    { object: at('10', { deletionTimestamp: 'now' }), resourceVersion: '10' },
    true,
  ],
  [
    'the removed object, being deleted, from before',
    write('10', 'remove'),
    { object: at('9', { deletionTimestamp: 'now' }), resourceVersion: '9' },
    false,
  ],
]

describe('A write of ours', () => {
  for (const [what, own, sight, seen] of table) {
    it(`${seen ? 'is' : 'is not'} seen where the snapshot has ${what}`, () => assert.equal(isSeen(own, sight), seen))
  }
})

describe('Resource versions', () => {
  it('are compared as numbers of any length', () => {
    const sorted = ['9', '10', '99', '100', '18446744073709551616', '18446744073709551617']
    assert.deepEqual([...sorted].reverse().sort(compareVersions), sorted)
    assert.equal(compareVersions('7', '7'), 0)
  })
})

function setUp() {
  const clock = createVirtualClock(0)
  const sights = new Map<string, Sight>()
  const freed: string[] = []
  const writes = new OwnWrites({
    clock,
    deadlineMs: 30_000,
    look: (_resource, object) => sights.get(object) ?? { object: undefined, resourceVersion: '1' },
    onFree: (key, late) => freed.push(`${key}${late.length > 0 ? ' late' : ''}`),
  })
  const see = (resourceVersion: string) => {
    sights.set('a', { object: at(resourceVersion), resourceVersion })
    writes.touched(things, 'a')
  }
  return { clock, writes, freed, see, sights }
}

describe('A key that wrote', () => {
  it('is free when the last of its writes is seen', () => {
    const { writes, freed, see } = setUp()
    writes.add('k', write('10'))
    writes.add('k', write('12'))
    see('11')
    assert.ok(writes.has('k'))
    see('12')
    assert.deepEqual(freed, ['k'])
    assert.equal(writes.size, 0)
  })

  it('is never taken when the write was seen before its answer came', () => {
    const { writes, freed, see } = setUp()
    see('10')
    writes.add('k', write('10'))
    assert.ok(!writes.has('k'))
    assert.deepEqual(freed, [])
  })

  it('is freed after the deadline, and that is told', () => {
    const { writes, freed, clock, see } = setUp()
    writes.add('k', write('10'))
    clock.advance(29_999)
    assert.ok(writes.has('k'))
    clock.advance(1)
    assert.deepEqual(freed, ['k late'])
    see('10')
    assert.deepEqual(freed, ['k late'])
  })

  it('is freed by a bookmark when the object is not ours to see', () => {
    const { writes, freed, sights } = setUp()
    writes.add('k', write('10'))
    sights.set('a', { object: undefined, resourceVersion: '15' })
    writes.reached({ ...things, plural: 'others' })
    assert.deepEqual(freed, [])
    writes.reached(things)
    assert.deepEqual(freed, ['k'])
  })

  it('leaves no timer behind', () => {
    const { writes, clock, see } = setUp()
    writes.add('k', write('10'))
    see('10')
    assert.equal(clock.pending(), 0)
  })
})
