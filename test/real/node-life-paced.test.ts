// A paced rollout on a real control plane: it stops at a driver that does not load, says how far it is and why, and goes on with the next
// change. And a new operator whose hooks read differently: nobody is replaced for that.
import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isPodReady, type Pod } from '../../src/core/cluster.ts'
import { fieldManager } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import { daemonSets, modules } from '../../src/core/resources.ts'
import { objectPath } from '../../src/shell/kube/paths.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import type { Objects } from '../faults/history.ts'
import { oneVersionOnANode } from '../faults/plugin-order.ts'
import { replacementBudget } from '../faults/replacement-budget.ts'
import { ask, create, getModule, merge, prepareCluster } from './cluster.ts'
import { driverModule, namespace } from './node-story.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Recording, record } from './recorded.ts'
import { operatorWrites, refusedWrites, told } from './writes.ts'

const quietMs = 12_000
let operator: OperatorProcess | undefined
let recording: Recording | undefined
const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { [namespace]: [] })
  for (const pool of ['nic', 'gpu']) await plane.addNodes({ count: 5, kernel: '6.1.0-1-amd64', labels: { pool }, prefix: pool })
  recording = await record(plane)
  operator = await launch(plane)
})
after(async () => {
  await recording?.end()
  await operator?.end('SIGKILL')
})

const launch = (plane: ControlPlane) =>
  startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder, leaderElection: 'off' })

function recorded(): Recording {
  assert.ok(recording, 'nothing is recorded')
  return recording
}

const loaders = (now: Objects, name: string): readonly Pod[] =>
  [...now.pods.values()].filter(
    pod => moduleKeyOf(pod) === `${namespace}/${name}` && operandOf(pod) === 'loader' && !isDeleting(pod),
  )

const tagOf = (pod: Pod): string => pod.spec?.containers?.[0]?.image?.split(':').at(-1) ?? ''

