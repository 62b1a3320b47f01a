import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { kernelsFor, nodesFor } from '../../src/cli/simulate/kernels.ts'
import { createScreen, printSince } from '../../src/cli/simulate/screen.ts'
import { printTable, type Row, rowsOf } from '../../src/cli/simulate/table.ts'
import type { Node } from '../../src/core/cluster.ts'
import type { NodeRow } from '../../src/core/explain/node-row.ts'
import { problem } from '../../src/core/problem.ts'

const moduleOf = (name: string, mappings: readonly object[], selector: object = {}, version?: string): Module => ({
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: selector as Record<string, string>,
    moduleLoader: {
      container: { modprobe: { moduleName: name }, kernelMappings: mappings, ...(version === undefined ? {} : { version }) },
    },
  },
})
const nodeOf = (name: string, kernel: string, labels: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { nodeInfo: { kernelVersion: kernel } },
})

describe('the nodes of a simulation', () => {
  const kernels: readonly (readonly [what: string, mappings: readonly object[], kernels: readonly string[]])[] = [
    ['the literals', [{ literal: '5.1' }, { literal: '5.2' }], ['5.1', '5.2']],
    ['a kernel that a regexp matches', [{ regexp: '\\.fc37\\.x86_64$' }], ['6.0.15-300.fc37.x86_64']],
    [
      'another kernel for a pattern that matches all',
      [{ literal: '6.0.15-300.fc37.x86_64' }, { regexp: '^.+$' }],
      ['6.0.15-300.fc37.x86_64', '5.14.0-284.25.1.el9_2.x86_64'],
    ],
    ['nothing for a pattern that no known kernel matches', [{ regexp: '\\f' }, { literal: '5.1' }], ['5.1']],
    ['one kernel when no mapping helps', [{ regexp: '(' }], ['5.14.0-284.25.1.el9_2.x86_64']],
  ]
  for (const [what, mappings, expected] of kernels) {
    it(`run ${what}`, () => assert.deepEqual(kernelsFor([moduleOf('a', mappings)]), expected))
  }

  it('are selected by the Modules, in turn where selectors exclude each other', () => {
    const modules = [
      moduleOf('a', [], { gpu: 'x', zone: '1' }),
      moduleOf('b', [], { gpu: 'y' }),
      moduleOf('c', [], { zone: '1' }),
    ]
    const labels = nodesFor([], modules, 3, ['k']).map(node => node.labels)
    assert.deepEqual(labels, [
      { gpu: 'x', zone: '1' },
      { gpu: 'y', zone: '1' },
      { zone: '1', gpu: 'x' },
    ])
  })

  it('ask for the version of the Module, as the owner of a node would', () => {
    const [node] = nodesFor([], [moduleOf('a', [], {}, '1.0')], 1, ['k'])
    assert.deepEqual(node?.labels, { 'kmm.node.kubernetes.io/version-module.default.a': '1.0' })
  })

  it('are those of the input where it has some, with its kernels', () => {
    const nodes = nodesFor([nodeOf('x', '5.1', { a: 'b' }), nodeOf('y', '')], [], 9, ['k1', 'k2'])
    assert.deepEqual(
      nodes.map(({ name, kernel }) => [name, kernel]),
      [
        ['x', '5.1'],
        ['y', 'k2'],
      ],
    )
  })

  it('take the kernels in turn', () => {
    assert.deepEqual(
      nodesFor([], [], 3, ['k1', 'k2']).map(({ name, kernel }) => [name, kernel]),
      [
        ['node-1', 'k1'],
        ['node-2', 'k2'],
        ['node-3', 'k1'],
      ],
    )
  })
})

const row: Row = {
  node: 'n1',
  module: 'default/a',
  kernel: '5.1',
  driver: '-',
  state: 'waiting',
  reason: 'Loading',
  message: 'it is\nbeing loaded',
  todo: '',
}

