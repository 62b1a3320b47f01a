// A cluster where the original operator ran until now, in either edition: its DaemonSets become ours and no driver is reloaded.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import { type DaemonSet, isPodReady, type Pod } from '../../src/core/cluster.ts'
import { type KubeObject, keyOf, type ManagedFields } from '../../src/core/object.ts'
import { daemonSets, modules, nodes } from '../../src/core/resources.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { create, eventually, getModule, listDaemonSets, listNodes, listPods, merge, prepareCluster } from './cluster.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { operatorWrites, refusedWrites } from './writes.ts'

const kernel = '5.14.0-284.11.1.el9_2.x86_64'
/** As client-go names the original's writes, after its binary. */
const original = 'manager'

type Left = { readonly module: Module; readonly loader: DaemonSet; readonly plugin: DaemonSet }
type Edition = 'openshift' | 'upstream'

async function readEdition(edition: Edition): Promise<Left> {
  const file = join(import.meta.dirname, `../fixtures/adoption/${edition}.yaml`)
  const [module, loader, plugin] = parseYamlDocuments(await readFile(file, 'utf8'), file).map(({ value }) => value)
  return { module: module as Module, loader: loader as DaemonSet, plugin: plugin as DaemonSet }
}
const editions: Readonly<Record<Edition, Left>> = {
  openshift: await readEdition('openshift'),
  upstream: await readEdition('upstream'),
}

const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { 'openshift-edition': [], 'upstream-edition': [] })
  for (const [edition, left] of Object.entries(editions)) {
    const names = await plane.addNodes({ count: 2, kernel, labels: { edition }, prefix: edition })
    await leaveBehind(plane, left, names)
  }
})

let operator: OperatorProcess | undefined
after(() => operator?.end('SIGKILL'))

/** Everything that the original has written for this Module, under its own name, with its pods running. */
async function leaveBehind(plane: ControlPlane, { module, loader, plugin }: Left, nodeNames: readonly string[]): Promise<void> {
  const { name, namespace } = module.metadata
  const created = await create<Module>(plane, modules, module)
  const { uid } = created.metadata
  const owner = { apiVersion: module.apiVersion, kind: 'Module', name, uid, controller: true, blockOwnerDeletion: true }
  for (const { metadata, ...rest } of [loader, plugin])
    await create(plane, daemonSets, { ...rest, metadata: { ...metadata, ownerReferences: [owner] } }, original)
  const kmm = 'kmm.node.kubernetes.io'
  const ready = ['ready', 'device-plugin-ready'].flatMap(word => [
    `${kmm}/${namespace}.${name}.${word}`,
    `${kmm}/${name}.${word}`,
  ])
  // Another operator has the same name: what is not KMM's stays its own.
  const labels = {
    [`${kmm}/kernel-version.full`]: kernel,
    ...Object.fromEntries(ready.map(label => [label, ''])),
    'gpu.example.com/present': 'true',
  }
  for (const node of nodeNames) await merge(plane, nodes, node, { metadata: { labels } }, { manager: original })
  const counters = { nodesMatchingSelectorNumber: 2, desiredNumber: 2, availableNumber: 2 }
  const status = { moduleLoader: counters, devicePlugin: counters }
  await merge(plane, modules, keyOf(created), { status }, { part: 'status', manager: original })
  await eventually(`the pods of ${name} run`, async () => (await podsOf(plane, module)).filter(isPodReady).length === 4)
}

async function podsOf(plane: ControlPlane, { metadata }: Module): Promise<readonly Pod[]> {
  return (await listPods(plane)).filter(pod => pod.metadata.namespace === metadata.namespace)
}

const isLoader = ({ metadata }: KubeObject) => metadata.labels?.['kmm.node.kubernetes.io/kernel-version.full'] !== undefined
const loadersOf = async (plane: ControlPlane, module: Module) => (await podsOf(plane, module)).filter(isLoader)
const uidsOf = (objects: readonly KubeObject[]) =>
  objects.map(({ metadata }) => metadata.uid ?? '').sort((a, b) => (a < b ? -1 : 1))

async function daemonSetsOf(plane: ControlPlane, { metadata }: Module): Promise<readonly DaemonSet[]> {
  return (await listDaemonSets(plane)).filter(found => found.metadata.namespace === metadata.namespace)
}

const loaderPods = new Map<Edition, readonly string[]>()
const isReady = (module: Module | undefined) =>
  module?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
const entriesOf = (object: KubeObject | undefined, manager: string): readonly ManagedFields[] =>
  (object?.metadata.managedFields ?? []).filter(entry => entry.manager === manager)
const fieldsOf = (entries: readonly ManagedFields[]) => JSON.stringify(entries.map(({ fieldsV1 }) => fieldsV1))

