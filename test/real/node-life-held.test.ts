// A driver that could not be unloaded, on a real control plane: its pod is kept as evidence and keeps every newer driver away, until the
// machine has booted again; and its finalizer never blocks the end of a node or of a namespace.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import { isPodReady, type Pod } from '../../src/core/cluster.ts'
import { loaderVersionLabel, podFinalizer, readyLabel, userVersionLabel } from '../../src/core/names.ts'
import { isDeleting } from '../../src/core/operands.ts'
import { modules, namespaces, nodes, pods } from '../../src/core/resources.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import { bootIdOf } from '../control-plane/nodes.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import type { Objects } from '../faults/history.ts'
import { oneVersionOnANode, pluginGoesFirst, podsOn } from '../faults/plugin-order.ts'
import { create, eventually, get, merge, prepareCluster, remove } from './cluster.ts'
import { driverModule, namespace } from './node-story.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Recording, record } from './recorded.ts'

const quietMs = 3000
const doomed = 'doomed'

let operator: OperatorProcess | undefined
let recording: Recording | undefined
const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { [namespace]: [], [doomed]: [] })
  recording = await record(plane)
  operator = await launch(plane)
})
after(async () => {
  await recording?.end()
  await operator?.end('SIGKILL')
})

const launch = (plane: ControlPlane) =>
  startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder, leaderElection: 'off' })

async function restartOperator(plane: ControlPlane): Promise<void> {
  await operator?.end('SIGKILL')
  operator = await launch(plane)
}

function recorded(): Recording {
  assert.ok(recording, 'nothing is recorded')
  return recording
}