describe('the table of a simulation', () => {
  const judged = (over: Partial<NodeRow>): NodeRow => ({
    module: 'default/a',
    node: 'n1',
    kernel: '5.1',
    state: 'waiting',
    selected: 'yes',
    ...over,
  })

  it('shows the judgement of kmm status, and what the kernel really holds', () => {
    const tainted = problem('NodeTainted', { module: 'default/a', node: 'n1', taint: 'gpu:NoSchedule' })
    const [shown] = rowsOf([judged({ state: 'excluded', problem: tainted })], () => '1.0')
    assert.deepEqual(shown, {
      node: 'n1',
      module: 'default/a',
      kernel: '5.1',
      driver: '1.0',
      state: 'excluded',
      reason: 'NodeTainted',
      message: 'node n1 has the taint gpu:NoSchedule, which Module default/a does not tolerate',
      todo: 'Add the toleration to spec.tolerations, or leave the node out of the selector.',
    })
    const [fine] = rowsOf([judged({ state: 'loaded' })], () => undefined)
    assert.deepEqual([fine?.driver, fine?.state, fine?.reason, fine?.todo], ['-', 'loaded', '', ''])
  })

  it('is sorted by node and Module', () => {
    const rows = rowsOf([judged({ node: 'n2' }), judged({ module: 'default/b' }), judged({})], () => undefined)
    assert.deepEqual(
      rows.map(one => `${one.node} ${one.module}`),
      ['n1 default/a', 'n1 default/b', 'n2 default/a'],
    )
  })

  it('names no reason where the state says it already', () => {
    const lines = printTable(
      [
        { ...row, state: 'unloading', reason: 'Unloading' },
        { ...row, state: 'outdated', reason: 'Outdated' },
      ],
      80,
    )
    assert.doesNotMatch(lines.join('\n'), /Unloading|Outdated/)
  })

  it('is aligned, and cut at the width of the terminal', () => {
    assert.deepEqual(printTable([row], 80), [
      'NODE  KERNEL  MODULE     DRIVER  STATE    REASON',
      'n1    5.1     default/a  -       waiting  Loading',
    ])
    for (const line of printTable([row], 25)) assert.ok(line.length < 25)
  })
})

const written = (terminal: { columns: number; rows: number } | undefined) => {
  const texts: string[] = []
  const screen = createScreen({
    readStdin: () => Promise.resolve(''),
    out: text => void texts.push(text),
    err: () => {},
    terminal,
    stop: new AbortController().signal,
  })
  return { screen, texts }
}

describe('the screen of a simulation', () => {
  it('prints one line for each change where there is no terminal', () => {
    const { screen, texts } = written(undefined)
    screen.show([row], 0)
    screen.show([row], 1000)
    screen.show([{ ...row, driver: '1.0', state: 'loaded', reason: '', message: '' }], 65_000)
    screen.show([], 66_000)
    assert.deepEqual(texts, [
      '     0s  n1  5.1  default/a  -  waiting  Loading\n',
      '  1m05s  n1  5.1  default/a  1.0  loaded\n',
      '  1m06s  n1  default/a  gone\n',
    ])
  })

  it('gives the words of a reason that stays, once, cut to a line', () => {
    const { screen, texts } = written(undefined)
    screen.show(
      [
        { ...row, state: 'failed', reason: 'KeyRejected', message: 'a\nb' },
        { ...row, node: 'longer' },
      ],
      0,
    )
    screen.show(
      [
        { ...row, state: 'failed', reason: 'KeyRejected', message: 'c'.repeat(1000) },
        { ...row, node: 'longer' },
      ],
      1000,
    )
    assert.deepEqual(texts, [
      '     0s  n1      5.1  default/a  -  failed   KeyRejected: a b\n',
      '     0s  longer  5.1  default/a  -  waiting  Loading\n',
    ])
    screen.show([{ ...row, state: 'failed', reason: 'LoadFailed', message: 'c'.repeat(1000) }], 2000)
    assert.ok((texts[2] ?? '').length < 300)
  })

  it('redraws the table in place on a terminal, below what was said', () => {
    const { screen, texts } = written({ columns: 80, rows: 24 })
    screen.say('Look:')
    screen.show([row], 0)
    screen.show([row], 500)
    screen.show([{ ...row, reason: 'KeyRejected' }], 1000)
    assert.equal(texts[0], 'Look:\n')
    assert.equal(texts.filter(text => text.includes('\u001b[3A\u001b[J')).length, 1)
    assert.ok(texts.join('').endsWith('KeyRejected\n1s\n'))
  })

  it('shows no more lines than the terminal has', () => {
    const { screen, texts } = written({ columns: 80, rows: 8 })
    screen.show(
      Array.from({ length: 20 }, (_, index) => ({ ...row, node: `n${index}` })),
      0,
    )
    assert.ok(texts.join('').split('\n').length <= 8)
    assert.match(texts.join(''), /\.\.\. and 17 more\n/)
  })

  it('prints times as people do', () => {
    assert.deepEqual(
      [0, 999, 61_000, 3_600_000].map(ms => printSince(ms).trim()),
      ['0s', '1s', '1m01s', '60m00s'],
    )
  })
})
