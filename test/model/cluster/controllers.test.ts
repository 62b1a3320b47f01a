// Jobs, the scheduler, the garbage collector, and the clock they all run on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import { daemonSets, events, jobs, nodes, pods } from '../../../src/core/resources.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { createWorld, image, isReady, loader, trapCommand, type World } from './world.ts'

const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }

const job = (script: string, spec: object = {}): KubeObject =>
  ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'build', namespace: 'default' },
    spec: {
      ...spec,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image, command: ['/bin/sh', '-c', script] }] } },
    },
  }) as KubeObject

type JobStatus = {
  readonly succeeded?: number
  readonly failed?: number
  readonly active?: number
  readonly conditions?: readonly { readonly type: string; readonly reason?: string }[]
  readonly completionTime?: string
}
const statusOf = (world: World): JobStatus =>
  (world.api.get(jobs, 'default/build') as KubeObject & { status?: JobStatus }).status ?? {}

describe('the Job controller', () => {
  it('runs a pod to its end and says Complete', () => {
    const world = createWorld({ loader: 'none' })
    world.api.create(jobs, job('sleep 10; exit 0'))
    world.clock.advance(5000)
    assert.equal(statusOf(world).active, 1)
    world.clock.advance(30_000)
    assert.equal(statusOf(world).succeeded, 1)
    assert.deepEqual(
      statusOf(world).conditions?.map(condition => condition.type),
      ['SuccessCriteriaMet', 'Complete'],
    )
    assert.ok(statusOf(world).completionTime)
    assert.equal(world.pod().status?.phase, 'Succeeded')
    assert.equal(world.pod().metadata.labels?.['job-name'], 'build')
  })

  it('tries again, ever slower, until backoffLimit is reached', () => {
    const world = createWorld({ loader: 'none' })
    world.api.create(jobs, job('exit 1', { backoffLimit: 2 }))
    world.until(() => statusOf(world).conditions !== undefined)
    assert.deepEqual(
      [statusOf(world).failed, statusOf(world).conditions?.at(-1)],
      [3, { ...statusOf(world).conditions?.at(-1), type: 'Failed', reason: 'BackoffLimitExceeded' }],
    )
    assert.ok(world.clock.monotonicMs() > 30_000)
    assert.equal(world.pods().length, 3)
  })

  it('gives up at its deadline', () => {
    const world = createWorld({ loader: 'none' })
    world.api.create(jobs, job('sleep 1000', { activeDeadlineSeconds: 60 }))
    world.until(() => statusOf(world).conditions !== undefined)
    assert.equal(statusOf(world).conditions?.at(-1)?.reason, 'DeadlineExceeded')
  })

  it('takes its pods along when it is deleted in the background', () => {
    const world = createWorld({ loader: 'none' })
    world.api.create(jobs, job('sleep 1000'))
    world.clock.advance(10_000)
    world.api.remove(jobs, 'default/build', { propagation: 'Background' })
    world.clock.advance(60_000)
    assert.equal(world.pods().length, 0)
  })
})

describe('the scheduler', () => {
  it('says why no node fits, and binds when one does', () => {
    const world = createWorld({
      loader: 'none',
      nodes: [{ name: 'one', taints: [{ key: 'mine', effect: 'NoSchedule' }] }, { name: 'two' }, { name: 'three' }],
    })
    world.node('three').cordon()
    world.clock.advance(1000)
    const spec = { containers: [{ name: 'c', image, command: ['daemon'] }], nodeSelector: { gpu: 'yes' } }
    world.api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec } as KubeObject)
    world.clock.advance(1000)
    const condition = world.pod().status?.conditions?.find(one => one.type === 'PodScheduled')
    assert.deepEqual([condition?.status, condition?.reason], ['False', 'Unschedulable'])
    assert.match(
      condition?.message ?? '',
      /^0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector\. no new claims to deallocate, preemption: 0\/3 nodes are available: 3 Preemption is not helpful for scheduling\.$/,
    )
    world.api.update(nodes, 'two', node => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, gpu: 'yes' } },
    }))
    world.clock.advance(1000)
    assert.equal(world.pod().spec?.nodeName, 'two')
    assert.equal(world.events('Scheduled')[0]?.message, 'Successfully assigned default/p to two')
  })

  it('counts taints and cordons apart', () => {
    const world = createWorld({
      loader: 'none',
      nodes: [{ name: 'one', taints: [{ key: 'mine', effect: 'NoSchedule' }] }, { name: 'two' }],
    })
    world.node('two').cordon()
    world.clock.advance(1000)
    const spec = { containers: [{ name: 'c', image }] }
    world.api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec } as KubeObject)
    world.clock.advance(1000)
    const message = world.pod().status?.conditions?.find(one => one.type === 'PodScheduled')?.message ?? ''
    assert.match(message, /1 node\(s\) had untolerated taint\(s\), 1 node\(s\) were unschedulable/)
  })
})

