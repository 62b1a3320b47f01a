import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readObjects } from '../../src/cli/input/files.ts'
import { decideKind, knownKinds } from '../../src/cli/input/kinds.ts'
import { findMisfit, pathOf, printPath } from '../../src/cli/input/shape.ts'
import { keyOf } from '../../src/core/object.ts'
import { BadInput } from '../../src/shell/yaml.ts'
import { filesOf } from './run-kmm.ts'

const pod = (name: string, rest = '') => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n${rest}`
const node = (name: string, rest = '') => `apiVersion: v1\nkind: Node\nmetadata:\n  name: ${name}\n${rest}`
const read = (stdin: string) => readObjects(['-'], { readStdin: () => Promise.resolve(stdin) })
const keysOf = async (stdin: string) => (await read(stdin)).map(({ object }) => `${object.kind} ${keyOf(object)}`)

describe('the input of kmm', () => {
  it('reads all documents of a YAML stream and skips empty ones', async () => {
    assert.deepEqual(await keysOf(`---\n${pod('a')}---\n---\n# nothing\n---\n${node('n1')}`), ['Pod default/a', 'Node n1'])
  })

  it('reads JSON, with tabs too', async () => {
    assert.deepEqual(
      await keysOf('{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "a", "namespace": "x"}\n}'),
      ['Pod x/a'],
    )
  })

  it('reads the items of a List, of a typed list, and of a list in a list', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse('{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}')],
    }
    const typed = {
      apiVersion: 'v1',
      kind: 'PodList',
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b', namespace: 'x' } }],
    }
    const whole = { apiVersion: 'v1', kind: 'List', items: [list, typed] }
    assert.deepEqual(await keysOf(JSON.stringify(whole)), ['Node n1', 'Pod default/a', 'Pod x/b'])
  })

  it('takes null for absent, as the API server does', async () => {
    const [input] = await read(pod('a', '  creationTimestamp: null\n  labels:\nstatus:\nspec:\n  nodeName: null\n'))
    assert.deepEqual(input?.object, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'default' }, spec: {} })
  })

  it('gives cluster-scoped objects no namespace', async () => {
    assert.deepEqual(await keysOf(node('n1', '  namespace: x\n')), ['Node n1'])
  })

  it('reads .yaml, .yml and .json below a directory in the order of their names, but nothing hidden', async t => {
    const directory = filesOf(t, {
      'b.yaml': pod('b'),
      'a/z.json': JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'z' } }),
      'a/y.yml': pod('x'),
      'README.md': 'no',
      '.git/config.yaml': 'no: no',
    })
    const inputs = await readObjects([directory, `${directory}/b.yaml`], { readStdin: () => Promise.resolve('') })
    assert.deepEqual(
      inputs.map(({ object }) => object.metadata.name),
      ['x', 'z', 'b'],
    )
  })

  const refused: readonly (readonly [what: string, text: string, error: RegExp])[] = [
    ['text that is not YAML', 'a: b\nc: [', /^stdin:[23]: this is not YAML: ./],
    [
      'a key twice in one map',
      pod('a', 'kind: Pod\n'),
      /^stdin:\d: this is not YAML: .*unique, but kind is there twice \(two documents need a line ---/,
    ],
    [
      'a kind whose field is in another case',
      'apiVersion: v1\nKind: Pod\nmetadata: {name: a}',
      /^stdin:1: kind is missing: "Kind" is another field, write it "kind"$/,
    ],
    [
      'a spec in another case',
      'apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata: {name: a}\nSpec: {}',
      /spec is missing: "Spec" is another field, write it "spec"$/,
    ],
    ['text that is nested too deeply', '['.repeat(50_000), /^stdin:1: this is not YAML: it is nested too deeply$/],
    ['a scalar', 'just words', /^stdin:1: a Kubernetes object must be a map .* but this is the string "just words"$/],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', /^stdin:1: kind is missing$/],
    ['no apiVersion', 'kind: Pod\nmetadata: {name: a}', /^stdin:1: apiVersion is missing$/],
    ['a kind that is a list', 'apiVersion: v1\nkind: [Pod]', /^stdin:2: kind must be a string, but is a list$/],
    ['an unknown kind', '\napiVersion: v1\nkind: Gizmo\nmetadata: {name: a}', /^stdin:3: kind is an unknown kind: "Gizmo"/],
    [
      'a kind in lower case',
      'apiVersion: v1\nkind: secret\nmetadata: {name: a}',
      /^stdin:2: kind is an unknown kind: "secret"; write it "Secret"$/,
    ],
    ['a plural', 'apiVersion: v1\nkind: nodes\nmetadata: {name: a}', /write it "Node"$/],
    [
      'the wrong version of a kind',
      'apiVersion: kmm.sigs.x-k8s.io/v1\nkind: Module\nmetadata: {name: a}',
      /^stdin:1: Module a: apiVersion must be kmm\.sigs\.x-k8s\.io\/v1beta1 for kind Module, but is kmm/,
    ],
    ['no name', 'apiVersion: v1\nkind: Pod\nspec: {}', /^stdin:1: Pod: metadata\.name is missing$/],
    ['an empty name', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: ""', /^stdin:4: Pod: metadata\.name is missing$/],
    ['an illegal name', node('My_Node'), /^stdin:4: Node My_Node: metadata\.name must consist of/],
    ['an illegal namespace', pod('a', '  namespace: A\n'), /^stdin:5: Pod a: metadata\.namespace is no legal namespace: A$/],
    [
      'a label that is no string',
      node('n1', '  labels:\n    a: x\n    b.c/d: true\n'),
      /^stdin:7: Node n1: metadata\.labels\["b\.c\/d"\] must be a string, but is the boolean true; write it in quotes: "true"$/,
    ],
    [
      'labels that are a list',
      node('n1', '  labels: [a]\n'),
      /^stdin:5: Node n1: metadata\.labels must be a map, but is a list$/,
    ],
    [
      'metadata that is a string',
      'apiVersion: v1\nkind: Pod\nmetadata: a',
      /^stdin:3: Pod: metadata must be a map, but is the string "a"$/,
    ],
    ['a spec that is a list', pod('a', 'spec: []\n'), /^stdin:5: Pod a: spec must be a map, but is a list$/],
    [
      'a spec that is a string, of a kind that nobody plans',
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: x',
      /^stdin:4: Service a: spec must be a map/,
    ],
    [
      'a kernel that YAML reads as a number',
      node('n1', 'status:\n  nodeInfo:\n    kernelVersion: 5.14\n'),
      /^stdin:7: Node n1: status\.nodeInfo\.kernelVersion must be a string, but is the number 5\.14; write it in quotes/,
    ],
    [
      'a taint without effect',
      node('n1', 'spec:\n  taints:\n  - key: a\n'),
      /^stdin:7: Node n1: spec\.taints\[0\]\.effect is missing$/,
    ],
    [
      'a time that is none',
      node('n1', '  creationTimestamp: yesterday\n'),
      /^stdin:5: Node n1: metadata\.creationTimestamp must be a time such as/,
    ],
    [
      'a finalizer that is a map',
      pod('a', '  finalizers: [{a: b}]\n'),
      /metadata\.finalizers\[0\] must be a string, but is a map$/,
    ],
    [
      'a restart count that is a string',
      pod('a', 'status:\n  containerStatuses:\n  - name: x\n    restartCount: "1"\n'),
      /^stdin:8: .*status\.containerStatuses\[0\]\.restartCount must be a whole number/,
    ],
    ['a List without items', 'apiVersion: v1\nkind: List\n', /^stdin:1: List: items must be a list, but is missing$/],
    ['an empty item', 'apiVersion: v1\nkind: List\nitems:\n- \n', /^stdin:\d: List: items\[0\] is empty$/],
    [
      'a wrong item',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: pod\n',
      /^stdin:5: kind is an unknown kind: "pod"/,
    ],
    [
      'the same object twice',
      `${pod('a')}---\n${pod('a', '  namespace: default\n')}`,
      /^stdin:\d: Pod default\/a: metadata\.name is given twice, also in stdin:1$/,
    ],
    ['nothing at all', '# only words\n', /^stdin: there is no Kubernetes object in it$/],
  ]
  for (const [what, text, error] of refused) {
    it(`refuses ${what}, with file, line and field`, async () => {
      await assert.rejects(read(text), thrown => {
        assert.ok(thrown instanceof BadInput, String(thrown))
        assert.match(thrown.message, error)
        return true
      })
    })
  }

  it('refuses what cannot be read, by its name', async t => {
    const directory = filesOf(t, { 'latin1.yaml': new Uint8Array([0x61, 0x3a, 0xe9]), 'empty/README.md': '' })
    const cases: readonly (readonly [string, RegExp])[] = [
      [`${directory}/none.yaml`, /none\.yaml: cannot be read: there is no such file or directory$/],
      [`${directory}/latin1.yaml`, /latin1\.yaml: this is not UTF-8 text$/],
      [`${directory}/latin1.yaml/x`, /cannot be read: a part of the path is not a directory$/],
      [`${directory}/empty`, /empty: there is no \.yaml, \.yml or \.json file in this directory$/],
    ]
    for (const [path, message] of cases)
      await assert.rejects(readObjects([path], { readStdin: () => Promise.resolve('') }), { message })
  })
})

