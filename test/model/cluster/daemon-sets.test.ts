import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import { daemonSets, nodes, pods } from '../../../src/core/resources.ts'
import { driverImage } from '../../../src/model/cluster/images.ts'
import { createWorld, isReady, kernel, loader, moduleA, type World, type WorldOptions } from './world.ts'

const quick = { postStart: null, preStop: null, command: ['daemon'] } as const
const three = [{ name: 'one' }, { name: 'two' }, { name: 'three' }]

type Taint = { readonly key: string; readonly value?: string; readonly effect: string }

const taint = (world: World, name: string, taints: readonly Taint[]) =>
  world.api.update(nodes, name, node => ({ ...node, spec: { ...(node as { spec?: object }).spec, taints } }) as KubeObject)
const label = (world: World, name: string, labels: Readonly<Record<string, string>>) =>
  world.api.update(nodes, name, node => ({
    ...node,
    metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...labels } },
  }))
const change = (world: World, template: (spec: Readonly<Record<string, unknown>>) => object) =>
  world.api.update(daemonSets, 'default/loader', object => {
    const { spec } = object as KubeObject & { spec: { template: { spec: Readonly<Record<string, unknown>> } } }
    return { ...object, spec: { ...spec, template: { ...spec.template, spec: template(spec.template.spec) } } } as KubeObject
  })
const nodesOf = (world: World) =>
  world
    .pods()
    .map(pod => pod.spec?.nodeName ?? '')
    .sort()
const settled = (options: WorldOptions = {}) => {
  const world = createWorld({ nodes: three, loader: quick, ...options })
  world.clock.advance(20_000)
  return world
}

