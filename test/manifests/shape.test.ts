// What the API server would refuse or silently drop, told in one sentence each.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkModuleShape } from '../../src/manifests/shape.ts'
import { misshapen, moduleWith, shapely } from './shapes.ts'

describe('shape of a Module', () => {
  for (const [sentence, value] of shapely) {
    it(`accepts ${sentence}`, () => {
      assert.deepEqual(checkModuleShape(value), [])
    })
  }

  it('accepts what `kubectl get -o yaml` prints', () => {
    const metadata = {
      name: 'x',
      uid: 'u',
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': {} } }],
      annotations: { a: 'b' },
    }
    const status = { moduleLoader: { desiredNumber: 1 }, kernels: [{ kernel: '6.1', nodes: 1, ready: 0 }], observedGeneration: 1 }
    assert.deepEqual(checkModuleShape(moduleWith({}, {}, { metadata, status })), [])
  })

  for (const [sentence, value, code, path, message] of misshapen) {
    it(`tells of ${sentence}`, () => {
      const violations = checkModuleShape(value)
      assert.deepEqual(
        violations.map(violation => [violation.code, violation.path]),
        [[code, path]],
      )
      assert.match(violations[0]?.message ?? '', message)
    })
  }
})
