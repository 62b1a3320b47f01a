// Where no further pod has room: on a node, by the setting of its kubelet, and in a namespace, by a quota.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import { daemonSets, jobs, pods } from '../../../src/core/resources.ts'
import { type QuotaObject, quotaKind } from '../../../src/model/api/quota.ts'
import { asPod } from '../../../src/model/cluster/pod-spec.ts'
import { createWorld, image, loader, type World } from './world.ts'

describe('the number of pods that a node takes', () => {
  const server = (name: string) =>
    ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'c', image, command: ['sleep', 'infinity'] }] },
    }) as KubeObject
  const nodeOf = (world: World, name: string) => asPod(world.api.get(pods, `default/${name}`) as KubeObject).spec?.nodeName

  it('keeps further ones waiting, and says so, until one has gone', () => {
    const world = createWorld({ loader: 'none', nodes: [{ name: 'small', kernel: '6.1.0', maxPods: 1 }] })
    world.api.create(pods, server('first'))
    world.clock.advance(1000)
    world.api.create(pods, server('second'))
    world.clock.advance(1000)
    const condition = asPod(world.api.get(pods, 'default/second') as KubeObject).status?.conditions?.[0]
    // As a kube-scheduler 1.36 said it of a node with `pods: 0`.
    const words =
      '0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'
    assert.deepEqual([condition?.type, condition?.reason, condition?.message], ['PodScheduled', 'Unschedulable', words])
    world.api.remove(pods, 'default/first')
    world.clock.advance(120_000)
    assert.equal(nodeOf(world, 'second'), 'small')
  })

  it('does not include pods that have ended', () => {
    const world = createWorld({ loader: 'none', nodes: [{ name: 'small', kernel: '6.1.0', maxPods: 1 }] })
    world.api.create(pods, server('first'))
    world.clock.advance(1000)
    world.api.updateStatus(pods, 'default/first', found => ({ ...found, status: { phase: 'Succeeded' } }) as KubeObject)
    world.api.create(pods, server('second'))
    world.clock.advance(1000)
    assert.equal(nodeOf(world, 'second'), 'small')
  })
})

describe('a quota', () => {
  const quota = (hard: object) =>
    ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' }, spec: { hard } }) as KubeObject
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image, command: ['true'] }] } }
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'build', namespace: 'default' },
    spec: { template },
  } as KubeObject
  const usedIn = (world: World) => {
    const found: QuotaObject | undefined = world.api.get(quotaKind, 'default/q')
    return found?.status
  }

  it('is counted, charged, and gets back what pods leave: the DaemonSet then makes the pod that was refused', () => {
    const world = createWorld({ nodes: ['one', 'two'].map(name => ({ name, kernel: '6.1.0' })), loader: 'none' })
    const hard = { pods: '1' }
    world.api.create(quotaKind, quota(hard))
    world.clock.advance(1000)
    assert.deepEqual(usedIn(world), { hard, used: { pods: '0' } })
    world.api.create(
      daemonSets,
      loader({ postStart: null, preStop: null, pod: { volumes: [] }, container: { volumeMounts: [] } }),
    )
    world.clock.advance(10_000)
    assert.equal(world.pods().length, 1)
    assert.deepEqual(usedIn(world), { hard, used: { pods: '1' } })
    assert.match(
      world.events('FailedCreate')[0]?.message ?? '',
      /^Error creating: pods "loader-[a-z0-9]{5}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1$/,
    )
    world.api.update(quotaKind, 'default/q', found => ({ ...found, spec: { hard: { pods: '2' } } }) as KubeObject)
    world.clock.advance(900_000)
    assert.equal(world.pods().length, 2)
    for (const pod of world.pods()) world.api.remove(pods, keyOf(pod))
    world.api.remove(daemonSets, 'default/loader')
    world.clock.advance(120_000)
    assert.deepEqual(usedIn(world), { hard: { pods: '2' }, used: { pods: '0' } })
  })

  it('does not count pods that have ended, but for count/pods', () => {
    const world = createWorld({ loader: 'none' })
    world.api.create(quotaKind, quota({ pods: '5', 'count/pods': '5' }))
    world.clock.advance(1000)
    world.api.create(jobs, job)
    world.clock.advance(60_000)
    assert.equal(world.pod().status?.phase, 'Succeeded')
    assert.deepEqual(usedIn(world)?.used, { pods: '0', 'count/pods': '1' })
  })
})
