// The Modules of the documentation, whole and unchanged, on a real control plane with simulated kubelets (which run no hooks: what
// is shown here is objects, labels, status and the number of writes). Images are assumed to exist.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import packageJson from '../../package.json' with { type: 'json' }
import type { Module } from '../../src/api/module.ts'
import { controllers } from '../../src/controllers/index.ts'
import type { DaemonSet } from '../../src/core/cluster.ts'
import { daemonSets, modules, nodes, pods } from '../../src/core/resources.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { create, eventually, getModule, listDaemonSets, listNodes, listPods, merge, prepareCluster, remove } from './cluster.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { operatorWrites, refusedWrites, told } from './writes.ts'

const fedora = '6.0.15-300.fc37.x86_64'
const el8 = '4.18.0-348.2.1.el8_5.x86_64'
const el9 = '5.14.0-284.11.1.el9_2.x86_64'
const quietMs = 60_000

const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { default: ['sa-module-loader', 'sa-device-plugin'], prebuilt: [] })
  const worker = { 'node-role.kubernetes.io/worker': '' }
  await plane.addNodes({ count: 2, kernel: fedora, labels: worker, prefix: 'fedora' })
  await plane.addNodes({ count: 1, kernel: el8, labels: worker, prefix: 'el8' })
  await plane.addNodes({ count: 1, kernel: el8, prefix: 'plain' })
  await create(plane, daemonSets, foreignDaemonSet)
  await merge(plane, nodes, 'fedora-0', { metadata: { labels: foreignLabels } })
})

let operator: OperatorProcess | undefined
after(() => operator?.end('SIGKILL'))

const foreignLabels = {
  'feature.node.kubernetes.io/pci-present': 'true',
  // The user's own, and never ours to remove, also when the Module goes.
  'kmm.node.kubernetes.io/version-module.default.my-kmod': '1.0',
}
const foreignDaemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'my-kmod-exporter', namespace: 'default', labels: { app: 'exporter' } },
  spec: {
    selector: { matchLabels: { app: 'exporter' } },
    template: {
      metadata: { labels: { app: 'exporter' } },
      spec: { containers: [{ name: 'exporter', image: 'registry.example.com/exporter:1' }] },
    },
  },
}

/** The sample's file; `namespace` where the sample names none. */
async function createSample(plane: ControlPlane, name: string, namespace: string): Promise<void> {
  const file = join(import.meta.dirname, `../fixtures/documentation/${name}.yaml`)
  const module = parseYamlDocuments(await readFile(file, 'utf8'), file).find(({ value }) => (value as Module).kind === 'Module')
  assert.ok(module, `${name} holds no Module`)
  const { metadata, ...rest } = module.value as Module
  await create(plane, modules, { ...rest, metadata: { namespace, ...metadata } })
}

/** `image of the loader or plugin` by `kernel, or plugin`, of one Module. */
async function images(plane: ControlPlane, namespace: string, module: string): Promise<Readonly<Record<string, string>>> {
  const found = (await ours(plane)).filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kmm.node.kubernetes.io/module.name'] === module,
  )
  return Object.fromEntries(
    found.map(({ metadata, spec }) => [
      metadata.labels?.['kmm.node.kubernetes.io/kernel-version.full'] ?? 'plugin',
      spec?.template?.spec?.containers?.[0]?.image ?? '',
    ]),
  )
}

async function ours(plane: ControlPlane): Promise<readonly DaemonSet[]> {
  return (await listDaemonSets(plane)).filter(
    ({ metadata }) => metadata.labels?.['kmm.node.kubernetes.io/module.name'] !== undefined,
  )
}

/** Names of the nodes that have the label, in order. */
async function nodesWith(plane: ControlPlane, label: string): Promise<readonly string[]> {
  const found = (await listNodes(plane)).filter(({ metadata }) => metadata.labels?.[label] !== undefined)
  return found.map(({ metadata }) => metadata.name).sort()
}

/** What the pod garbage collector does for a Node that is gone, a minute sooner. */
async function collectPods(plane: ControlPlane, node: string): Promise<void> {
  for (const { metadata, spec } of await listPods(plane)) {
    if (spec?.nodeName === node) await remove(plane, pods, `${metadata.namespace}/${metadata.name}`, { gracePeriodSeconds: 0 })
  }
}

/** Waits until the Module is Ready for its generation, then checks the rest of what it tells. */
async function settles(
  plane: ControlPlane,
  key: string,
  counters: Pick<Required<Module>['status'], 'moduleLoader' | 'devicePlugin'>,
) {
  await eventually(`Module ${key} is ready with the counters ${JSON.stringify(counters)}`, async () => {
    const { status, metadata } = (await getModule(plane, key)) ?? {}
    const { moduleLoader, devicePlugin } = status ?? {}
    const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
    const found = { moduleLoader, ...(devicePlugin === undefined ? {} : { devicePlugin }) }
    const isSo = isReady && status?.observedGeneration === metadata?.generation
    return (isSo && JSON.stringify(sorted(found)) === JSON.stringify(sorted(counters))) || JSON.stringify(status)
  })
  const { status, metadata } = (await getModule(plane, key)) ?? {}
  assert.deepEqual(Object.fromEntries((status?.conditions ?? []).map(({ type, status: value }) => [type, value])), {
    Ready: 'True',
    Reconciling: 'False',
    Stalled: 'False',
  })
  assert.deepEqual(new Set((status?.conditions ?? []).map(found => found.observedGeneration)), new Set([metadata?.generation]))
  assert.deepEqual(status?.notReadyNodes ?? [], [])
}

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, sorted(item)]),
      )
    : value