describe('the DaemonSet controller', () => {
  it('runs one pod on each node and counts them', () => {
    const world = settled()
    assert.deepEqual(nodesOf(world), ['one', 'three', 'two'])
    assert.deepEqual(world.daemonSet().status, {
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      observedGeneration: 1,
      updatedNumberScheduled: 3,
    })
    const owner = world.pods()[0]?.metadata.ownerReferences?.[0]
    assert.deepEqual([owner?.kind, owner?.name, owner?.controller], ['DaemonSet', 'loader', true])
  })

  it('tolerates by itself what DaemonSets tolerate', () => {
    const world = settled()
    const tolerated = (
      world.pods()[0] as KubeObject & { spec: { tolerations: { key: string; effect: string }[] } }
    ).spec.tolerations.map(one => `${one.key}:${one.effect}`)
    for (const wanted of [
      'not-ready:NoExecute',
      'unreachable:NoExecute',
      'disk-pressure:NoSchedule',
      'memory-pressure:NoSchedule',
      'pid-pressure:NoSchedule',
      'unschedulable:NoSchedule',
    ]) {
      assert.ok(tolerated.includes(`node.kubernetes.io/${wanted}`), wanted)
    }
  })

  const placements: readonly { readonly name: string; readonly pod: object; readonly where: readonly string[] }[] = [
    { name: 'nodeSelector', pod: { nodeSelector: { gpu: 'yes' } }, where: ['one'] },
    {
      name: 'affinity by label',
      pod: terms([{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }]),
      where: ['one', 'two'],
    },
    {
      name: 'affinity by name, In',
      pod: terms([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['two'] }] }]),
      where: ['two'],
    },
    {
      name: 'affinity by name, NotIn',
      pod: terms([{ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['two'] }] }]),
      where: ['one', 'three'],
    },
    {
      name: 'terms are alternatives',
      pod: terms([
        { matchExpressions: [{ key: 'gpu', operator: 'In', values: ['yes'] }] },
        { matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }] },
      ]),
      where: ['one', 'three'],
    },
  ]
  for (const { name, pod, where } of placements) {
    it(`places pods by ${name}`, () => {
      const world = createWorld({
        nodes: [{ name: 'one', labels: { gpu: 'yes' } }, { name: 'two', labels: { gpu: 'no' } }, { name: 'three' }],
        loader: { ...quick, pod },
      })
      world.clock.advance(20_000)
      assert.deepEqual(nodesOf(world), where)
    })
  }

  it('a NoSchedule taint keeps new pods away and leaves running ones; NoExecute takes them', () => {
    const world = settled()
    taint(world, 'one', [{ key: 'mine', effect: 'NoSchedule' }])
    world.clock.advance(20_000)
    assert.deepEqual(nodesOf(world), ['one', 'three', 'two'])
    assert.deepEqual(
      [
        world.daemonSet().status?.desiredNumberScheduled,
        (world.daemonSet().status as { numberMisscheduled?: number }).numberMisscheduled,
      ],
      [2, 1],
    )
    taint(world, 'one', [{ key: 'mine', effect: 'NoExecute' }])
    world.clock.advance(20_000)
    assert.deepEqual(nodesOf(world), ['three', 'two'])
  })

  it('a cordon and a drain change nothing', () => {
    const world = settled()
    const before = nodesOf(world)
    world.node('one').drain()
    world.clock.advance(60_000)
    assert.deepEqual(nodesOf(world), before)
    assert.equal(world.daemonSet().status?.desiredNumberScheduled, 3)
  })

  it('a label that goes takes the pod, one that comes brings it', () => {
    const world = createWorld({ nodes: three, loader: { ...quick, pod: { nodeSelector: { gpu: 'yes' } } } })
    world.clock.advance(5000)
    assert.deepEqual(nodesOf(world), [])
    label(world, 'two', { gpu: 'yes' })
    world.clock.advance(10_000)
    assert.deepEqual(nodesOf(world), ['two'])
    label(world, 'two', { gpu: 'no' })
    world.clock.advance(10_000)
    assert.deepEqual(nodesOf(world), [])
  })

  it('OnDelete: a new template touches no pod; a deleted pod comes back with it', () => {
    const world = settled()
    const before = world.pods().map(pod => pod.metadata.uid)
    change(world, spec => ({ ...spec, priorityClassName: 'other' }))
    world.clock.advance(60_000)
    assert.deepEqual(
      world.pods().map(pod => pod.metadata.uid),
      before,
    )
    assert.equal((world.daemonSet().status as { updatedNumberScheduled?: number }).updatedNumberScheduled, undefined)
    assert.equal(world.daemonSet().status?.observedGeneration, 2)
    const [first] = world.pods()
    assert.ok(first)
    world.api.remove(pods, keyOf(first))
    world.clock.advance(10_000)
    assert.equal((world.daemonSet().status as { updatedNumberScheduled?: number }).updatedNumberScheduled, 1)
  })

  it('RollingUpdate: replaces pods, never more than maxUnavailable at a time', () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } }
    const world = settled({ loader: { ...quick, strategy } })
    const before = new Set(world.pods().map(pod => pod.metadata.uid))
    change(world, spec => ({ ...spec, priorityClassName: 'other' }))
    let fewest = 3
    world.until(() => {
      fewest = Math.min(fewest, world.daemonSet().status?.numberAvailable ?? 0)
      return isReady(world) && world.pods().length === 3 && world.pods().every(pod => !before.has(pod.metadata.uid))
    })
    assert.equal(fewest, 2)
  })

  it('a pod that is ending keeps the next one away; one that has ended and is held frees the node (Kubernetes 1.36)', () => {
    const world = createWorld({ loader: { ...quick, command: ['sleep', 'infinity'], finalizers: ['example.com/held'] } })
    world.until(() => isReady(world))
    world.deletePod()
    world.clock.advance(25_000)
    assert.equal(world.pods().length, 1)
    world.clock.advance(20_000)
    assert.deepEqual(
      world
        .pods()
        .map(pod => String(pod.metadata.deletionTimestamp !== undefined))
        .sort(),
      ['false', 'true'],
    )
  })

  it('with older controllers the held pod keeps the node', () => {
    const world = createWorld({ endedPods: 'keep the node', loader: { ...quick, finalizers: ['example.com/held'] } })
    world.until(() => isReady(world))
    world.deletePod()
    world.clock.advance(120_000)
    assert.equal(world.pods().length, 1)
  })

  it('deletes a failed pod and makes another one, slower each time', () => {
    const world = createWorld({ loader: quick })
    world.until(() => isReady(world))
    const uids = new Set<string | undefined>()
    for (let failure = 0; failure < 200; failure++) {
      const [pod] = world.pods()
      if (pod !== undefined && pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== 'Failed') {
        uids.add(pod.metadata.uid)
        world.api.updateStatus(
          pods,
          keyOf(pod),
          object => ({ ...object, status: { ...(object as typeof pod).status, phase: 'Failed' } }) as KubeObject,
        )
      }
      world.clock.advance(300)
    }
    assert.ok(uids.size > 3 && uids.size < 12, `${uids.size} pods in a minute`)
    assert.ok(world.events('FailedDaemonPod').length > 0)
  })

  it('adopts pods that match and have no controller, and lets go those that no longer match', () => {
    const world = settled()
    world.api.remove(daemonSets, 'default/loader', { propagation: 'Orphan' })
    world.clock.advance(2000)
    const uids = world.pods().map(pod => pod.metadata.uid)
    assert.equal(uids.length, 3)
    assert.equal(world.pods()[0]?.metadata.ownerReferences, undefined)
    world.api.create(daemonSets, loader(quick))
    world.clock.advance(10_000)
    assert.deepEqual(
      world.pods().map(pod => pod.metadata.uid),
      uids,
    )
    assert.equal(world.pods()[0]?.metadata.ownerReferences?.[0]?.uid, world.daemonSet().metadata.uid)
    const [first] = world.pods()
    assert.ok(first)
    world.api.update(pods, keyOf(first), pod => ({ ...pod, metadata: { ...pod.metadata, labels: { app: 'other' } } }))
    world.clock.advance(10_000)
    assert.equal(world.pods().length, 4)
    assert.equal(world.pods().find(pod => pod.metadata.uid === first.metadata.uid)?.metadata.ownerReferences, undefined)
  })

  it('keeps the pods of a NotReady node and counts them as unavailable no more', () => {
    const world = settled()
    world.node('one').silence()
    world.clock.advance(400_000)
    assert.deepEqual(nodesOf(world), ['one', 'three', 'two'])
    assert.deepEqual([world.daemonSet().status?.desiredNumberScheduled, world.daemonSet().status?.numberReady], [2, 2])
  })

  it('tells in an event when a pod cannot be created', () => {
    const world = createWorld({
      loader: 'none',
      api: {
        admit: ({ resource, operation }) => ({
          allowed: resource.kind !== 'Pod' || operation !== 'CREATE',
          message: 'exceeded quota',
        }),
      },
    })
    world.api.create(daemonSets, loader(quick))
    world.clock.advance(30_000)
    assert.match(world.events('FailedCreate')[0]?.message ?? '', /^Error creating: .*exceeded quota/)
    assert.equal(world.pods().length, 0)
  })

  it('shares nothing between two DaemonSets with different labels', () => {
    const world = settled()
    world.registry.push('registry.example/other:1', driverImage({ kernel, modules: [moduleA] }))
    world.api.create(daemonSets, loader({ ...quick, name: 'second' }))
    world.clock.advance(20_000)
    assert.equal(world.pods().length, 6)
    assert.equal(world.daemonSet('second').status?.numberReady, 3)
  })
})

function terms(nodeSelectorTerms: readonly object[]): object {
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } }
}