describe('an operator that follows on the original', () => {
  for (const edition of Object.keys(editions) as readonly Edition[]) {
    const { module, loader, plugin } = editions[edition]
    const key = keyOf(module)

    real(`takes over the DaemonSets of the ${edition} edition as they are named, and keeps their loader pods`, async plane => {
      loaderPods.set(edition, uidsOf(await loadersOf(plane, module)))
      const before = await daemonSetsOf(plane, module)
      operator ??= await startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder })
      await eventually(
        'the Module is ready',
        async () => isReady(await getModule(plane, key)) || JSON.stringify((await getModule(plane, key))?.status),
      )
      await eventually('the loaders are OnDelete', async () =>
        (await daemonSetsOf(plane, module)).some(found => isLoader(found) && found.spec?.updateStrategy?.type === 'OnDelete'),
      )
      // Time enough for the DaemonSet controller to replace pods, were it told to.
      await delay(3000)
      const after = await daemonSetsOf(plane, module)
      assert.deepEqual(uidsOf(after), uidsOf(before))
      const owners = (found: readonly DaemonSet[]) => found.map(({ metadata }) => metadata.ownerReferences)
      assert.deepEqual(owners(after), owners(before), 'garbage collection still takes them when the Module goes')
      assert.deepEqual(uidsOf(await loadersOf(plane, module)), loaderPods.get(edition))
      // A device plugin leaves nothing in the kernel: its pods are replaced at once, and the original's finalizer does not hold them.
      const plugins = (await podsOf(plane, module)).filter(pod => !isLoader(pod))
      assert.deepEqual(
        plugins.map(({ metadata }) => metadata.finalizers),
        [undefined, undefined],
      )
      const { moduleLoader, devicePlugin } = (await getModule(plane, key))?.status ?? {}
      assert.equal(moduleLoader?.availableNumber, 2)
      assert.equal(devicePlugin?.availableNumber, 2)
    })

    real(`owns the fields that the ${edition} edition owned, and takes back those that it does not state`, async plane => {
      const found = await daemonSetsOf(plane, module)
      for (const left of [loader, plugin]) {
        const daemonSet = found.find(({ metadata }) => metadata.name === left.metadata.name)
        assert.doesNotMatch(fieldsOf(entriesOf(daemonSet, original)), /f:spec|f:labels|f:ownerReferences/)
        assert.match(fieldsOf(entriesOf(daemonSet, 'kmm')), /f:spec.*/)
        assert.deepEqual(daemonSet?.spec?.selector, left.spec?.selector)
        const role = left.metadata.labels?.['kmm.node.kubernetes.io/role']
        assert.equal(daemonSet?.metadata.labels?.['kmm.node.kubernetes.io/role'], role)
        assert.equal(daemonSet?.spec?.template?.metadata?.labels?.['kmm.node.kubernetes.io/role'], role)
        const pod = daemonSet?.spec?.template?.spec
        assert.equal(pod?.['shareProcessNamespace'], undefined)
        // Of the label that knows no namespace both editions' plugins hung.
        assert.equal(pod?.nodeSelector?.[`kmm.node.kubernetes.io/${module.metadata.name}.ready`], undefined)
      }
      for (const node of (await listNodes(plane)).filter(({ metadata }) => metadata.labels?.['edition'] === edition)) {
        assert.doesNotMatch(fieldsOf(entriesOf(node, original)), /kmm\.node\.kubernetes\.io/, node.metadata.name)
        assert.match(fieldsOf(entriesOf(node, original)), /gpu\.example\.com/)
        assert.equal(node.metadata.labels?.['gpu.example.com/present'], 'true')
      }
      assert.doesNotMatch(fieldsOf(entriesOf(await getModule(plane, key), original)), /f:status/)
    })

    real(`replaces the loaders of the ${edition} edition one at a time when the image changes`, async plane => {
      const old = new Set(loaderPods.get(edition))
      const image = 'registry.example.com/driver:2'
      const moduleLoader = { container: { kernelMappings: [{ regexp: '^.+$', containerImage: image }] } }
      await merge(plane, modules, key, { spec: { moduleLoader } })
      let most = 0
      await eventually('new loaders everywhere', async () => {
        const pods = await loadersOf(plane, module)
        const served = pods.filter(pod => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined)
        most = Math.max(most, 2 - served.length)
        return (
          served.length === 2 && pods.every(pod => !old.has(pod.metadata.uid ?? '') && pod.spec?.containers?.[0]?.image === image)
        )
      })
      assert.ok(most <= 1, `${most} nodes were without a driver at the same time`)
      await eventually('the Module is ready', async () => isReady(await getModule(plane, key)))
    })
  }

  real('is refused nothing', async plane => {
    assert.deepEqual(refusedWrites(await operatorWrites(plane)), [])
  })
})
