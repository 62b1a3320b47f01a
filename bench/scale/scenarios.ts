// What a cluster lives through, each as a measurement. They run in this order; each leaves the cluster settled.
import { setTimeout as delay } from 'node:timers/promises'
import { userVersionLabel } from '../../src/core/names.ts'
import { modules as moduleKind } from '../../src/core/resources.ts'
import { create, merge, remove } from '../../test/real/cluster.ts'
import { type Measured, measure } from './measure.ts'
import { forEach, patchNode, type Rig } from './rig.ts'
import { benchModule, kernelName, type ModuleVariant, moduleName, namespace, type Shape } from './shape.ts'
import { allGone, allLoaded, kernelsAreLabelled } from './state.ts'

export type Scenario = (rig: Rig) => Promise<readonly Measured[]>

const rolloutSeconds = ({ nodes, modules }: Shape): number => 60 + nodes * modules * 0.2
const namesOf = ({ modules }: Shape): readonly string[] => Array.from({ length: modules }, (_, index) => moduleName(index))
const keyOf = (name: string): string => `${namespace}/${name}`
const heartbeatEverySeconds = 10

/** The operator begins on a cluster without Modules: the kernel's label on every Node. */
export const labelKernels: Scenario = async rig => [
  await measure(rig, {
    scenario: 'kernel labels',
    startsOperator: true,
    isDone: () => kernelsAreLabelled(rig),
    deadlineSeconds: rolloutSeconds(rig.shape),
    quietSeconds: 2,
  }),
]

/** All Modules at once, on nodes without drivers. */
const rolloutCalled =
  (scenario: string): Scenario =>
  async rig => {
    const names = namesOf(rig.shape)
    return [
      await measure(rig, {
        scenario,
        act: () => forEach(names, async name => void (await create(rig.plane, moduleKind, benchModule(name, rig.shape)))),
        isDone: () => allLoaded(rig, names, 'v1'),
        deadlineSeconds: rolloutSeconds(rig.shape),
      }),
    ]
  }
export const rollout = rolloutCalled('fresh rollout')
/** After the floor, by an operator that has just started: who comes second finds everybody else warm. */
export const secondRollout: Scenario = async rig => {
  rig.operator = await rig.startOperator()
  return rolloutCalled('second rollout')(rig)
}

/** Everything is as it should be; every kubelet reports once in 10 s. */
export const heartbeats: Scenario = async rig => [
  await measure(rig, {
    scenario: `heartbeats for ${rig.heartbeatSeconds} s`,
    act: async () => {
      for (let round = 0; round < rig.heartbeatSeconds / heartbeatEverySeconds; round++) {
        const startedMs = performance.now()
        await forEach([...rig.observer.nodes.keys()], name => heartbeat(rig, name))
        await delay(Math.max(0, heartbeatEverySeconds * 1000 - (performance.now() - startedMs)))
      }
    },
    isDone: () => true,
    deadlineSeconds: 10,
  }),
]

const heartbeat = (rig: Rig, name: string): Promise<void> =>
  patchNode(
    rig.plane,
    name,
    { status: { conditions: [{ type: 'Ready', lastHeartbeatTime: new Date().toISOString() }] } },
    'status',
  )

/** In a settled cluster. What it reads at its start is counted here. */
export const restart: Scenario = async rig => {
  rig.health.pause()
  await rig.operator?.end()
  return [
    await measure(rig, {
      scenario: 'operator restart',
      startsOperator: true,
      isDone: () => allLoaded(rig, namesOf(rig.shape), 'v1'),
      deadlineSeconds: 60,
    }),
  ]
}

/** What other people do to one node every day. */
export const nodeChanges: Scenario = async rig => {
  const [name = ''] = rig.observer.nodes.keys()
  const change = async (scenario: string, body: object) =>
    measure(rig, {
      scenario,
      act: () => patchNode(rig.plane, name, body),
      isDone: () => true,
      deadlineSeconds: 10,
    })
  const taint = { key: 'bench.example.com/away', effect: 'NoSchedule' }
  return [
    await change('cordon of one node', { spec: { unschedulable: true } }),
    await change('foreign label of one node', { metadata: { labels: { 'bench.example.com/foreign': 'x' } } }),
    await change('taint of one node', { spec: { unschedulable: false, taints: [taint] } }),
    // Taints are one value, not a list that is merged.
    await change('taint taken off', { spec: { taints: [] } }),
  ]
}