/** `TAG x5 TAG (not ready) x1`, sorted. */
function loaderCounts(now: Objects, name: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const pod of loaders(now, name)) {
    const word = `${tagOf(pod)}${isPodReady(pod) ? '' : ' not ready'}`
    counts[word] = (counts[word] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const untilLoaders = (name: string, wanted: Readonly<Record<string, number>>, seconds = 30): Promise<void> =>
  recorded().until(
    `the loaders of ${name} are ${JSON.stringify(wanted)}`,
    now => {
      const counts = JSON.stringify(loaderCounts(now, name))
      return counts === JSON.stringify(wanted) || counts
    },
    seconds,
  )

/** Waits until the condition says the words; all conditions. */
async function untilCondition(name: string, type: string, words: RegExp): Promise<void> {
  await recorded().until(`${type} of ${name} says ${words}`, now => {
    const module = now.modules.get(`${namespace}/${name}`)
    const found = module?.status?.conditions?.find(condition => condition.type === type)
    const text = `${found?.status} ${found?.reason} ${found?.message}`
    return (words.test(text) && module?.status?.observedGeneration === module?.metadata.generation) || text
  })
}

const change = (plane: ControlPlane, name: string, image: string, maxUnavailable: number) =>
  merge(plane, modules, `${namespace}/${name}`, { spec: driverModule(name, { image, maxUnavailable }).spec })

const assertNever = () => assert.deepEqual(recorded().broken([oneVersionOnANode, replacementBudget()]), [])

describe('a paced rollout on a real control plane', () => {
  for (const [name, maxUnavailable] of [
    ['nic', 1],
    ['gpu', 2],
  ] as const) {
    real(`with maxUnavailable ${maxUnavailable} goes over all nodes, never more at a time`, async plane => {
      await create(plane, modules, driverModule(name, { image: '1', maxUnavailable, plugin: 'with plugin' }))
      await untilLoaders(name, { '1': 5 })
      await change(plane, name, '2', maxUnavailable)
      await untilLoaders(name, { '2': 5 })
      await untilCondition(name, 'Ready', /^True/)
      assertNever()
    })

    real(
      `with maxUnavailable ${maxUnavailable} stops at a driver that does not load, and says how far it is and why`,
      async plane => {
        await change(plane, name, '3-never-loads', maxUnavailable)
        const failed = { '2': 5 - maxUnavailable, '3-never-loads not ready': maxUnavailable }
        await untilLoaders(name, failed)
        const left = 5 - maxUnavailable
        await untilCondition(name, 'Stalled', new RegExp(`^True RolloutStopped .*${left} node`))
        await untilCondition(name, 'Ready', /^False/)
        await delay(3000)
        await untilLoaders(name, failed, 1)
        const status = (await getModule(plane, `${namespace}/${name}`))?.status
        assert.equal(status?.moduleLoader?.availableNumber, left)
        const reasons = (status?.notReadyNodes ?? []).map(({ reason }) => reason).sort()
        assert.deepEqual(reasons, [
          ...Array.from({ length: maxUnavailable }, () => 'KeyRejected'),
          ...Array.from({ length: left }, () => 'Outdated'),
        ])
        const words = status?.notReadyNodes?.find(({ reason }) => reason === 'KeyRejected')?.message ?? ''
        assert.match(words, /could not insert .*Key was rejected by service/)
        assertNever()
      },
    )

    real(`with maxUnavailable ${maxUnavailable} goes on with the corrected image, where it failed first`, async plane => {
      const failed = loaders(recorded().now(), name).filter(pod => !isPodReady(pod))
      const revision = recorded().changes().at(-1)?.at ?? 0
      await change(plane, name, '4', maxUnavailable)
      await untilLoaders(name, { '4': 5 })
      await untilCondition(name, 'Stalled', /^False/)
      await untilCondition(name, 'Ready', /^True/)
      const order = recorded()
        .changes()
        .filter(({ at, kind, object }) => at > revision && kind === 'Pod' && isDeleting(object) && operandOf(object) === 'loader')
        .map(({ object }) => (object as Pod).spec?.nodeName)
      const firstNodes = new Set([...new Set(order)].slice(0, failed.length))
      assert.deepEqual(firstNodes, new Set(failed.map(pod => pod.spec?.nodeName)))
      assertNever()
    })
  }
})

describe('a new operator on a real control plane', () => {
  real('whose hooks read differently replaces no pod, and writes each DaemonSet once', async plane => {
    await operator?.end('SIGTERM')
    const olderHook = 'printf older; modprobe -v -d /opt nic_mod'
    const loader = [...recorded().now().daemonSets.values()].find(
      daemonSet => moduleKeyOf(daemonSet) === `${namespace}/nic` && operandOf(daemonSet) === 'loader',
    )
    assert.ok(loader)
    await applyAsOperator(plane, withHook(loader, olderHook))
    // Pods from the older template, as an older operator would have left them.
    for (const pod of loaders(recorded().now(), 'nic')) {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}`
      await ask(plane, { method: 'DELETE', path, body: { gracePeriodSeconds: 1 } })
      const contentType = 'application/json-patch+json'
      await recorded().until('its end', now => now.pods.get(`${namespace}/${pod.metadata.name}`)?.status?.phase === 'Succeeded')
      await ask(plane, { method: 'PATCH', path, contentType, body: [{ op: 'remove', path: '/metadata/finalizers' }] })
    }
    await untilLoaders('nic', { '4': 5 })
    await recorded().until('all run the older hook', now => loaders(now, 'nic').every(pod => hookOf(pod) === olderHook))
    const before = uids(recorded().now())
    const writesBefore = (await operatorWrites(plane)).length

    operator = await launch(plane)
    await recorded().until('the hook of today', now => {
      const daemonSet = now.daemonSets.get(`${namespace}/${loader.metadata.name}`)
      return daemonSet !== undefined && hookOf(daemonSet.spec?.template) === hookOf(loader.spec?.template)
    })
    await delay(quietMs)
    assert.deepEqual(uids(recorded().now()), before)
    assert.ok(loaders(recorded().now(), 'nic').every(pod => hookOf(pod) === olderHook))
    const writes = (await operatorWrites(plane)).slice(writesBefore).map(told)
    // Its five pods were made anew by us, so their five ready labels had to be as well.
    assert.deepEqual(
      writes.filter(write => !write.startsWith('patch modules/status')),
      [`patch daemonsets ${namespace}/${loader.metadata.name} 200`],
    )
    assertNever()
  })

  real('writes nothing in the steady state, and wrote nothing that was refused', async plane => {
    const before = (await operatorWrites(plane)).length
    await delay(quietMs)
    const writes = await operatorWrites(plane)
    assert.deepEqual(writes.slice(before).map(told), [])
    assert.deepEqual(refusedWrites(writes), [])
  })
})

type Hooked = {
  readonly containers?: readonly {
    readonly lifecycle?: { readonly postStart?: { readonly exec?: { readonly command?: readonly string[] } } }
  }[]
}

const hookOf = (object: { readonly spec?: unknown } | undefined): string | undefined =>
  (object?.spec as Hooked | undefined)?.containers?.[0]?.lifecycle?.postStart?.exec?.command?.at(-1)

/** The same DaemonSet, its inputs for a reload unchanged, with the hook of another operator. */
function withHook(daemonSet: KubeObject, script: string): KubeObject {
  const copy = structuredClone(daemonSet) as unknown as {
    metadata: Record<string, unknown>
    status?: unknown
    spec: { template: { spec: { containers: { lifecycle: { postStart: { exec: { command: string[] } } } }[] } } }
  }
  for (const field of ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'annotations'])
    delete copy.metadata[field]
  delete copy.status
  const [container] = copy.spec.template.spec.containers
  if (container !== undefined) container.lifecycle.postStart.exec.command = ['/bin/sh', '-c', script]
  return copy as unknown as KubeObject
}

async function applyAsOperator(plane: ControlPlane, object: KubeObject): Promise<void> {
  const path = objectPath(daemonSets, `${object.metadata.namespace}/${object.metadata.name}`)
  const query = { fieldManager, force: 'true' }
  const { status, body } = await ask(plane, {
    method: 'PATCH',
    path,
    query,
    body: object,
    contentType: 'application/apply-patch+yaml',
  })
  assert.equal(status, 200, JSON.stringify(body))
}

const uids = (now: Objects): readonly string[] =>
  [...now.pods.values()]
    .filter(pod => !isDeleting(pod))
    .map(({ metadata }) => metadata.uid ?? '')
    .sort()
