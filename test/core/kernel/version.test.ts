import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { kernelLabelValue, kernelPieces, kernelTag, withoutPlus } from '../../../src/core/kernel/version.ts'

const labelValue = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const kernel = fc.string({ unit: fc.constantFrom(...'6.1-_+~:ax#'.split('')), minLength: 1, maxLength: 80 })

describe('The label value of a kernel', () => {
  for (const legal of ['6.0.15-300.fc37.x86_64', '4.18.0-372.32.1.el8_6.x86_64', '5.15.0-my_build', '6']) {
    it(`${legal} stays as it is`, () => assert.equal(kernelLabelValue(legal), legal))
  }

  it('loses one final +', () => {
    assert.equal(kernelLabelValue('5.14.0-70.el9.x86_64+'), '5.14.0-70.el9.x86_64')
  })

  const changed: readonly [string, RegExp][] = [
    ['6.12.117+deb12-cloud-amd64', /^6\.12\.117_deb12-cloud-amd64-[0-9a-f]{10}$/],
    ['6.1.0++', /^6\.1\.0-[0-9a-f]{10}$/],
    ['-6.1_', /^6\.1-[0-9a-f]{10}$/],
    ['+~', /^[0-9a-f]{10}$/],
    [`6.1-${'x'.repeat(80)}`, /^6\.1-x{48}-[0-9a-f]{10}$/],
  ]
  for (const [text, expected] of changed) {
    it(`${text.slice(0, 30)} becomes legal and stays readable`, () => {
      assert.match(kernelLabelValue(text), expected)
      assert.match(kernelLabelValue(text), labelValue)
    })
  }

  it('is legal for every kernel', () => {
    fc.assert(fc.property(kernel, text => withoutPlus(text) === '' || labelValue.test(kernelLabelValue(text))))
  })

  it('is shared by no two kernels, but for a final +', () => {
    // Pairs that differ only in characters that a careless replacement would make alike.
    const alike = fc.array(fc.constantFrom(['6', '6'], ['+', '_'], ['~', '_'], ['-', '.'], ['', '+']), {
      minLength: 1,
      maxLength: 70,
    })
    const pair = alike.map(parts => [parts.map(([a]) => a).join(''), parts.map(([, b]) => b).join('')] as const)
    fc.assert(
      fc.property(pair, ([a, b]) => withoutPlus(a) === withoutPlus(b) || kernelLabelValue(a) !== kernelLabelValue(b)),
      { numRuns: 500 },
    )
  })
})

describe('Kernels elsewhere', () => {
  const tags: readonly [string, string][] = [
    ['6.12.117+deb12-cloud-amd64', '6.12.117_deb12-cloud-amd64'],
    ['v1-6.1.0+', 'v1-6.1.0_'],
    ['-a', '_a'],
    ['.a', '_a'],
    ['6.0.15-300.fc37.x86_64', '6.0.15-300.fc37.x86_64'],
  ]
  for (const [text, tag] of tags) {
    it(`${text} is ${tag} in a tag`, () => assert.equal(kernelTag(text), tag))
  }

  const pieces: readonly [string, string, string, string, string][] = [
    ['6.0.15-300.fc37.x86_64', '6', '0', '15', '6.0.15'],
    ['4.18.0-372.32.1.el8_6.x86_64', '4', '18', '0', '4.18.0'],
    ['6,1-2', '6', '1', '2', '6.1.2'],
    ['6.1.0+', '6', '1', '0', '6.1.0'],
    ['5.4', '5', '4', '', '5.4'],
    ['', '', '', '', ''],
  ]
  for (const [text, x, y, z, xyz] of pieces) {
    it(`${JSON.stringify(text)} is in pieces ${x}, ${y}, ${z}`, () => assert.deepEqual(kernelPieces(text), { x, y, z, xyz }))
  }
})
