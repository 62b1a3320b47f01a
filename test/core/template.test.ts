import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { substitute } from '../../src/core/template.ts'

const variables = { A: 'value', EMPTY: '', Ünï_1: 'letters' }

describe('Substitution', () => {
  const good: readonly [string, string][] = [
    ['$A', 'value'],
    ['${A}', 'value'],
    ['x/$A/y', 'x/value/y'],
    ['$A-$A', 'value-value'],
    ['$AB', ''],
    ['$UNKNOWN.x', '.x'],
    ['${UNKNOWN}', ''],
    ['$Ünï_1', 'letters'],
    ['$1', ''],
    ['${A:-w}', 'value'],
    ['${EMPTY:-w}', 'w'],
    ['${UNKNOWN:-w}', 'w'],
    ['${EMPTY:=w}', 'w'],
    ['${EMPTY-w}', ''],
    ['${UNKNOWN-w}', 'w'],
    ['${UNKNOWN=w}', 'w'],
    ['${A=w}', 'value'],
    ['${A+w}', 'w'],
    ['${EMPTY+w}', 'w'],
    ['${EMPTY:+w}', 'w'],
    ['${UNKNOWN+w}', ''],
    ['${UNKNOWN:+w}', ''],
    ['${UNKNOWN:-$A}', 'value'],
    ['${UNKNOWN:-$NEITHER}', ''],
    ['${UNKNOWN:-}', ''],
    ['${UNKNOWN:-a b:c/d}', 'a b:c/d'],
    ['$$A', '$A'],
    ['$$$A', '$value'],
    ['a$', 'a$'],
    ['$ $- $/', '$ $- $/'],
    ['}{', '}{'],
    ['$toString${constructor}', ''],
    ['line\n$A', 'line\nvalue'],
    ['', ''],
  ]
  for (const [template, text] of good) {
    it(`${JSON.stringify(template)} becomes ${JSON.stringify(text)}`, () => {
      assert.deepEqual(substitute(template, variables), { text })
    })
  }

  const bad: readonly [string, RegExp][] = [
    ['x${A', /"\$\{A" has no closing brace/],
    ['${', /no closing brace/],
    ['${A\n}', /line break/],
    ['${}', /names no variable/],
    ['${-w}', /names no variable/],
    ['${A%w}', /"\$\{A%w\}" holds something/],
    ['${A:w}', /holds something/],
    ['${A:-$B$C}', /exactly one \$VARIABLE/],
    ['${A:-${B}}', /exactly one \$VARIABLE/],
  ]
  for (const [template, words] of bad) {
    it(`${JSON.stringify(template)} is an error that quotes the place`, () => {
      const result = substitute(template, variables)
      assert.ok('error' in result)
      assert.match(result.error, words)
    })
  }

  it('leaves text without a $ as it is, and values are never substituted again', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, value) => {
        const plain = text.replaceAll('$', '')
        assert.deepEqual(substitute(plain, variables), { text: plain })
        assert.deepEqual(substitute('<${V}>', { V: value }), { text: `<${value}>` })
      }),
    )
  })

  it('always answers, whatever the template', () => {
    const template = fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', '+', '=', 'A', '\n') })
    fc.assert(fc.property(template, text => Object.keys(substitute(text, variables)).length === 1))
  })
})