const loadersOn = (now: Objects, node: string, module: string): readonly Pod[] => podsOn(now, node, module, 'loader')
const podKeyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`

const untilLoaded = (module: string, node: string, image: string): Promise<void> =>
  recorded().until(`${image} of ${module} on ${node}`, now => {
    const [inNamespace = '', name = ''] = module.split('/')
    const found = loadersOn(now, node, module)
    const isSo =
      found.length === 1 &&
      found.every(pod => isPodReady(pod) && !isDeleting(pod) && pod.spec?.containers?.[0]?.image?.endsWith(`:${image}`)) &&
      now.nodes.get(node)?.metadata.labels?.[readyLabel(inNamespace, name)] !== undefined
    return isSo || JSON.stringify(found.map(({ metadata, status }) => [metadata.name, metadata.deletionTimestamp, status?.phase]))
  })

/** From now on the test itself says how this loader ends. */
async function silence(plane: ControlPlane, module: string, node: string): Promise<Pod> {
  const [pod] = loadersOn(recorded().now(), node, module)
  assert.ok(pod)
  await merge(plane, pods, podKeyOf(pod), { metadata: { annotations: { 'example.com/kubelet': 'silent' } } })
  return pod
}

/** As a kubelet tells of a pod whose preStop hook tried until the grace period ended (kubelet-facts.md 7-9). */
async function failUnload(plane: ControlPlane, pod: Pod, name: string): Promise<void> {
  const isTold = (now: Objects): boolean => {
    const seen = now.pods.get(podKeyOf(pod))
    return seen !== undefined && isDeleting(seen)
  }
  // The garbage collector looks for new kinds, such as Module, every 30 s.
  await recorded().until(`the end of ${pod.metadata.name}`, isTold, 60)
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const bootId = bootIdOf(pod.spec?.nodeName ?? '')
  const message = `kmm unload failed ${bootId}\nmodprobe: FATAL: Module ${name}_mod is in use.\n`
  const terminated = { exitCode: 137, reason: 'Error', message, startedAt: at, finishedAt: at }
  const [container] = pod.status?.containerStatuses ?? []
  const containerStatuses = [{ ...container, ready: false, started: false, state: { terminated } }]
  const conditions = (pod.status?.conditions ?? []).map(condition =>
    condition.type === 'Ready' || condition.type === 'ContainersReady'
      ? { ...condition, status: 'False', lastTransitionTime: at }
      : condition,
  )
  await merge(plane, pods, podKeyOf(pod), { status: { phase: 'Failed', conditions, containerStatuses } }, { part: 'status' })
}

/** The status names node and words; the pod is there, and no other one beside it, now and after a while. */
async function assertHeld(module: string, node: string, pod: Pod): Promise<void> {
  await recorded().until(`${module} tells that its old driver is still loaded on ${node}`, now => {
    const entry = now.modules.get(module)?.status?.notReadyNodes?.find(({ name }) => name === node)
    return (entry?.reason === 'StillLoaded' && /is in use/.test(entry.message ?? '')) || JSON.stringify(entry)
  })
  await delay(quietMs)
  const now = recorded().now()
  assert.deepEqual(loadersOn(now, node, module).map(podKeyOf), [podKeyOf(pod)])
  assert.ok(now.pods.get(podKeyOf(pod))?.metadata.finalizers?.includes(podFinalizer))
  const [inNamespace = '', name = ''] = module.split('/')
  assert.equal(now.nodes.get(node)?.metadata.labels?.[readyLabel(inNamespace, name)], undefined)
}

const reboot = (plane: ControlPlane, node: string) =>
  merge(plane, nodes, node, { status: { nodeInfo: { bootID: randomUUID() } } }, { part: 'status' })

const addNodes = (plane: ControlPlane, name: string, count = 1) =>
  plane.addNodes({ count, kernel: '6.1.0-1-amd64', labels: { pool: name }, prefix: name })

const assertNever = () => assert.deepEqual(recorded().broken([pluginGoesFirst, oneVersionOnANode]), [])

/** A Module whose loader on its one node has failed to unload, for the reason that `change` gives. */
async function held(plane: ControlPlane, module: Module, change: (key: string, node: string) => Promise<unknown>): Promise<Pod> {
  const { name } = module.metadata
  const key = `${module.metadata.namespace}/${name}`
  const [node = ''] = await addNodes(plane, name)
  const { version } = module.spec.moduleLoader.container
  if (version !== undefined) await setVersion(plane, node, name, version)
  await create(plane, modules, module)
  await untilLoaded(key, node, '1')
  const pod = await silence(plane, key, node)
  await change(key, node)
  await failUnload(plane, pod, name)
  await assertHeld(key, node, pod)
  return pod
}

const setVersion = (plane: ControlPlane, node: string, name: string, version: string) =>
  merge(plane, nodes, node, { metadata: { labels: { [userVersionLabel(namespace, name)]: version } } })

const changeImage = (plane: ControlPlane, module: Module, image: string) => (key: string) =>
  merge(plane, modules, key, { spec: driverModule(module.metadata.name, { image }).spec })

describe('a driver that could not be unloaded, on a real control plane', () => {
  real('keeps a newer one away until its node has booted again, whether or not the operator is restarted', async plane => {
    const module = driverModule('paced', { image: '1' })
    const pod = await held(plane, module, changeImage(plane, module, '2'))
    await restartOperator(plane)
    await assertHeld(`${namespace}/paced`, 'paced-0', pod)
    await reboot(plane, 'paced-0')
    await untilLoaded(`${namespace}/paced`, 'paced-0', '2')
  })

  real(
    'keeps the next version away in an ordered upgrade, and its label with it, until its node has booted again',
    async plane => {
      const first = driverModule('ordered', { image: '1', version: 'v1', plugin: 'with plugin' })
      const next = driverModule('ordered', { image: '2', version: 'v2', plugin: 'with plugin' })
      const pod = await held(plane, first, async (key, node) => {
        await merge(plane, modules, key, { spec: next.spec })
        await setVersion(plane, node, 'ordered', 'v2')
      })
      await restartOperator(plane)
      await assertHeld(`${namespace}/ordered`, 'ordered-0', pod)
      const labels = recorded().now().nodes.get('ordered-0')?.metadata.labels ?? {}
      assert.equal(labels[loaderVersionLabel(namespace, 'ordered')], undefined)
      await reboot(plane, 'ordered-0')
      await untilLoaded(`${namespace}/ordered`, 'ordered-0', '2')
      assertNever()
    },
  )

  for (const version of [undefined, 'v'] as const) {
    const name = version === undefined ? 'again' : 'again-versioned'
    const of = (image: string): Module =>
      driverModule(name, { image, ...(version === undefined ? {} : { version: `${version}${image}` }) })
    real(
      `keeps away the driver of a Module that was deleted and made again${version === undefined ? '' : ', with a version'}`,
      async plane => {
        const key = `${namespace}/${name}`
        const node = `${name}-0`
        const pod = await held(plane, of('1'), async () => {
          await remove(plane, modules, key)
          await recorded().until('the Module is gone', now => !now.modules.has(key))
          await create(plane, modules, of('2'))
          if (version !== undefined) await setVersion(plane, node, name, 'v2')
        })
        await restartOperator(plane)
        await assertHeld(key, node, pod)
        // An owner that is gone: the garbage collector must not have taken the evidence along.
        await delay(quietMs)
        assert.ok(await get(plane, pods, podKeyOf(pod)))
        await reboot(plane, node)
        await untilLoaded(key, node, '2')
        assertNever()
      },
    )
  }

  real('keeps nothing away from other nodes, within the budget', async plane => {
    const of = (image: string) => driverModule('many', { image, maxUnavailable: 2 })
    const key = `${namespace}/many`
    await addNodes(plane, 'many', 3)
    await create(plane, modules, of('1'))
    for (const node of ['many-0', 'many-1', 'many-2']) await untilLoaded(key, node, '1')
    const pod = await silence(plane, key, 'many-0')
    await merge(plane, modules, key, { spec: of('2').spec })
    await failUnload(plane, pod, 'many')
    await untilLoaded(key, 'many-1', '2')
    await untilLoaded(key, 'many-2', '2')
    await assertHeld(key, 'many-0', pod)
  })
})

describe('the finalizer of a driver that could not be unloaded, on a real control plane', () => {
  for (const restart of ['', ', with the operator away meanwhile'] as const) {
    const name = restart === '' ? 'leaving' : 'leaving-unseen'
    real(`does not outlive its node${restart}`, async plane => {
      const module = driverModule(name, { image: '1' })
      const pod = await held(plane, module, changeImage(plane, module, '2'))
      if (restart !== '') await operator?.end('SIGTERM')
      await remove(plane, nodes, `${name}-0`)
      if (restart !== '') operator = await launch(plane)
      await eventually('the pod is gone', async () => (await get(plane, pods, podKeyOf(pod))) === undefined)
      assert.ok(!recorded().now().nodes.has(`${name}-0`), 'no ghost of the node')
    })
  }

  real('does not keep a node that came back with the same name from the new driver', async plane => {
    const module = driverModule('reborn', { image: '1' })
    const pod = await held(plane, module, changeImage(plane, module, '2'))
    await operator?.end('SIGTERM')
    await remove(plane, nodes, 'reborn-0')
    await recorded().until('the node is gone', now => !now.nodes.has('reborn-0'))
    // Times have seconds: the new Node must not be as old as the binding of the pod.
    await delay(1100)
    await addNodes(plane, 'reborn')
    // Another machine: in the same boot the driver would still be in its kernel (docs/decisions/0013).
    await reboot(plane, 'reborn-0')
    operator = await launch(plane)
    await eventually('the pod is gone', async () => (await get(plane, pods, podKeyOf(pod))) === undefined)
    await untilLoaded(`${namespace}/reborn`, 'reborn-0', '2')
  })

  real('does not block the end of its namespace, with the operator away meanwhile', async plane => {
    const module = driverModule('stuck', { image: '1' })
    const inDoomed: Module = { ...module, metadata: { ...module.metadata, namespace: doomed } }
    await held(plane, inDoomed, changeImage(plane, module, '2'))
    await operator?.end('SIGTERM')
    await remove(plane, namespaces, doomed)
    await delay(2000)
    assert.ok(await get(plane, namespaces, doomed), 'the finalizer holds it while nobody judges')
    operator = await launch(plane)
    await eventually('the namespace is gone', async () => (await get(plane, namespaces, doomed)) === undefined, 60)
  })
})
