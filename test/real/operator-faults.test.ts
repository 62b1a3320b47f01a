// The operator and an API server that fails: killed, restarted, frozen, cut off, half-open, overloaded. It recovers by itself, loses
// nothing, writes nothing that is wrong, and its health tells the truth.
import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import { controllers, watches } from '../../src/controllers/index.ts'
import { fieldManager } from '../../src/core/names.ts'
import { modules, nodes } from '../../src/core/resources.ts'
import { type Clock, realClock } from '../../src/shell/clock.ts'
import type { ConnectionConfig } from '../../src/shell/kube/connection.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { createOperator, type Operator } from '../../src/shell/loop/operator.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { create, eventually, getModule, listDaemonSets, listNodes, listPods, merge, prepareCluster, remove } from './cluster.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type BreakableWay, breakableWay } from './proxy.ts'
import { operatorWrites, refusedWrites, told } from './writes.ts'

const kernels = ['6.1.0-1-amd64', '6.12.0-2-amd64', '6.15.0-3-amd64'] as const
const selector = { 'gpu.example.com/present': 'true' }

let way: BreakableWay | undefined
let operator: OperatorProcess | undefined
after(async () => {
  await operator?.end('SIGKILL')
  await way?.close()
})

const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { default: [] })
  await plane.addNodes({ count: 3, kernel: kernels[0], labels: selector, prefix: 'first' })
  way = await breakableWay(plane)
})

const theWay = (): BreakableWay => {
  assert.ok(way)
  return way
}
const theOperator = (): OperatorProcess => {
  assert.ok(operator)
  return operator
}

const moduleNamed = (name: string) => ({
  apiVersion: modules.apiVersion,
  kind: modules.kind,
  metadata: { name, namespace: 'default' },
  spec: {
    selector,
    moduleLoader: {
      container: {
        modprobe: { moduleName: name },
        kernelMappings: [{ regexp: '^.+$', containerImage: `registry.example.com/${name}:\${KERNEL_FULL_VERSION}` }],
      },
    },
  },
})

const isReady = ({ status, metadata }: Module) =>
  status?.observedGeneration === metadata.generation &&
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')

/** The Module is Ready and counts these nodes, and each of them has its label. */
async function loaded(plane: ControlPlane, name: string, count: number): Promise<void> {
  await eventually(
    `Module ${name} is loaded on ${count} nodes`,
    async () => {
      const module = await getModule(plane, `default/${name}`)
      const ready = (await listNodes(plane)).filter(
        ({ metadata }) => metadata.labels?.[`kmm.node.kubernetes.io/default.${name}.ready`] !== undefined,
      )
      const isSo =
        module !== undefined &&
        isReady(module) &&
        module.status?.moduleLoader?.availableNumber === count &&
        ready.length === count
      return isSo || JSON.stringify(module?.status ?? null)
    },
    60,
  )
}

const healthOf = async () => [(await theOperator().probe('healthz')).status, (await theOperator().probe('readyz')).status]
const becomes = (what: string, health: readonly [alive: number, ready: number]) =>
  eventually(
    `health becomes ${health.join()}: ${what}`,
    async () => {
      const found = await healthOf()
      assert.equal(found[0], 200, 'a restart of the operator would not help')
      return found.join() === health.join() || found.join()
    },
    60,
  )

/** The loaders of the first Module: nothing that happens here is a reason to touch them. */
async function firstLoaders(plane: ControlPlane): Promise<readonly string[]> {
  const found = [...(await listDaemonSets(plane)), ...(await listPods(plane))]
  return found
    .filter(({ metadata }) => metadata.name.startsWith('first-driver-6-1-0'))
    .map(({ metadata }) => metadata.uid ?? '')
    .sort((a, b) => (a < b ? -1 : 1))
}
let untouched: readonly string[] = []

