// Ordered upgrades on a real control plane (behaviour.md 8): both ways of the documentation, node by node, in the order that it promises;
// and the same with the operator killed at a random moment of each step.
import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isPodReady, type Pod } from '../../src/core/cluster.ts'
import { pluginReadyLabel, readyLabel, userVersionLabel } from '../../src/core/names.ts'
import { modules, nodes } from '../../src/core/resources.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { type Objects, startReplay } from '../faults/history.ts'
import { isOver, oneVersionOnANode, pluginComesLast, pluginGoesFirst, podsOn } from '../faults/plugin-order.ts'
import { create, merge, prepareCluster } from './cluster.ts'
import { driverModule, namespace, outOfOrder, storyOf } from './node-story.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'
import { type Recording, record } from './recorded.ts'

const name = 'gpu'
const key = `${namespace}/${name}`
const five = Array.from({ length: 5 }, (_, index) => `gpu-${index}`)
const ofVersion = (version: string) => driverModule(name, { image: version, version, plugin: 'with plugin' })

let operator: OperatorProcess | undefined
let recording: Recording | undefined
const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  await prepareCluster(plane, { [namespace]: [] })
  await plane.addNodes({ count: five.length, kernel: '6.1.0-1-amd64', labels: { pool: name }, prefix: name })
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

const setVersion = (plane: ControlPlane, node: string, version: string | null) =>
  merge(plane, nodes, node, { metadata: { labels: { [userVersionLabel(namespace, name)]: version } } })

const upgradeTo = (plane: ControlPlane, version: string) => merge(plane, modules, key, { spec: ofVersion(version).spec })

/** Loader and plugin of this version run, and the Node says so. */
const runs =
  (node: string, version: string) =>
  (now: Objects): boolean | string => {
    const labels = now.nodes.get(node)?.metadata.labels ?? {}
    const running = (['loader', 'plugin'] as const).map(operand => podsOn(now, node, key, operand))
    const isSo =
      running.every(
        pods => pods.length === 1 && pods.every(pod => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined),
      ) &&
      running[0]?.[0]?.spec?.containers?.[0]?.image === `registry.example.com/gpu:${version}` &&
      [readyLabel, pluginReadyLabel].every(label => labels[label(namespace, name)] !== undefined)
    return isSo || storyOf(recorded().changes(), node, name).slice(-8).join(', ')
  }

const isEmpty =
  (node: string) =>
  (now: Objects): boolean =>
    podsOn(now, node, key, 'loader').length === 0 && podsOn(now, node, key, 'plugin').length === 0

const since = () => recorded().changes().at(-1)?.at ?? 0

const unloading = (version: string) => [
  'plugin label is removed',
  `plugin ${version} ends`,
  `plugin ${version} is gone`,
  'loader label is removed',
  `loader ${version} ends`,
  'ready label is removed',
  `loader ${version} is gone`,
]
const loading = (version: string) => [
  `loader label is set to ${version}`,
  `loader ${version} is ready`,
  'ready label is set',
  `plugin ${version} is ready`,
  'plugin ready label is set',
]

/** The labels and pods of one node, and of no other, moved in the documented order. */
function assertUpgrade(node: string, from: string, to: string, way: 'flip' | 'remove and set', revision: number): void {
  const story = storyOf(recorded().changes(), node, name, revision)
  const told = story.join('\n')
  const first = way === 'flip' ? [`version label is set to ${to}`] : ['version label is removed']
  const between = way === 'flip' ? [] : [`version label is set to ${to}`]
  const steps = [...first, ...unloading(from), ...between, ...loading(to)]
  assert.deepEqual(outOfOrder(story, steps), [], told)
  assert.deepEqual(
    outOfOrder(story, [`loader label is set to ${to}`, `plugin label is set to ${to}`, `plugin ${to} is ready`]),
    [],
    told,
  )
  assert.deepEqual(
    outOfOrder(story, [`plugin ${from} ends`, 'plugin ready label is removed', 'plugin ready label is set']),
    [],
    told,
  )
  // Each of them once: nothing was begun and taken back.
  assert.deepEqual([...new Set(story)], story, told)
  for (const other of five.filter(one => one !== node))
    assert.deepEqual(storyOf(recorded().changes(), other, name, revision), [], `${other} was left alone`)
}

