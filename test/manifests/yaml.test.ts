// YAML as kubectl reads it, with lines for messages.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { BadInput, parseYamlDocuments, printYaml } from '../../src/shell/yaml.ts'

const valueOf = (text: string) => parseYamlDocuments(text, 'file.yaml')[0]?.value

describe('reading YAML', () => {
  for (const [text, value] of [
    ['a: yes', { a: true }],
    ['a: "yes"', { a: 'yes' }],
    ['a: 0755', { a: 493 }],
    ['a: 1:30', { a: '1:30' }],
    ['a: 2024-05-01', { a: '2024-05-01' }],
    ['a: 2024-05-01T12:00:00Z', { a: '2024-05-01T12:00:00Z' }],
    ['a: .', { a: '.' }],
    ['a: e3', { a: 'e3' }],
    ['a: 1e3', { a: 1000 }],
    ['a: .5', { a: 0.5 }],
    ['a: 6.0.15-300', { a: '6.0.15-300' }],
    ['{"a": [1, "b", null]}', { a: [1, 'b', null] }],
    ['x: &x {a: 1}\nb: {<<: *x, c: 2}', { x: { a: 1 }, b: { a: 1, c: 2 } }],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(valueOf(text), value)
    })
  }

  it('reads several documents and leaves out empty ones', () => {
    const documents = parseYamlDocuments('---\n# nothing\n---\na: 1\n---\n---\n\nb: 2\n', 'file.yaml')
    assert.deepEqual(
      documents.map(({ value, startLine }) => [value, startLine]),
      [
        [{ a: 1 }, 4],
        [{ b: 2 }, 8],
      ],
    )
    assert.deepEqual(parseYamlDocuments('', 'file.yaml'), [])
  })

  it('knows the line of what an alias stands for', () => {
    const [document] = parseYamlDocuments('a: &x\n  b: 1\n  c: 2\nd: *x\n', 'file.yaml')
    assert.deepEqual([document?.line(['d']), document?.line(['d', 'c'])], [4, 3])
  })

  it('knows the line of every field, and of the nearest one above a field that is not there', () => {
    const [document] = parseYamlDocuments('---\na:\n  b:\n    - c: 1\n      d: 2\n    - e\n  f.g/h: x\n', 'file.yaml')
    assert(document)
    const lines = [
      [],
      ['a'],
      ['a', 'b'],
      ['a', 'b', 0],
      ['a', 'b', 0, 'd'],
      ['a', 'b', 1],
      ['a', 'f.g/h'],
      ['a', 'b', 0, 'nothing'],
      ['nothing'],
    ].map(document.line)
    assert.deepEqual(lines, [2, 2, 3, 4, 5, 6, 7, 4, 2])
  })

  for (const [what, text, line, message] of [
    ['a key that is there twice', 'a: 1\nb: 2\na: 3\n', 3, /unique/],
    ['bad indentation', 'a:\n  b: 1\n c: 2\n', 3, /not YAML/],
    ['a tab', 'a:\n\tb: 1\n', 2, /Tabs/],
    ['an unknown alias', 'a: *b\n', 1, /alias/],
    [
      'an alias bomb',
      [
        'a: &a [1,1,1,1,1,1,1,1,1,1]',
        'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]',
        'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
        'd: [*c,*c,*c]',
      ].join('\n'),
      1,
      /alias/i,
    ],
    ['a mistake in a later document', 'a: 1\n---\nb: c: d\n', 3, /not YAML/],
  ] as const) {
    it(`refuses ${what}, with its line`, () => {
      assert.throws(
        () => parseYamlDocuments(text, 'dir/file.yaml'),
        (error: unknown) => {
          assert(error instanceof BadInput)
          assert.deepEqual([error.file, error.line], ['dir/file.yaml', line])
          assert.match(error.message, message)
          return error.message.startsWith(`dir/file.yaml:${line}: `)
        },
      )
    })
  }
})

describe('printing YAML', () => {
  it('puts the keys in order, those of Kubernetes first', () => {
    const object = {
      status: {},
      spec: { b: 1, a: [{ z: 1, kind: 'x' }] },
      kind: 'Module',
      metadata: { name: 'x' },
      apiVersion: 'v1',
      data: {},
    }
    assert.equal(
      printYaml(object),
      'apiVersion: v1\nkind: Module\nmetadata:\n  name: x\nspec:\n  a:\n    - kind: x\n      z: 1\n  b: 1\nstatus: {}\ndata: {}\n',
    )
  })

  it('prints what it reads back as the same, whatever it is', () => {
    // Not the key <<, which means another thing in YAML and is no name of any field or label.
    const awkward = fc.constantFrom(
      'yes',
      'no',
      'on',
      '1e3',
      '0755',
      '1:30',
      '~',
      'null',
      '.',
      '-',
      '2024-05-01',
      '<<',
      '',
      ' a ',
      'a: b',
      '#x',
      '0x1',
      '1_0',
      'a\nb\n',
      '\f',
    )
    const leaf = fc.oneof(awkward, fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
    const key = fc.oneof(awkward, fc.stringMatching(/^[a-z./-]{1,8}$/)).filter(name => name !== '__proto__' && name !== '<<')
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(tree, inner => {
        assert.deepEqual(valueOf(printYaml({ a: inner })), { a: inner })
      }),
    )
  })

  it('prints the same for any order of keys', () => {
    assert.equal(printYaml({ a: 1, b: { c: 1, d: 2 } }), printYaml({ b: { d: 2, c: 1 }, a: 1 }))
  })
})
