import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { filesOf, runKmm } from './run-kmm.ts'

type Thing = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
}
type Report = {
  readonly plans: readonly {
    readonly controller: string
    readonly key: string
    readonly questions: readonly object[]
    readonly apply: readonly Thing[]
    readonly writes: readonly { readonly kind: string; readonly name: string }[]
    readonly status: {
      readonly moduleLoader?: object
      readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    } | null
    readonly remove: readonly object[]
    readonly problems: readonly { readonly code: string; readonly message: string; readonly kernel?: string }[]
  }[]
}

const fc37 = '6.0.15-300.fc37.x86_64'
const el9 = '5.14.0-284.25.1.el9_2.x86_64'
const kernelLabel = 'kmm.node.kubernetes.io/kernel-version.full'
const readyLabel = 'kmm.node.kubernetes.io/default.my-kmod.ready'

const node = (name: string, kernel: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { worker: '', ...labels } },
  status: {
    nodeInfo: { kernelVersion: kernel, bootID: `boot-${name}` },
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2024-05-01T12:00:00Z' }],
  },
})

const driver = (extra: object = {}, container: object = {}) => ({
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name: 'my-kmod' },
  spec: {
    selector: { worker: '' },
    moduleLoader: {
      container: {
        modprobe: { moduleName: 'my_kmod' },
        kernelMappings: [{ literal: fc37, containerImage: 'r.example/my-kmod:1' }],
        ...container,
      },
    },
    ...extra,
  },
})

const built = {
  kernelMappings: [{ regexp: '.+', containerImage: 'r.example/my-kmod:1', build: { dockerfileConfigMap: { name: 'd' } } }],
}