/** At no moment of the whole history. */
function assertNever(): void {
  assert.deepEqual(recorded().broken([pluginGoesFirst, pluginComesLast, oneVersionOnANode]), [])
  const replay = startReplay([])
  for (const change of recorded().changes()) {
    replay.see(change)
    for (const node of five) assertDriverBelowPlugin(replay.now, node, change.at)
  }
}

/** A device plugin that runs has its driver: nobody deletes pods or reboots nodes here. */
function assertDriverBelowPlugin(now: Objects, node: string, revision: number): void {
  const isRunning = (pod: Pod) => pod.status?.phase === 'Running' && !isOver(pod)
  if (!podsOn(now, node, key, 'plugin').some(isRunning)) return
  const isLoaded = podsOn(now, node, key, 'loader').some(pod => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined)
  assert.ok(isLoaded, `revision ${revision}: a device plugin runs on ${node} without its driver`)
}

describe('an ordered upgrade on a real control plane', () => {
  real('begins with one version on all nodes that have its label', async plane => {
    await create(plane, modules, ofVersion('v1'))
    for (const node of five) await setVersion(plane, node, 'v1')
    for (const node of five) await recorded().until(`v1 on ${node}`, runs(node, 'v1'), 60)
    for (const node of five) assert.deepEqual(outOfOrder(storyOf(recorded().changes(), node, name), loading('v1')), [])
  })

  real('changes nothing on any node as long as only the Module names the new version', async plane => {
    const revision = since()
    await upgradeTo(plane, 'v2')
    await recorded().until(
      'a DaemonSet of each version',
      now =>
        now.daemonSets
          .values()
          .filter(({ metadata }) => metadata.namespace === namespace)
          .toArray().length >= 3,
    )
    await delay(2000)
    for (const node of five) assert.deepEqual(storyOf(recorded().changes(), node, name, revision), [])
  })

  for (const [index, node] of five.entries()) {
    const way = index % 2 === 0 ? 'flip' : 'remove and set'
    const words = way === 'flip' ? 'its label gets the new value' : 'its label is removed, and set after maintenance'
    real(`takes ${node} from v1 to v2, and no other node, when ${words}`, async plane => {
      const revision = since()
      if (way === 'remove and set') {
        await setVersion(plane, node, null)
        await recorded().until(`nothing on ${node}`, isEmpty(node))
        // Maintenance: nothing comes back by itself.
        await delay(1500)
        assert.ok(isEmpty(node)(recorded().now()))
      }
      await setVersion(plane, node, 'v2')
      await recorded().until(`v2 on ${node}`, runs(node, 'v2'))
      assertUpgrade(node, 'v1', 'v2', way, revision)
      assertNever()
    })
  }

  real('ends with the old version gone once no node wants it', async () => {
    const images = (now: Objects) =>
      now.daemonSets
        .values()
        .map(({ spec }) => spec?.template?.spec?.containers?.[0]?.image ?? '')
        .toArray()
        .sort()
    const wanted = ['registry.example.com/gpu-plugin:1', 'registry.example.com/gpu:v2']
    await recorded().until('two DaemonSets', now => images(now).join() === wanted.join() || images(now).join(), 60)
  })

  /** mulberry32: the same moments in every run. */
  let state = 20_261_123
  const chance = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  /** What each step begins with. */
  const stepsOf = (way: 'flip' | 'remove and set', from: string, to: string) =>
    way === 'flip'
      ? [`version label is set to ${to}`, ...unloading(from), ...loading(to)]
      : ['version label is removed', ...unloading(from), `version label is set to ${to}`, ...loading(to)]

  /** All nodes, one after the other, with the operator killed a few hundredths of a second after each step that `isHit` has begun. */
  async function upgradeWithCrashes(
    plane: ControlPlane,
    [from, to]: readonly [from: string, to: string],
    isHit: (node: number, step: number) => boolean,
  ): Promise<number> {
    await upgradeTo(plane, to)
    let crashes = 0
    for (const [index, node] of five.entries()) {
      const way = index % 2 === 0 ? 'flip' : 'remove and set'
      const revision = since()
      for (const [number, step] of stepsOf(way, from, to).entries()) {
        if (step === 'version label is removed') await setVersion(plane, node, null)
        if (step === `version label is set to ${to}`) {
          if (way !== 'flip') await recorded().until(`nothing on ${node}`, isEmpty(node))
          await setVersion(plane, node, to)
        }
        await recorded().until(`"${step}" on ${node}`, () => storyOf(recorded().changes(), node, name, revision).includes(step))
        if (!isHit(index, number)) continue
        await delay(chance() * 60)
        await operator?.end('SIGKILL')
        operator = await launch(plane)
        crashes++
      }
      await recorded().until(`${to} on ${node}`, runs(node, to), 60)
      assertUpgrade(node, from, to, way, revision)
    }
    assertNever()
    return crashes
  }

  real('takes the same course when the operator is killed at a random moment of each step', async plane => {
    const crashes = await upgradeWithCrashes(plane, ['v2', 'v3'], () => true)
    assert.equal(crashes, 3 * stepsOf('flip', 'v2', 'v3').length + 2 * stepsOf('remove and set', 'v2', 'v3').length)
  })

  // A crash takes a second until the next operator is there. What the cluster does meanwhile by itself (a plugin ends) began under no
  // operator, and killed the next one late; so here the nodes take turns, and each step begins under an operator.
  real('takes the same course when it is killed in every third step, each of them somewhere', async plane => {
    const crashes = await upgradeWithCrashes(plane, ['v3', 'v4'], (node, step) => (step + Math.floor(node / 2)) % 3 === 0)
    assert.ok(crashes >= 20, `${crashes} crashes`)
  })
})

