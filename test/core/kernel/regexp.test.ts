import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileGoRegexp } from '../../../src/core/kernel/regexp.ts'

function search(pattern: string, text: string): boolean {
  const compiled = compileGoRegexp(pattern)
  assert.ok('matches' in compiled, `${pattern} must compile`)
  return compiled.matches(text)
}

describe('Patterns of kernel mappings', () => {
  const found: readonly [string, string, boolean][] = [
    ['^.+$', '6.0.15-300.fc37.x86_64', true],
    ['fc37', '6.0.15-300.fc37.x86_64', true],
    ['^fc37', '6.0.15-300.fc37.x86_64', false],
    ['(?i)FC37', '6.0.15-300.fc37.x86_64', true],
    ['[[:digit:]]{3}\\.', '6.0.15-300.fc37.x86_64', true],
    ['x86_64\\z', '6.0.15-300.fc37.x86_64', true],
    ['(?P<major>6)\\.0', '6.0.15-300.fc37.x86_64', true],
    ['\\Q.fc37.\\E', '6.0.15-300.fc37.x86_64', true],
    ['^.+\\fc37\\.x86_64$', '6.0.15-300.fc37.x86_64', false],
    ['^.+\\fc37\\.x86_64$', 'a\fc37.x86_64', true],
    ['', 'anything', true],
    ['^5\\.1[0-9]+\\.', '5.14.0-70.el9', true],
  ]
  for (const [pattern, text, expected] of found) {
    it(`${JSON.stringify(pattern)} ${expected ? 'is found' : 'is not found'} in ${JSON.stringify(text)}`, () => {
      assert.equal(search(pattern, text), expected)
    })
  }

  const refused: readonly [string, RegExp][] = [
    ['(', /missing closing \)/],
    ['[', /missing closing \]/],
    ['a**', /repetition/],
    ['*a', /missing argument to repetition/],
    ['(?=a)', /\(\?=/],
    ['(?<!a)b', /\(\?<!/],
    ['(a)\\1', /invalid escape sequence: `\\1`/],
    ['\\Z', /invalid escape sequence/],
    ['x{1001}', /repeat count/],
  ]
  for (const [pattern, words] of refused) {
    it(`${JSON.stringify(pattern)} is refused, as Go refuses it`, () => {
      const compiled = compileGoRegexp(pattern)
      assert.ok('error' in compiled)
      assert.match(compiled.error, words)
    })
  }

  it('needs linear time for a pattern on which backtracking explodes', () => {
    const started = performance.now()
    assert.equal(search('^(a+)+$', `${'a'.repeat(2000)}b`), false)
    assert.ok(performance.now() - started < 1000)
  })
})