describe('the operator and an API server that fails', () => {
  real('is healthy where all is well', async plane => {
    // Without election: a leader that cannot renew its Lease ends, and the kubelet starts it anew (test/shell/lease.test.ts).
    operator = await startOperator({ kubeconfig: theWay().kubeconfig, folder: plane.folder, leaderElection: 'off' })
    await create(plane, modules, moduleNamed('first-driver'))
    await loaded(plane, 'first-driver', 3)
    assert.deepEqual(await healthOf(), [200, 200])
    untouched = await firstLoaders(plane)
    assert.equal(untouched.length, 4)
  })

  real('is alive and not ready while the API server is dead, and goes on when it is back', async plane => {
    await plane.killApiServer()
    await becomes('the API server is dead', [200, 503])
    assert.match((await theOperator().probe('readyz')).body, /cannot be watched: \d+ attempts in a row have failed/)
    await plane.startApiServer()
    // Before the operator is back: its watches have to tell what they missed.
    await plane.addNodes({ count: 1, kernel: kernels[1], labels: selector, prefix: 'second' })
    await loaded(plane, 'first-driver', 4)
    await becomes('the API server is back', [200, 200])
  })

  real('misses nothing that happened while its connections were cut', async plane => {
    theWay().set('refuse')
    await plane.addNodes({ count: 1, kernel: kernels[2], labels: selector, prefix: 'third' })
    await merge(plane, nodes, 'second-0', { metadata: { labels: { 'gpu.example.com/present': null } } })
    await becomes('nothing can be reached', [200, 503])
    theWay().set('forward')
    await loaded(plane, 'first-driver', 4)
    await eventually("the other kernel's DaemonSet is gone", async () =>
      (await listDaemonSets(plane)).every(({ metadata }) => !metadata.name.includes('6-12-0')),
    )
    await becomes('all can be reached', [200, 200])
  })

  real('waits as it is told by 429, tries again after 500, and gets done what it was asked meanwhile', async plane => {
    theWay().set({ status: 429, headers: { 'retry-after': '1' } })
    await create(plane, modules, moduleNamed('second-driver'))
    await delay(3500)
    theWay().set({ status: 500, headers: {} })
    // The watches too: lists and watches are refused from here.
    theWay().cut()
    await delay(3000)
    const refused = theWay().answered()
    theWay().set('forward')
    await loaded(plane, 'second-driver', 4)
    await becomes('no request is refused', [200, 200])
    // 5 watches and a handful of keys, each with its back-off: no storm.
    assert.ok(refused > 3 && refused < 150, `${refused} requests in 6.5 s`)
  })

  real('wrote nothing wrong in all this', async plane => {
    assert.deepEqual(await firstLoaders(plane), untouched)
    const writes = await operatorWrites(plane)
    assert.deepEqual(refusedWrites(writes), [])
    // The one DaemonSet whose last node lost its label.
    const removed = writes.filter(({ verb, code }) => verb === 'delete' && code < 300).map(told)
    assert.equal(removed.length, 1, removed.join('\n'))
    assert.match(removed[0] ?? '', /6-12-0/)
    const creations = writes.filter(({ resource, code }) => resource === 'daemonsets' && code === 201).map(told)
    assert.equal(creations.length, 3 + 2, creations.join('\n'))
    assert.equal(await theOperator().end(), 0)
  })
})

// Silence is noticed after 100 s (a bookmark comes every minute): here the clock runs 25 times as fast. In return watches that have
// nothing to tell are opened anew every 4 s, which costs no write.
const factor = 25
const quick: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now() * factor,
  after: (delayMs, callback) => realClock.after(delayMs / factor, callback),
}

/** The operator in this process, on the quick clock. */
function quickOperator(config: ConnectionConfig): Operator & { close(): Promise<void> } {
  const transport = httpsTransport(config, { userAgent: 'kmm/quick', clock: quick })
  const running = createOperator({
    controllers,
    watches,
    transport,
    clock: quick,
    chance: Math.random,
    log: () => undefined,
    images: { ask: () => Promise.resolve({}) },
    settings: { operatorNamespace: 'openshift-kmm', managed: false },
    fieldManager,
  })
  running.start()
  return {
    ...running,
    close: async () => {
      await running.stop()
      transport.close()
    },
  }
}

describe('the operator and an API server that says nothing', () => {
  real('notices connections that are open and dead, tells it, and catches up on new ones', async plane => {
    const running = quickOperator(theWay().config)
    try {
      await eventually('ready', async () => running.health().ready)
      const before = (await operatorWrites(plane)).length
      await delay(2000)
      theWay().set('silent')
      await merge(plane, nodes, 'second-0', { metadata: { labels: selector } })
      await remove(plane, modules, 'default/second-driver')
      await eventually('not ready', async () => !running.health().ready)
      assert.equal(running.health().alive, true)
      assert.deepEqual((await operatorWrites(plane)).slice(before).map(told), [])
      theWay().set('forward')
      await loaded(plane, 'first-driver', 5)
      await eventually('ready again', async () => running.health().ready)
      await eventually(
        'nothing of the deleted Module is left',
        async () => {
          const left = [...(await listDaemonSets(plane)), ...(await listPods(plane))].map(({ metadata }) => metadata.name)
          return left.filter(name => name.startsWith('second-driver')).join() || true
        },
        60,
      )
      assert.deepEqual(await firstLoaders(plane), untouched)
    } finally {
      await running.close()
    }
  })

  real('is alive and not ready while the API server stands still, and writes nothing when it goes on', async plane => {
    const running = quickOperator(plane.config)
    try {
      await eventually('ready', async () => running.health().ready)
      const before = (await operatorWrites(plane)).length
      plane.freeze()
      try {
        await eventually('not ready', async () => !running.health().ready)
        // 5 minutes of its clock: a silent watch is its own fault only where others are answered.
        await delay((300_000 + 20_000) / factor)
        assert.equal(running.health().alive, true)
      } finally {
        plane.thaw()
      }
      await eventually('ready again', async () => running.health().ready)
      await delay(1000)
      assert.deepEqual((await operatorWrites(plane)).slice(before).map(told), [])
      assert.deepEqual(await firstLoaders(plane), untouched)
    } finally {
      await running.close()
    }
  })
})
