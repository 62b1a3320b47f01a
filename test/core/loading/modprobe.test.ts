import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { CanonicalModprobe } from '../../../src/core/canonical.ts'
import { loadScript, unloadScript } from '../../../src/core/loading/hooks.ts'
import { loadArguments, shellWord, softDependencies, unloadArguments } from '../../../src/core/loading/modprobe.ts'
import { frozen } from '../frozen.ts'
import { loaderContainer } from './loader-container.ts'

const named = { moduleName: 'mod_a', dirName: '/opt' }

describe('Arguments of modprobe', () => {
  const cases: readonly [string, CanonicalModprobe, string, string][] = [
    ['are -v or -rv, the directory and the name', named, '-v -d /opt mod_a', '-rv -d /opt mod_a'],
    ['have no -d where dirName is empty', { ...named, dirName: '' }, '-v mod_a', '-rv mod_a'],
    [
      'end with the parameters, only when loading',
      { ...named, parameters: ['a=1', 'b=2'] },
      '-v -d /opt mod_a a=1 b=2',
      '-rv -d /opt mod_a',
    ],
    [
      'begin with args instead of -v and -rv',
      { ...named, args: { load: ['-f', '-s'], unload: ['-r'] } },
      '-f -s -d /opt mod_a',
      '-r -d /opt mod_a',
    ],
    [
      'keep the standard where only one of args is given',
      { ...named, args: { load: ['-s'] } },
      '-s -d /opt mod_a',
      '-rv -d /opt mod_a',
    ],
    [
      'are nothing but rawArgs',
      { dirName: '/opt', rawArgs: { load: ['a', '-b'], unload: ['-r', 'a'] }, parameters: ['p=1'] },
      'a -b',
      '-r a',
    ],
    ['ignore empty lists', { ...named, args: { load: [] }, rawArgs: { unload: [] } }, '-v -d /opt mod_a', '-rv -d /opt mod_a'],
  ]
  for (const [sentence, modprobe, load, unload] of cases) {
    it(sentence, () => {
      assert.equal(loadArguments(frozen(modprobe)).join(' '), load)
      assert.equal(unloadArguments(frozen(modprobe)).join(' '), unload)
    })
  }

  it('are plain words where they can be, and quoted where they must', () => {
    const words: readonly [string, string][] = [
      ['/opt', '/opt'],
      ['a=1,2', 'a=1,2'],
      ['', "''"],
      ["it's", `'it'\\''s'`],
      ['$HOME', `'$HOME'`],
      ['*', `'*'`],
      ['~', `'~'`],
      ['a b', `'a b'`],
      ['ö', `'ö'`],
    ]
    for (const [value, word] of words) assert.equal(shellWord(value), word)
  })

  it('reach modprobe exactly as they were asked for, whatever characters they hold', () => {
    const container = loaderContainer()
    try {
      const nasty = fc.constantFrom(
        ...`'"\\$\`*?[]{}()<>|&;~#!=-% \t\n\r`.split(''),
        '$(exit 9)',
        '\u0001',
        'ö',
        '😀',
        '-v',
        '%s',
        'a',
      )
      const argument = fc.array(nasty, { maxLength: 6 }).map(parts => parts.join(''))
      const args = fc.array(argument, { minLength: 1, maxLength: 4 })
      const modprobe = fc.record(
        {
          moduleName: argument,
          dirName: argument,
          parameters: args,
          args: fc.record({ load: args, unload: args }, { requiredKeys: [] }),
        },
        { requiredKeys: ['dirName'] },
      )
      const raw = fc.record({ dirName: argument, rawArgs: fc.record({ load: args, unload: args }) })
      const loading = fc.record(
        { modprobe: fc.oneof(modprobe, raw), inTreeModuleToRemove: argument },
        { requiredKeys: ['modprobe'] },
      )
      let heard = 0
      fc.assert(
        fc.property(loading, given => {
          assert.equal(container.run(loadScript(given, container.paths)).code, 0)
          assert.equal(container.run(unloadScript(given, container.paths)).code, 0)
          const calls = container.calls('modprobe')
          const inTree = given.inTreeModuleToRemove
          assert.deepEqual(calls.slice(heard), [
            ...(inTree === undefined || inTree === '' ? [] : [['-r', inTree]]),
            loadArguments(given.modprobe),
            unloadArguments(given.modprobe),
          ])
          heard = calls.length
        }),
        { numRuns: 60 },
      )
    } finally {
      container.remove()
    }
  })
})

describe('The loading order', () => {
  it('becomes soft dependencies between neighbours', () => {
    assert.equal(softDependencies(['A', 'B', 'C']), 'softdep A pre: B\nsoftdep B pre: C\n')
  })
  it('of one module or none becomes nothing', () => {
    assert.equal(softDependencies(['A']) + softDependencies([]), '')
  })
})