/** A tenth of the nodes boots another kernel: the old driver goes, the new one comes. */
export const kernelChange: Scenario = async rig => {
  const changed = [...rig.observer.nodes.keys()].slice(0, Math.ceil(rig.shape.nodes / 10))
  const kernelVersion = kernelName(rig.shape.kernels)
  const nodeInfo = { kernelVersion }
  const isSeen = () => changed.every(name => rig.observer.nodes.get(name)?.kernel === kernelVersion)
  return [
    await measure(rig, {
      scenario: `kernel change of ${changed.length} nodes`,
      act: () => forEach(changed, name => patchNode(rig.plane, name, { status: { nodeInfo } }, 'status')),
      isDone: () => isSeen() && allLoaded(rig, namesOf(rig.shape), 'v1'),
      deadlineSeconds: rolloutSeconds(rig.shape),
    }),
  ]
}

/** A changed image without a version: the operator replaces a tenth of the nodes at a time. */
export const pacedRollout: Scenario = async rig => {
  const names = namesOf(rig.shape)
  const spec = (name: string) =>
    (benchModule(name, rig.shape, { image: 'v2', maxUnavailable: '10%' }) as { readonly spec: object }).spec
  return [
    await measure(rig, {
      scenario: 'paced rollout, 10 % at a time',
      act: () => forEach(names, async name => void (await merge(rig.plane, moduleKind, keyOf(name), { spec: spec(name) }))),
      isDone: () => allLoaded(rig, names, 'v2'),
      deadlineSeconds: 2 * rolloutSeconds(rig.shape) + 120,
    }),
  ]
}

export const deletion: Scenario = async rig => {
  const names = namesOf(rig.shape)
  return [
    await measure(rig, {
      scenario: 'Module deletion',
      act: () => forEach(names, async name => void (await remove(rig.plane, moduleKind, keyOf(name)))),
      isDone: () => allGone(rig, names),
      deadlineSeconds: rolloutSeconds(rig.shape),
      quietSeconds: 3,
    }),
  ]
}

/** Without the other Modules: one with a version on all nodes, then the next version: every node is moved by its label, all at once. */
export const orderedUpgrade: Scenario = async rig => {
  const name = 'versioned'
  const shape: Shape = { ...rig.shape, modules: 1 }
  const [inner, deadlineSeconds]: [Rig, number] = [{ ...rig, shape }, 2 * rolloutSeconds(shape)]
  const variant = (version: string): ModuleVariant => ({ version, image: `v${version}` })
  const labelAll = (version: string) =>
    forEach([...rig.observer.nodes.keys()], node =>
      patchNode(rig.plane, node, { metadata: { labels: { [userVersionLabel(namespace, name)]: version } } }),
    )
  await deletion(rig)
  const found = [
    await measure(inner, {
      scenario: 'fresh rollout with a version',
      act: async () => {
        await labelAll('1')
        await create(rig.plane, moduleKind, benchModule(name, shape, variant('1')))
      },
      isDone: () => allLoaded(inner, [name], 'v1'),
      deadlineSeconds,
    }),
    await measure(inner, {
      scenario: 'ordered upgrade of all nodes',
      act: async () => {
        const { spec } = benchModule(name, shape, variant('2')) as { readonly spec: object }
        await merge(rig.plane, moduleKind, keyOf(name), { spec })
        await labelAll('2')
      },
      isDone: () => allLoaded(inner, [name], 'v2'),
      deadlineSeconds,
    }),
  ]
  await remove(rig.plane, moduleKind, keyOf(name))
  await measure(inner, {
    scenario: '(clean-up)',
    isDone: () => allGone(inner, [name]),
    deadlineSeconds,
    quietSeconds: 2,
  })
  return found
}

/** In the order in which they run, in a cluster where everything is rolled out, till the last one takes the Modules away. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  heartbeats,
  restart,
  nodeChanges,
  kernelChange,
  pacedRollout,
  orderedUpgrade,
}