describe('the known kinds', () => {
  it('have one entry for each apiVersion and kind', () => {
    assert.equal(new Set(knownKinds.map(known => `${known.apiVersion} ${known.kind}`)).size, knownKinds.length)
  })

  it('tell a kind that lives in two API groups by its apiVersion', () => {
    assert.equal(
      decideKind('events.k8s.io/v1', 'Event'),
      knownKinds.find(known => known.apiVersion === 'events.k8s.io/v1'),
    )
    assert.deepEqual(decideKind('v2', 'Event'), {
      field: 'apiVersion',
      error: 'must be v1 or events.k8s.io/v1 for kind Event, but is v2',
    })
  })
})

describe('a shape', () => {
  it('lets unknown fields and absent fields through', () => {
    assert.equal(findMisfit({ x: 1 }, { a: 'string', b: ['integer'] }), undefined)
  })

  it('names the place of a misfit', () => {
    assert.deepEqual(findMisfit({ b: [1, '2'] }, { b: ['integer'] }), {
      path: ['b', 1],
      error: 'must be a whole number, but is the string "2"',
    })
  })

  it('prints paths that can be read back', () => {
    for (const path of [['spec', 'taints', 0, 'key'], ['metadata', 'labels', 'a.b/c'], ['items', 3], []])
      assert.deepEqual(pathOf(printPath(path)), path)
  })
})