describe('the garbage collector', () => {
  const owned = (name: string, ...owners: readonly KubeObject[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: owners.map(owner => ({
        apiVersion: owner.apiVersion,
        kind: owner.kind,
        name: owner.metadata.name,
        uid: owner.metadata.uid ?? '',
        blockOwnerDeletion: true,
      })),
    },
  })
  const start = () => {
    const world = createWorld({ loader: 'none' })
    const make = (object: KubeObject) => world.api.create(configMaps, object)
    const names = () =>
      world.api
        .list(configMaps, 'default')
        .map(object => object.metadata.name)
        .filter(name => !name.startsWith('kube-'))
        .sort()
    return { world, make, names }
  }

  it('takes what an owner leaves, down to the last', () => {
    const { world, make, names } = start()
    const parent = make(owned('parent'))
    const child = make(owned('child', parent))
    make(owned('grandchild', child))
    world.api.remove(configMaps, 'default/parent')
    world.clock.advance(1000)
    assert.deepEqual(names(), [])
  })

  it('keeps what another owner still has, without the dangling reference', () => {
    const { world, make, names } = start()
    const [first, second] = [make(owned('first')), make(owned('second'))]
    make(owned('child', first, second))
    world.api.remove(configMaps, 'default/first')
    world.clock.advance(1000)
    assert.deepEqual(names(), ['child', 'second'])
    assert.deepEqual(
      world.api.get(configMaps, 'default/child')?.metadata.ownerReferences?.map(owner => owner.name),
      ['second'],
    )
  })

  it('an owner of the same name with another uid is none', () => {
    const { world, make, names } = start()
    const parent = make(owned('parent'))
    make(owned('child', { ...parent, metadata: { ...parent.metadata, uid: 'another' } }))
    world.clock.advance(1000)
    assert.deepEqual(names(), ['parent'])
  })

  it('in the foreground the owner goes last', () => {
    const { world, make, names } = start()
    const parent = make(owned('parent'))
    make({ ...owned('child', parent), metadata: { ...owned('child', parent).metadata, finalizers: ['example.com/held'] } })
    world.api.remove(configMaps, 'default/parent', { propagation: 'Foreground' })
    world.clock.advance(5000)
    assert.deepEqual(names(), ['child', 'parent'])
    world.api.update(configMaps, 'default/child', object => ({ ...object, metadata: { ...object.metadata, finalizers: [] } }))
    world.clock.advance(5000)
    assert.deepEqual(names(), [])
  })

  it('orphans what is told to stay', () => {
    const { world, make, names } = start()
    const parent = make(owned('parent'))
    make(owned('child', parent))
    world.api.remove(configMaps, 'default/parent', { propagation: 'Orphan' })
    world.clock.advance(1000)
    assert.deepEqual(names(), ['child'])
    assert.equal(world.api.get(configMaps, 'default/child')?.metadata.ownerReferences, undefined)
  })

  it('a DaemonSet takes its pods along', () => {
    const world = createWorld({ loader: { command: trapCommand } })
    world.until(() => isReady(world))
    world.api.remove(daemonSets, 'default/loader')
    world.clock.advance(20_000)
    assert.equal(world.pods().length, 0)
    assert.deepEqual(world.loadedOn('one'), [])
  })
})

describe('the clock', () => {
  it('fires in the order of time, then of creation, also what timers set', () => {
    const clock = createVirtualClock(0)
    const fired: string[] = []
    clock.after(20, () => fired.push('c'))
    clock.after(10, () => {
      fired.push('a')
      clock.after(5, () => fired.push('b'))
      clock.after(0, () => fired.push('now'))
    })
    clock.after(20, () => fired.push('d'))
    const cancel = clock.after(15, () => fired.push('never'))
    cancel()
    assert.equal(clock.pending(), 3)
    assert.equal(clock.nextInMs(), 10)
    assert.equal(clock.advanceToNext(), true)
    clock.advance(100)
    assert.deepEqual(fired, ['a', 'now', 'b', 'c', 'd'])
    assert.deepEqual([clock.nowMs(), clock.monotonicMs(), clock.advanceToNext(), clock.pending()], [110, 110, false, 0])
  })

  it('stops something that wakes itself without end', () => {
    const clock = createVirtualClock(0)
    const again = () => void clock.after(0, again)
    again()
    assert.throws(() => clock.advance(1), /stands still/)
  })
})

describe('a cluster', () => {
  const story = (): string => {
    const world = createWorld({ nodes: [{ name: 'one' }, { name: 'two' }, { name: 'three' }], loader: { command: trapCommand } })
    world.clock.advance(20_000)
    world.node('one').reboot()
    world.node('two').silence()
    world.clock.advance(100_000)
    world.node('two').restore()
    world.api.create(daemonSets, loader({ name: 'second', command: ['daemon'], postStart: 'exit 1', preStop: null }))
    world.clock.advance(200_000)
    return JSON.stringify([world.pods(), world.api.list(events), world.daemonSet(), world.api.list(nodes).map(keyOf)])
  }

  it('does the same twice', () => {
    assert.equal(story(), story())
  })

  it('rests when there is nothing to do', () => {
    const world = createWorld({ nodes: [{ name: 'one' }, { name: 'two' }], loader: { command: trapCommand } })
    world.clock.advance(60_000)
    assert.equal(world.clock.pending(), 0)
  })
})