const listOf = (objects: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
const world = [driver(), node('n1', fc37), node('n2', fc37), node('n3', el9), node('n4', fc37, { worker: 'no' })]

async function plan(objects: readonly object[], ...more: readonly string[]): Promise<Report> {
  const { code, out, err } = await runKmm(['plan', '-f', '-', '-o', 'json', ...more], listOf(objects))
  assert.equal(code, 0, err)
  return JSON.parse(out) as Report
}

const planOf = (report: Report, controller: string, key: string) => {
  const found = report.plans.find(one => one.controller === controller && one.key === key)
  assert.ok(found, `${controller} ${key} is not among ${report.plans.map(one => `${one.controller} ${one.key}`).join(', ')}`)
  return found
}

describe('kmm plan', () => {
  it('prints every controller and key with all fields of the documented shape', async () => {
    const report = await plan(world)
    assert.deepEqual(
      report.plans.map(one => `${one.controller} ${one.key}`),
      ['Module default/my-kmod', 'Node n1', 'Node n2', 'Node n3', 'Node n4'],
    )
    for (const one of report.plans) {
      assert.deepEqual(Object.keys(one).toSorted(), [
        'apply',
        'controller',
        'key',
        'problems',
        'questions',
        'remove',
        'status',
        'writes',
      ])
    }
    const module = planOf(report, 'Module', 'default/my-kmod')
    assert.deepEqual(
      module.apply.map(object => object.kind),
      ['DaemonSet'],
    )
    assert.deepEqual(
      module.writes.map(write => write.kind),
      ['DaemonSet'],
    )
    assert.ok(module.problems.some(problem => problem.code === 'NoKernelMapping' && problem.kernel === el9))
    assert.deepEqual(planOf(report, 'Node', 'n1').apply[0]?.metadata.labels, { [kernelLabel]: fc37 })
  })

  it('has nothing to write when what it wants is what it sees', async () => {
    const first = await plan(world)
    const wanted = first.plans.flatMap(one => one.apply)
    const merged = world.map(object => {
      const update = wanted.find(other => other.kind === object.kind && other.metadata.name === object.metadata.name)
      return {
        ...object,
        metadata: {
          ...object.metadata,
          ...(update === undefined
            ? {}
            : { labels: { ...('labels' in object.metadata ? object.metadata.labels : {}), ...update.metadata.labels } }),
        },
      }
    })
    const created = wanted.filter(object => object.kind === 'DaemonSet')
    const second = await plan([...merged, ...created])
    assert.deepEqual(
      second.plans.flatMap(one => one.writes),
      [],
    )
  })

  it('writes a Node that carries a label of ours which it should no longer carry, and leaves the labels of users alone', async () => {
    const labels = {
      [kernelLabel]: fc37,
      [readyLabel]: '',
      'kmm.node.kubernetes.io/version-module.default.my-kmod': '1',
      mine: 'x',
    }
    const report = await plan([
      node('n1', fc37, labels),
      node('n2', fc37, { [kernelLabel]: fc37, mine: 'x', 'kmm.node.kubernetes.io/version-module.default.my-kmod': '1' }),
    ])
    assert.deepEqual(planOf(report, 'Node', 'n1').writes, [{ apiVersion: 'v1', kind: 'Node', name: 'n1' }])
    assert.deepEqual(planOf(report, 'Node', 'n2').writes, [])
  })

  it('writes a DaemonSet that states more than the Module asks for, but not for what the API server fills in', async () => {
    const [first] = (await plan([driver({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }), node('n1', fc37)])).plans
    const tolerant = first?.apply[0] as unknown as { spec: { template: { spec: Record<string, unknown> } } }
    const rest = [node('n1', fc37, { [kernelLabel]: fc37 })]
    const withDefaults = {
      ...tolerant,
      spec: {
        revisionHistoryLimit: 10,
        ...tolerant.spec,
        template: {
          ...tolerant.spec.template,
          spec: {
            ...tolerant.spec.template.spec,
            dnsPolicy: 'ClusterFirst',
            restartPolicy: 'Always',
            schedulerName: 'default-scheduler',
            securityContext: {},
          },
        },
      },
    }
    const same = await plan([driver({ tolerations: [{ key: 'gpu', operator: 'Exists' }] }), ...rest, withDefaults])
    assert.deepEqual(planOf(same, 'Module', 'default/my-kmod').writes, [])
    const fewer = await plan([driver(), ...rest, withDefaults])
    assert.deepEqual(
      planOf(fewer, 'Module', 'default/my-kmod').writes.map(write => write.kind),
      ['DaemonSet'],
    )
  })

  it('asks about an image that has to be built, and takes the answers of --images and --assume-images', async t => {
    const objects = [driver({}, built), node('n1', fc37)]
    const module = async (...more: readonly string[]) => planOf(await plan(objects, ...more), 'Module', 'default/my-kmod')
    const unknown = await module()
    assert.deepEqual(unknown.questions, [{ ask: 'exists', image: 'r.example/my-kmod:1', namespace: 'default' }])
    assert.deepEqual(unknown.problems.map(problem => problem.code).slice(0, 1), ['ImageUnknown'])
    assert.deepEqual((await module('--assume-images', 'missing')).problems.map(problem => problem.code).slice(0, 1), [
      'ImageMissing',
    ])
    assert.deepEqual(
      (await module('--assume-images', 'exist')).apply.map(object => object.kind),
      ['DaemonSet'],
    )
    const directory = filesOf(t, {
      'yes.yaml': 'r.example/my-kmod:1: {exists: true}\n',
      'no.yaml': 'r.example/my-kmod:1:\n  exists: false\n',
    })
    assert.deepEqual(
      (await module('--images', `${directory}/yes.yaml`)).apply.map(object => object.kind),
      ['DaemonSet'],
    )
    assert.deepEqual((await module('--images', `${directory}/no.yaml`, '--assume-images', 'exist')).apply, [])
  })

  const badImages: readonly (readonly [text: string, sentence: RegExp])[] = [
    ['- a', /images\.yaml:1: must be a map of images, but is a list/],
    [
      'r.example/org/a:1:\n  exists: "yes"\n',
      /images\.yaml:2: \["r\.example\/org\/a:1"\]\.exists must be true or false, but is the string "yes"/,
    ],
    ['r.example/org/a:1: {}\n', /images\.yaml:1: .*exists is missing: write true or false/],
    ['r.example/org/a:1:\n  exists: true\n  size: 3\n', /images\.yaml:3: .*size is unknown here/],
    ['r.example/org/a:1: {digest: x}\n', /digest must be sha256: and 64 hexadecimal digits/],
    ['"A B": {exists: true}\n', /\["A B"\] is no image: /],
    ['a: {exists: true}\n---\nb: {exists: true}\n', /images\.yaml:3: must hold one document/],
  ]
  for (const [text, sentence] of badImages) {
    it(`refuses ${JSON.stringify(text)} behind --images`, async t => {
      const directory = filesOf(t, { 'images.yaml': text })
      const { code, err } = await runKmm(['plan', '-f', '-', '--images', `${directory}/images.yaml`], listOf([node('n1', fc37)]))
      assert.equal(code, 2)
      assert.match(err, sentence)
    })
  }

  it('refuses a Module that the API server would refuse, and tells of a field that it would drop', async () => {
    const refused = await runKmm(['plan', '-f', '-'], listOf([{ ...driver(), spec: { selector: {} } }]))
    assert.equal(refused.code, 2)
    assert.match(refused.err, /^kmm: stdin:1: Module default\/my-kmod: spec: .*moduleLoader is required but missing\n$/)
    const dropped = await runKmm(['plan', '-f', '-'], listOf([driver({ serviceAccountName: 'x' })]))
    assert.equal(dropped.code, 0)
    assert.match(dropped.err, /^kmm: warning: stdin:1: Module default\/my-kmod: spec\.serviceAccountName: .+\n$/)
  })

  it('knows an owner by the uid that its dependents state, and a dependent without one by its owner', async () => {
    const first = await plan([driver(), node('n1', fc37)])
    const [daemonSet] = planOf(first, 'Module', 'default/my-kmod').apply
    assert.ok(daemonSet)
    const owner = {
      apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
      kind: 'Module',
      name: 'my-kmod',
      controller: true,
      blockOwnerDeletion: true,
    }
    const rest = [driver(), node('n1', fc37, { [kernelLabel]: fc37 })]
    for (const ownerReferences of [[owner], [{ ...owner, uid: '7' }]]) {
      const seen = { ...daemonSet, metadata: { ...daemonSet.metadata, ownerReferences } }
      const module = planOf(await plan([...rest, seen]), 'Module', 'default/my-kmod')
      assert.deepEqual(
        module.apply.map(object => object.metadata.name),
        [daemonSet.metadata.name],
      )
      assert.deepEqual(module.remove, [])
    }
  })

  it('plans at the newest time of the input unless --now says otherwise', async () => {
    const [first, second] = [await plan(world), await plan(world, '--now', '2030-01-01T00:00:00Z')]
    const since = (report: Report) => JSON.stringify(planOf(report, 'Module', 'default/my-kmod').status)
    assert.match(since(first), /2024-05-01T12:00:00Z/)
    assert.match(since(second), /2030-01-01T00:00:00Z/)
  })

  it('prints equal bytes in whatever order objects and fields come', async () => {
    const objects = [...world, driver({}, { modprobe: { moduleName: 'other' } })].map((object, index) =>
      index === world.length ? { ...object, metadata: { name: 'other', namespace: 'x' } } : object,
    )
    const print = async (given: readonly object[]) => (await runKmm(['plan', '-f', '-', '-o', 'json'], listOf(given))).out
    const expected = await print(objects)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(objects, { minLength: objects.length }), fc.boolean(), async (shuffled, reversed) => {
        assert.equal(await print(reversed ? shuffled.map(withReversedFields) : shuffled), expected)
      }),
      { numRuns: 25 },
    )
  })

  it('prints YAML of the same content', async () => {
    const { out } = await runKmm(['plan', '-f', '-', '-o', 'yaml'], listOf([node('n1', fc37)]))
    assert.match(out, /^plans:\n/)
    assert.match(out, /controller: Node\n/)
  })

  it('prints for people only what would be written and what is in the way', async () => {
    const { out } = await runKmm(['plan', '-f', '-'], listOf([...world, node('n5', fc37, { worker: 'no', [kernelLabel]: fc37 })]))
    assert.match(out, /^Module default\/my-kmod\n {2}create {3}DaemonSet default\/my-kmod-/)
    assert.match(
      out,
      /\n {2}problem {2}NoKernelMapping: no kernel mapping of Module default\/my-kmod matches kernel 5\.14.*\n {11}Add a mapping/,
    )
    assert.match(out, /\nNode n1\n {2}change {3}Node n1: metadata\.labels\["kmm\.node\.kubernetes\.io\/kernel-version\.full"\]\n/)
    assert.match(out, /\nNothing to do for 1 more\.\n$/)
  })
})

function withReversedFields(value: unknown): object {
  const reverse = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(reverse)
    if (typeof inner !== 'object' || inner === null) return inner
    return Object.fromEntries(
      Object.entries(inner)
        .toReversed()
        .map(([key, child]) => [key, reverse(child)]),
    )
  }
  return reverse(value) as object
}