const onAll = (count: number) => ({ nodesMatchingSelectorNumber: count, desiredNumber: count, availableNumber: count })

describe("the documentation's Modules on a real control plane", () => {
  real('are loaded on the nodes that they select, one DaemonSet for each kernel, and say so', async plane => {
    operator = await startOperator(plane)
    await createSample(plane, 'annotated-module', 'default')
    await createSample(plane, 'build-and-sign', 'default')
    await createSample(plane, 'sign-prebuilt-image', 'prebuilt')
    await settles(plane, 'default/my-kmod', { moduleLoader: onAll(3), devicePlugin: onAll(3) })
    await settles(plane, 'default/example-module', { moduleLoader: onAll(4) })
    await settles(plane, 'prebuilt/example-module', { moduleLoader: onAll(4) })

    assert.deepEqual(await images(plane, 'default', 'my-kmod'), {
      [fedora]: 'some.registry/org/my-kmod:6.0.15-300.fc37.x86_64',
      [el8]: 'some.registry/org/my-kmod:4.18.0-348.2.1.el8_5.x86_64',
      plugin: 'some.registry/org/device-plugin:latest',
    })
    const final = 'example.org/repository/minimal-driver:final'
    assert.deepEqual(await images(plane, 'default', 'example-module'), { [fedora]: final, [el8]: final })
    const signed = 'quay.io/myuser/my-driver:4.18.0-348.2.1.el8_5.x86_64-signed'
    assert.deepEqual(await images(plane, 'prebuilt', 'example-module'), { [fedora]: signed, [el8]: signed })

    const [workers, all] = [
      ['el8-0', 'fedora-0', 'fedora-1'],
      ['el8-0', 'fedora-0', 'fedora-1', 'plain-0'],
    ]
    const expected: Readonly<Record<string, readonly string[]>> = {
      'default.my-kmod.ready': workers,
      'my-kmod.ready': workers,
      'default.my-kmod.device-plugin-ready': workers,
      'my-kmod.device-plugin-ready': workers,
      'default.example-module.ready': all,
      'prebuilt.example-module.ready': all,
      'kernel-version.full': all,
    }
    for (const [label, names] of Object.entries(expected))
      assert.deepEqual(await nodesWith(plane, `kmm.node.kubernetes.io/${label}`), names, label)
  })

  real('are preceded in the log by who the operator is, and what it listens to', async () => {
    const records = (await operator?.records()) ?? []
    for (const { level, time, logger } of records) {
      assert.ok(['debug', 'info', 'warn', 'error'].includes(level))
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(logger, 'kmm')
    }
    const told = (msg: string) => records.filter(record => record.msg === msg)
    assert.deepEqual(
      told('starting manager').map(({ version, commit }) => [version, commit]),
      [[packageJson.version, '<undefined>']],
    )
    assert.match(String(told('Starting server').find(({ kind }) => kind === 'health probe')?.['addr']), /^127\.0\.0\.1:\d+$/)
    const sources = (name: string) => told('Starting EventSource').filter(({ controller }) => controller === name)
    assert.deepEqual(
      sources('Module').map(({ controllerGroup, controllerKind, source }) => [controllerGroup, controllerKind, source]),
      ['v1beta1.Module', 'v1.DaemonSet', 'v1.Pod', 'v1.Node', 'v1.Event'].map(kind => [
        'kmm.sigs.x-k8s.io',
        'Module',
        `kind source: *${kind}`,
      ]),
    )
    assert.ok(sources('Node').length > 0)
    assert.deepEqual(
      told('Starting Controller').map(({ controller }) => controller),
      controllers.map(({ name }) => name),
    )
    // The order of the documentation's sample.
    const at = (start: string) => records.findIndex(({ msg }) => msg.startsWith(start))
    const order = [
      'starting manager',
      'Starting server',
      'attempting to acquire',
      'successfully acquired',
      'Starting EventSource',
    ].map(at)
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      order,
    )
    assert.ok(order.every(index => index >= 0))
  })

  real('cost at most so many writes, and none that was refused', async plane => {
    const writes = await operatorWrites(plane)
    assert.deepEqual(refusedWrites(writes), [])
    const [nodeWrites, others] = [
      writes.filter(({ resource }) => resource === 'nodes'),
      writes.filter(({ resource }) => resource !== 'nodes'),
    ]
    // The kernel label of 4 nodes; the ready labels of 3 + 4 + 4 (node, Module); of 3 with a device plugin.
    assert.ok(nodeWrites.length <= 4 + (3 + 4 + 4) + 3, nodeWrites.map(told).join('\n'))
    // 3 Modules on 2 kernels each.
    assert.ok(others.length <= 10 * 6, others.map(told).join('\n'))
  })

  real('cost no write at all once they are loaded', async plane => {
    // The last counters may be written 10 s late (decisions.md 20).
    await delay(10_000)
    const before = (await operatorWrites(plane)).length
    await delay(quietMs)
    assert.deepEqual((await operatorWrites(plane)).slice(before).map(told), [])
  })

  real('cost no write when the operator is restarted, and none for a cordon', async plane => {
    const before = (await operatorWrites(plane)).length
    const askedMs = performance.now()
    assert.equal(await operator?.end(), 0)
    assert.ok(performance.now() - askedMs < 5000, 'it ends within seconds')
    operator = await startOperator(plane)
    await delay(5000)
    assert.deepEqual((await operatorWrites(plane)).slice(before).map(told), [], 'restart')
    await merge(plane, nodes, 'fedora-0', { spec: { unschedulable: true } })
    await delay(4000)
    await merge(plane, nodes, 'fedora-0', { spec: { unschedulable: null } })
    await delay(4000)
    assert.deepEqual((await operatorWrites(plane)).slice(before).map(told), [], 'cordon')
  })

  real('get a DaemonSet more when a node comes up with another kernel', async plane => {
    await merge(plane, nodes, 'fedora-1', { status: { nodeInfo: { kernelVersion: el9 } } }, { part: 'status' })
    await eventually('a loader for the new kernel', async () =>
      Object.keys(await images(plane, 'default', 'my-kmod')).includes(el9),
    )
    await settles(plane, 'default/my-kmod', { moduleLoader: onAll(3), devicePlugin: onAll(3) })
    assert.deepEqual(Object.keys(await images(plane, 'default', 'my-kmod')).sort(), [el8, el9, fedora, 'plugin'])
    const onNode = (await listPods(plane)).filter(
      ({ spec, metadata }) => spec?.nodeName === 'fedora-1' && metadata.labels?.['kmm.node.kubernetes.io/kernel-version.full'],
    )
    assert.deepEqual(
      [...new Set(onNode.map(({ metadata }) => metadata.labels?.['kmm.node.kubernetes.io/kernel-version.full']))],
      [el9],
      'nothing of the old kernel is left on the node',
    )
  })

  real("lose a kernel's DaemonSet with the last node that runs it, and nothing else", async plane => {
    const uids = async () => (await ours(plane)).map(({ metadata }) => metadata.uid)
    const before = new Map((await ours(plane)).map(({ metadata }) => [metadata.uid, `${metadata.namespace}/${metadata.name}`]))
    await remove(plane, nodes, 'fedora-0')
    await eventually('the DaemonSets of the kernel are gone', async () => (await uids()).length === before.size - 3)
    await collectPods(plane, 'fedora-0')
    await settles(plane, 'default/my-kmod', { moduleLoader: onAll(2), devicePlugin: onAll(2) })
    const left = new Set(await uids())
    const gone = [...before].filter(([uid]) => !left.has(uid)).map(([, name]) => name)
    assert.equal(gone.length, 3)
    for (const name of gone) assert.match(name, /6-0-15-300-fc37-x86-64/)
  })

  real('leave nothing behind when they are deleted, and take nothing foreign along', async plane => {
    await merge(plane, nodes, 'el8-0', { metadata: { labels: foreignLabels } })
    for (const key of ['default/my-kmod', 'default/example-module', 'prebuilt/example-module']) await remove(plane, modules, key)
    await eventually('no DaemonSets of ours', async () => (await ours(plane)).length === 0)
    const ourPods = async () =>
      (await listPods(plane)).filter(({ metadata }) => metadata.labels?.['kmm.node.kubernetes.io/module.name'])
    await eventually('no pods of ours', async () => (await ourPods()).map(({ metadata }) => metadata.name).join() || true)
    const ready = async () =>
      (await listNodes(plane)).flatMap(({ metadata }) =>
        Object.keys(metadata.labels ?? {}).filter(label => label.endsWith('ready')),
      )
    await eventually('no ready labels', async () => (await ready()).join() || true)
    const el8Node = (await listNodes(plane)).find(({ metadata }) => metadata.name === 'el8-0')
    for (const [label, value] of Object.entries(foreignLabels)) assert.equal(el8Node?.metadata.labels?.[label], value)
    const exporters = (await listPods(plane)).filter(({ metadata }) => metadata.labels?.['app'] === 'exporter')
    assert.equal(exporters.length, 3)
    assert.ok(exporters.every(({ metadata }) => metadata.deletionTimestamp === undefined))
    assert.deepEqual(refusedWrites(await operatorWrites(plane)), [])
  })
})
