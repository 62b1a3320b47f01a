import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runKmm } from './run-kmm.ts'

const scenario = (name: string) => join(import.meta.dirname, '../scenarios', name.replaceAll(' ', '-'), 'observed.yaml')

type Row = { readonly module: string; readonly node: string; readonly state: string; readonly reason: string | null }
type Report = {
  readonly modules: readonly {
    readonly module: string
    readonly nodes: number
    readonly loaded: number
    readonly problems: readonly object[]
  }[]
  readonly rows: readonly Row[]
}

async function report(...argv: readonly string[]): Promise<Report> {
  const { code, out, err } = await runKmm(['status', '-o', 'json', ...argv])
  assert.equal(code, 0, err)
  return JSON.parse(out) as Report
}

describe('kmm status', () => {
  it('prints a table, a sum, and each reason once with what to do', async () => {
    const { code, out, err } = await runKmm(['status', '-f', scenario('a kernel without a mapping is told')])
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.equal(
      out,
      [
        'MODULE          NODE    KERNEL            DRIVER    STATE      REASON           SINCE',
        'drivers/driver  node-1  6.1.0-18-generic  driver:1  loaded                      0s',
        'drivers/driver  node-2  6.5.0-9-generic   -         no driver  NoKernelMapping',
        '',
        '1 of 2 nodes have the driver of Module drivers/driver.',
        '',
        'NoKernelMapping on node-2: no kernel mapping of Module drivers/driver matches kernel 6.5.0-9-generic',
        '  Add a mapping with this kernel as literal, or a regexp that matches it, or narrow the selector.',
        '',
      ].join('\n'),
    )
  })

  const states: readonly (readonly [scenario: string, states: string])[] = [
    ['a cordon changes nothing', 'node-1 loaded, node-2 loaded'],
    ['a failed unload holds its pod and is told', 'node-1 still loaded StillLoaded'],
    ['a good unload releases its pod', 'node-1 unloading Unloading'],
    [
      'a kernel that lost its mapping keeps its DaemonSet',
      'node-1 outdated KernelMappingLost, node-2 outdated KernelMappingLost',
    ],
    ['a changed image reference is asked for and the old driver stays meanwhile', 'node-1 outdated ImageUnknown'],
    ['a paused Module changes nothing and says what waits', 'node-1 outdated Outdated'],
    ['a paused Module starts nothing', 'node-1 waiting Paused'],
    ['a rejected key is told in the words of modprobe', 'node-1 failed KeyRejected'],
    [
      'a Module with a version waits for the label of the node',
      'node-1 waiting Loading, node-2 waiting WaitingForVersionLabel, node-3 waiting WaitingForVersionLabel',
    ],
    ['a version that still serves a node is kept', 'node-1 loaded, node-2 outdated WaitingForVersionLabel'],
    ['a kernel change drops the kernel label until the old loader is gone', 'node-1 waiting WaitingForOldDriver'],
    ['a silent node releases no pod', 'node-1 unknown NodeNotReady, node-2 loaded'],
    ['a terminating CRD releases all pods', 'node-1 unloading Unloading'],
    ['a deleted pod without a node is released', ''],
    ['a device plugin that crashes is told although the driver is loaded', 'node-1 loaded DevicePluginFailing'],
    ['a device plugin refused by Pod Security is told with the command', 'node-1 loaded DevicePluginRefused'],
  ]
  for (const [name, expected] of states) {
    it(`judges: ${name}`, async () => {
      const { rows } = await report('-f', scenario(name))
      assert.equal(rows.map(row => [row.node, row.state, row.reason ?? ''].join(' ').trim()).join(', '), expected)
    })
  }

  it('leaves tainted nodes out of the sum', async () => {
    const { modules, rows } = await report('-f', scenario('a taint that nobody tolerates excludes a node'))
    assert.deepEqual(
      modules.map(({ module, nodes, loaded }) => ({ module, nodes, loaded })),
      [{ module: 'drivers/driver', nodes: 2, loaded: 1 }],
    )
    assert.deepEqual(
      rows.flatMap(row => (row.state === 'excluded' ? [row.reason] : [])),
      ['NodeTainted', 'NodeTainted'],
    )
  })

  it('shows one Module, or those of one namespace, and says which there are', async () => {
    const file = scenario('a kernel module that an older Module names is taken')
    const modulesOf = async (...argv: string[]) => (await report('-f', file, ...argv)).modules.map(one => one.module)
    assert.deepEqual(await modulesOf(), ['drivers/older', 'drivers/younger'])
    assert.deepEqual(await modulesOf('younger'), ['drivers/younger'])
    assert.deepEqual(await modulesOf('drivers/older'), ['drivers/older'])
    assert.deepEqual(await modulesOf('-n', 'drivers'), ['drivers/older', 'drivers/younger'])
    assert.deepEqual(await modulesOf('-n', 'other'), [])
    const { code, err } = await runKmm(['status', 'oldest', '-f', file])
    assert.equal(code, 2)
    assert.equal(err, 'kmm: there is no Module default/oldest; there are: drivers/older, drivers/younger\n')
  })

  it('asks which one is meant where two namespaces have the name', async () => {
    const module = (namespace: string) => ({
      apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
      kind: 'Module',
      metadata: { name: 'driver', namespace },
      spec: {
        selector: {},
        moduleLoader: {
          container: { modprobe: { moduleName: 'd' }, kernelMappings: [{ regexp: '.', containerImage: 'r.example/d:1' }] },
        },
      },
    })
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [module('a'), module('b')] })
    const { code, err } = await runKmm(['status', 'driver', '-f', '-'], list)
    assert.deepEqual(
      [code, err],
      [2, 'kmm: there are several Modules driver: name one of a/driver, b/driver, or add -n NAMESPACE\n'],
    )
    assert.equal(
      (await runKmm(['status', 'a/driver', '-n', 'b', '-f', '-'], list)).err,
      'kmm: a/driver is in namespace a, but -n says b: leave out one of the two\n',
    )
  })
})