describe('the first version of a Module on a real control plane', () => {
  real(
    'takes the loader without a version from the nodes that have its label, device plugin first, and from no other',
    async plane => {
      const module = 'nic'
      const own = `${namespace}/${module}`
      const [first = '', second = ''] = await plane.addNodes({
        count: 2,
        kernel: '6.1.0-1-amd64',
        labels: { pool: module },
        prefix: module,
      })
      await create(plane, modules, driverModule(module, { image: '1', plugin: 'with plugin' }))
      const isServed = (now: Objects, node: string, image: string) =>
        (['loader', 'plugin'] as const).every(operand => {
          const found = podsOn(now, node, own, operand)
          return found.length === 1 && found.every(isPodReady)
        }) && podsOn(now, node, own, 'loader')[0]?.spec?.containers?.[0]?.image === `registry.example.com/nic:${image}`
      const isTold = (now: Objects, node: string) =>
        [readyLabel, pluginReadyLabel].every(
          label => now.nodes.get(node)?.metadata.labels?.[label(namespace, module)] !== undefined,
        )
      await recorded().until('both run, and their nodes say so', now =>
        [first, second].every(node => isServed(now, node, '1') && isTold(now, node)),
      )
      const revision = since()
      const next = driverModule(module, { image: 'v1', version: 'v1', plugin: 'with plugin' })
      await merge(plane, modules, own, { spec: next.spec })
      await merge(plane, nodes, first, { metadata: { labels: { [userVersionLabel(namespace, module)]: 'v1' } } })
      await recorded().until('the first has the new one', now => isServed(now, first, 'v1'))
      await delay(1000)
      const story = storyOf(recorded().changes(), first, module, revision)
      const steps = ['plugin ends', 'plugin is gone', 'loader ends', 'ready label is removed', 'loader is gone', ...loading('v1')]
      assert.deepEqual(outOfOrder(story, ['version label is set to v1', ...steps]), [], story.join('\n'))
      assert.deepEqual(storyOf(recorded().changes(), second, module, revision), [])
      assert.deepEqual(recorded().broken([pluginGoesFirst, pluginComesLast, oneVersionOnANode]), [])
    },
  )
})
