import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject, ManagedFields } from '../../src/core/object.ts'
import { takenOver } from '../../src/shell/kube/apply.ts'
import { appliedEntry, split, union } from '../../src/shell/kube/fields.ts'
import { managedFieldsTrim } from '../../src/shell/snapshot/trim.ts'

const entry = (manager: string, operation: string, fieldsV1: object, subresource?: string): ManagedFields => ({
  manager,
  operation,
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(subresource === undefined ? {} : { subresource }),
})
const labels = (...names: string[]) => ({
  'f:metadata': { 'f:labels': Object.fromEntries(names.map(name => [`f:${name}`, {}])) },
})
const object = (...managedFields: ManagedFields[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', managedFields },
})
const isOurs = (path: readonly string[]) => path[1] === 'f:labels' && path[2]?.startsWith('f:kmm/') === true

describe('Sets of fields', () => {
  it('are joined field by field', () => {
    assert.deepEqual(union(labels('a', 'b'), { ...labels('c'), 'f:spec': { 'f:x': {} } }), {
      ...labels('a', 'b', 'c'),
      'f:spec': { 'f:x': {} },
    })
  })

  it('are split by leaves, and a map or item that loses all of them goes with them', () => {
    const fields = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:kmm/a': {}, 'f:b': {} }, 'f:annotations': { '.': {}, 'f:c': {} } },
    }
    assert.deepEqual(split(fields, isOurs), {
      yes: { 'f:metadata': { 'f:labels': { '.': {}, 'f:kmm/a': {} } } },
      no: { 'f:metadata': { 'f:labels': { '.': {}, 'f:b': {} }, 'f:annotations': { '.': {}, 'f:c': {} } } },
    })
    assert.deepEqual(
      split(fields, () => true),
      { yes: fields, no: {} },
    )
  })

  it('of ours are those that were applied, per subresource', () => {
    const ours = entry('us', 'Apply', labels('a'))
    const status = entry('us', 'Apply', { 'f:status': {} }, 'status')
    const seen = object(entry('us', 'Update', labels('u')), entry('them', 'Apply', labels('t')), status, ours)
    assert.equal(appliedEntry(seen, 'us'), ours)
    assert.equal(appliedEntry(seen, 'us', 'status'), status)
    assert.equal(appliedEntry(seen, 'nobody'), undefined)
  })
})

describe('Taking over from an older operator', () => {
  it('makes its fields ours, and leaves it what is not meant', () => {
    const old = entry('old', 'Update', labels('kmm/a', 'other'))
    const kubelet = entry('kubelet', 'Update', labels('zone'))
    assert.deepEqual(takenOver([kubelet, old], 'us', [{ manager: 'old', owns: isOurs }], 'main'), [
      kubelet,
      entry('old', 'Update', labels('other')),
      entry('us', 'Apply', labels('kmm/a')),
    ])
  })

  it('adds them to what is ours already', () => {
    const entries = [entry('us', 'Apply', labels('kmm/b')), entry('old', 'Update', labels('kmm/a'))]
    assert.deepEqual(takenOver(entries, 'us', [{ manager: 'old' }], 'main'), [entry('us', 'Apply', labels('kmm/b', 'kmm/a'))])
  })

  it('keeps main resource and status apart', () => {
    const status = entry('old', 'Update', { 'f:status': { 'f:ready': {} } }, 'status')
    assert.equal(takenOver([status], 'us', [{ manager: 'old' }], 'main'), undefined)
    assert.deepEqual(takenOver([status], 'us', [{ manager: 'old' }], 'status'), [
      entry('us', 'Apply', { 'f:status': { 'f:ready': {} } }, 'status'),
    ])
  })

  it('changes nothing where nobody named owns anything', () => {
    assert.equal(takenOver([entry('kubelet', 'Update', labels('zone'))], 'us', [{ manager: 'old' }], 'main'), undefined)
  })
})

describe('The snapshot keeps of managedFields', () => {
  const trim = managedFieldsTrim('us', [{ manager: 'old', owns: isOurs }])

  it('what we applied, and what a former owner has of ours; without times', () => {
    const { time: _, ...ours } = entry('us', 'Apply', labels('a'))
    const { time: __, ...former } = entry('old', 'Update', labels('kmm/x'))
    const seen = object(
      entry('kubelet', 'Update', labels('zone'), 'status'),
      entry('us', 'Update', labels('u')),
      entry('us', 'Apply', labels('a')),
      entry('old', 'Update', labels('kmm/x', 'other')),
    )
    assert.deepEqual(trim(seen), [ours, former])
  })

  it('equal entries once in memory', () => {
    const [a] = trim(object(entry('us', 'Apply', labels('a'))))
    const [b] = trim(object(entry('us', 'Apply', labels('a'))))
    assert.equal(a, b)
  })

  it('an empty list where nothing is ours: that is not the same as not known', () => {
    assert.deepEqual(trim(object()), [])
  })
})