describe('kmm explain', () => {
  it('prints the chain up to the first link that does not hold, with its evidence', async () => {
    const { code, out } = await runKmm(['explain', 'driver', '-f', scenario('a rejected key is told in the words of modprobe')])
    assert.equal(code, 1)
    assert.match(out, /^On node-1 the chain breaks at: driver \(KeyRejected\)\n {2}ok {2}module /)
    assert.match(out, /^ {2}NO {2}driver +the kernel of node node-1 does not trust the signature/m)
    assert.match(out, /^ {8}modprobe: ERROR: could not insert 'driver': Key was rejected by service$/m)
    assert.match(out, /^ {2}What to do: Sign the module with a key that is enrolled/m)
    assert.doesNotMatch(out, /ready label/)
  })

  it('tells nodes with the same break once', async () => {
    const { out } = await runKmm(['explain', 'driver', '-f', scenario('a rollout stops when a replaced loader does not load')])
    assert.match(out, /^1 of 4 nodes have all of Module drivers\/driver\.\n/)
    assert.match(out, /^On node-2 the chain breaks at: driver \(KeyRejected\)$/m)
    assert.match(out, /^On node-3, node-4 the chain breaks at: rollout \(RolloutStopped\)\n {2}as on node-3:$/m)
  })

  it('is fine where only a taint keeps the driver away', async () => {
    const file = scenario('a taint that nobody tolerates excludes a node')
    assert.equal((await runKmm(['explain', 'driver', '--node', 'node-2', '-f', file])).code, 0)
    assert.equal((await runKmm(['explain', 'driver', '--node', 'node-4', '-f', file])).code, 1)
  })

  it('prints all nodes and links as JSON', async () => {
    const file = scenario('a kernel without a mapping is told')
    const { out } = await runKmm(['explain', 'driver', '-o', 'json', '-f', file])
    const found = JSON.parse(out) as {
      readonly ok: boolean
      readonly nodes: readonly {
        readonly node: string
        readonly ok: boolean
        readonly failing: { link: string; reason: string } | null
        readonly links: readonly object[]
      }[]
    }
    assert.equal(found.ok, false)
    assert.deepEqual(
      found.nodes.map(({ node, ok, failing }) => [node, ok, failing?.link, failing?.reason]),
      [
        ['node-1', true, undefined, undefined],
        ['node-2', false, 'mapping', 'NoKernelMapping'],
      ],
    )
    assert.deepEqual(Object.keys(found.nodes[0]?.links[0] ?? {}).sort(), ['because', 'evidence', 'link', 'ok'])
  })
})
