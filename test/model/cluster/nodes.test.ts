// What happens to nodes: silence, reboot, restart of the kubelet, cordon, drain, removal.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import { nodes, pods } from '../../../src/core/resources.ts'
import { conditionOf, createWorld, image, isReady, kernel, nodeOf, trapCommand, type World, type WorldOptions } from './world.ts'

const taintsOf = (world: World, name: string) =>
  (nodeOf(world, name).spec?.taints ?? []).map(taint => `${taint.key}:${taint.effect}`).sort()
const ready = (options: WorldOptions = {}) => {
  const world = createWorld({ loader: { command: trapCommand }, ...options })
  world.until(() => isReady(world))
  return world
}
const lonely = (world: World, spec: object = {}) =>
  world.api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'lonely', namespace: 'default' },
    spec: { containers: [{ name: 'c', image, command: ['daemon'] }], ...spec },
  } as KubeObject)

describe('a silent node', () => {
  it('is given up after 40 s: Ready=Unknown, taints, and Ready=False on every pod of it', () => {
    const world = ready()
    world.node('one').silence()
    world.clock.advance(39_000)
    assert.equal(conditionOf(nodeOf(world, 'one'), 'Ready'), 'True')
    world.clock.advance(3000)
    assert.equal(conditionOf(nodeOf(world, 'one'), 'Ready'), 'Unknown')
    assert.deepEqual(taintsOf(world, 'one'), [
      'node.kubernetes.io/unreachable:NoExecute',
      'node.kubernetes.io/unreachable:NoSchedule',
    ])
    assert.equal(conditionOf(world.pod(), 'Ready'), 'False')
    assert.equal(world.container().ready, true)
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
  })

  it('comes back: taints go, pods are Ready again without a restart', () => {
    const world = ready()
    const { uid } = world.pod().metadata
    world.node('one').silence()
    world.clock.advance(600_000)
    world.node('one').restore()
    world.clock.advance(15_000)
    assert.equal(conditionOf(nodeOf(world, 'one'), 'Ready'), 'True')
    assert.deepEqual(taintsOf(world, 'one'), [])
    assert.deepEqual(
      [world.pod().metadata.uid, conditionOf(world.pod(), 'Ready'), world.container().restartCount],
      [uid, 'True', 0],
    )
  })

  it('that comes back within 40 s was never away', () => {
    const world = ready()
    const before = nodeOf(world, 'one').metadata.resourceVersion
    world.node('one').silence()
    world.clock.advance(30_000)
    world.node('one').restore()
    world.clock.advance(60_000)
    assert.equal(nodeOf(world, 'one').metadata.resourceVersion, before)
  })

  it('a delete waits until it is back; the module stays meanwhile', () => {
    const world = ready()
    world.node('one').silence()
    world.deletePod()
    world.clock.advance(600_000)
    assert.equal(world.pods().length, 1)
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    world.node('one').restore()
    world.until(() => world.loadedOn('one').length === 0)
    world.until(() => world.pods().every(pod => pod.metadata.deletionTimestamp === undefined) && isReady(world))
  })

  it('loses pods that tolerate nothing after 300 s, and keeps those of DaemonSets', () => {
    const world = ready()
    lonely(world)
    world.clock.advance(10_000)
    world.node('one').silence()
    world.clock.advance(330_000)
    assert.ok(world.pods().every(pod => pod.metadata.deletionTimestamp === undefined))
    world.clock.advance(20_000)
    assert.deepEqual(
      world
        .pods()
        .filter(pod => pod.metadata.deletionTimestamp !== undefined)
        .map(pod => pod.metadata.name),
      ['lonely'],
    )
  })
})

describe('a node', () => {
  it('registers with its kernel and boot id, and writes nothing while nothing changes', () => {
    const world = ready()
    const node = nodeOf(world, 'one')
    assert.deepEqual(
      [node.status?.nodeInfo?.kernelVersion, node.status?.nodeInfo?.bootID],
      [kernel, world.node('one').kernel.bootId],
    )
    world.clock.advance(3_600_000)
    assert.equal(nodeOf(world, 'one').metadata.resourceVersion, node.metadata.resourceVersion)
  })

  it('reboots: new boot id, an empty kernel, containers restarted with the words of their last run', () => {
    const world = ready({
      loader: {
        command: trapCommand,
        postStart: 'modprobe -d /opt kmm_ci_a; cat /proc/sys/kernel/random/boot_id > /dev/termination-log',
      },
    })
    const { bootId } = world.node('one').kernel
    const { uid } = world.pod().metadata
    world.node('one').reboot()
    world.clock.advance(10_000)
    assert.equal(nodeOf(world, 'one').status?.nodeInfo?.bootID, bootId)
    world.until(() => nodeOf(world, 'one').status?.nodeInfo?.bootID !== bootId)
    assert.deepEqual(world.loadedOn('one'), [])
    world.until(() => world.container().restartCount === 1 && isReady(world))
    const last = world.container().lastState?.terminated
    assert.deepEqual(
      [world.pod().metadata.uid, last?.exitCode, last?.reason, last?.message],
      [uid, 255, 'Unknown', `${bootId}\n`],
    )
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
  })

  it('reboots into another kernel: the image holds no module for it', () => {
    const world = ready({
      loader: { command: trapCommand, pod: { volumes: [{ name: 'modules', hostPath: { path: '/lib/modules' } }] } },
    })
    world.node('one').reboot({ kernel: '6.12.117+deb12-cloud-amd64' })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.match(
      world.state().waiting?.message ?? '',
      /not found in directory \/opt\/lib\/modules\/6\.12\.117\+deb12-cloud-amd64/,
    )
    assert.equal(nodeOf(world, 'one').status?.nodeInfo?.kernelVersion, '6.12.117+deb12-cloud-amd64')
  })

  it('on an image-based system the old kernel takes its directory with it', () => {
    const world = ready()
    world.node('one').reboot({ kernel: '6.12.0', oldModules: 'drop' })
    world.until(() => world.events('FailedMount').length > 0)
  })

  it('a pod that was being deleted when the power went ends with exit code 255 and its last words', () => {
    const world = ready({
      loader: {
        finalizers: ['example.com/held'],
        preStop: 'echo unloading > /dev/termination-log; sleep 100',
        graceSeconds: 600,
      },
    })
    world.deletePod()
    world.clock.advance(10_000)
    world.node('one').reboot()
    world.until(() => world.pods().some(pod => pod.status?.phase === 'Failed'))
    const ended = world.pods().find(pod => pod.status?.phase === 'Failed')?.status?.containerStatuses?.[0]?.state?.terminated
    assert.deepEqual([ended?.exitCode, ended?.message], [255, 'unloading\n'])
  })

  it('a restarted kubelet restarts no container and resets its back-off', () => {
    const world = createWorld({ modules: [], loader: { graceSeconds: 2 } })
    world.until(() => (world.state().waiting?.message ?? '').startsWith('back-off 5m0s'))
    const { restartCount = 0 } = world.container()
    world.node('one').restartKubelet()
    world.until(() => world.state().terminated !== undefined)
    assert.ok(world.until(() => (world.container().restartCount ?? 0) > restartCount) < 15_000)
    const good = ready()
    good.node('one').restartKubelet()
    good.clock.advance(60_000)
    assert.deepEqual([isReady(good), good.container().restartCount, good.loadedOn('one').length], [true, 0, 2])
  })

  it('a kubelet that was being restarted when the power went comes back with the machine, not before', () => {
    const world = ready()
    world.node('one').restartKubelet()
    world.clock.advance(1000)
    world.node('one').powerOff()
    world.clock.advance(60_000)
    assert.deepEqual([conditionOf(nodeOf(world, 'one'), 'Ready'), world.container().restartCount], ['Unknown', 0])
    world.node('one').powerOn()
    world.until(() => world.container().restartCount === 1 && isReady(world))
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
  })

  it('a kubelet that is restarted while preStop runs runs it again', () => {
    const world = ready({
      loader: {
        command: trapCommand,
        finalizers: ['example.com/held'],
        preStop: 'sleep 20; modprobe -r -d /opt kmm_ci_a; echo done > /dev/termination-log',
        graceSeconds: 600,
      },
    })
    world.deletePod()
    world.clock.advance(10_000)
    world.node('one').restartKubelet()
    world.clock.advance(12_000)
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    world.until(() => world.pods().some(pod => pod.status?.containerStatuses?.[0]?.state?.terminated !== undefined))
    assert.equal(world.pods()[0]?.status?.containerStatuses?.[0]?.state?.terminated?.message, 'done\n')
  })

  it('is tainted by a cordon; a drain takes pods without a DaemonSet', () => {
    const world = ready()
    lonely(world)
    world.clock.advance(10_000)
    world.node('one').drain()
    world.clock.advance(40_000)
    assert.deepEqual(taintsOf(world, 'one'), ['node.kubernetes.io/unschedulable:NoSchedule'])
    assert.equal(world.pods().length, 1)
    assert.equal(isReady(world), true)
    world.node('one').uncordon()
    world.clock.advance(1000)
    assert.deepEqual(taintsOf(world, 'one'), [])
  })

  it('that is not ready is tainted and runs nothing new', () => {
    const world = createWorld({ nodes: [{ name: 'one', ready: false }] })
    world.clock.advance(60_000)
    assert.deepEqual(taintsOf(world, 'one'), [
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/not-ready:NoSchedule',
    ])
    assert.equal(world.pods().length, 0)
    world.node('one').setReady(true)
    world.until(() => isReady(world))
  })

  it('that is removed loses its pods after 40 s; a finalizer keeps the object', () => {
    const world = ready({
      nodes: [{ name: 'one' }, { name: 'two' }],
      loader: { command: trapCommand, finalizers: ['example.com/held'] },
    })
    world.node('two').remove()
    world.clock.advance(35_000)
    assert.ok(world.pods().every(pod => pod.metadata.deletionTimestamp === undefined))
    world.clock.advance(10_000)
    const gone = world.pods().find(pod => pod.spec?.nodeName === 'two')
    assert.ok(gone?.metadata.deletionTimestamp)
    assert.deepEqual(
      [gone.status?.phase, gone.status?.conditions?.find(condition => condition.type === 'DisruptionTarget')?.reason],
      ['Failed', 'DeletionByPodGC'],
    )
    world.api.update(pods, keyOf(gone), pod => ({ ...pod, metadata: { ...pod.metadata, finalizers: [] } }))
    world.clock.advance(1000)
    assert.equal(world.pods().length, 1)
  })

  it('of an old name is a new one: another uid, another boot, nothing loaded', () => {
    const world = ready()
    const before = nodeOf(world, 'one').metadata.uid
    const { bootId } = world.node('one').kernel
    world.node('one').remove()
    world.clock.advance(1000)
    world.addNode({ name: 'one', kernel })
    assert.notEqual(nodeOf(world, 'one').metadata.uid, before)
    assert.notEqual(world.node('one').kernel.bootId, bootId)
    world.until(() => world.pods().length === 1 && isReady(world) && world.loadedOn('one').length === 2)
  })

  it('has the firmware that a container copies to it, where the kernel is told to look', () => {
    const modules = [{ name: 'kmm_ci_a', firmware: ['vendor/a.bin'] }]
    const postStart =
      'mkdir -p /var/lib/firmware/vendor; echo bits > /var/lib/firmware/vendor/a.bin; printf %s /var/lib/firmware > /firmware-path; modprobe -d /opt kmm_ci_a'
    const pod = {
      volumes: [
        { name: 'modules', hostPath: { path: '/var/lib/firmware', type: 'DirectoryOrCreate' } },
        { name: 'path', hostPath: { path: '/sys/module/firmware_class/parameters/path' } },
      ],
    }
    const container = {
      volumeMounts: [
        { name: 'modules', mountPath: '/var/lib/firmware' },
        { name: 'path', mountPath: '/firmware-path' },
      ],
    }
    const world = ready({ modules, loader: { command: trapCommand, postStart, pod, container } })
    assert.equal(world.node('one').files.get('/var/lib/firmware/vendor/a.bin')?.kind, 'text')
    assert.equal(world.node('one').kernel.firmwareClassPath, '/var/lib/firmware')
  })
})

describe('taints of people', () => {
  it('NoExecute takes pods without a toleration at once, others when their time is over', () => {
    const world = createWorld({ loader: 'none' })
    lonely(world, { tolerations: [{ key: 'mine', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }] })
    world.clock.advance(10_000)
    world.api.update(nodes, 'one', node => ({ ...node, spec: { taints: [{ key: 'mine', effect: 'NoExecute' }] } }) as KubeObject)
    world.clock.advance(55_000)
    assert.equal(world.pods()[0]?.metadata.deletionTimestamp, undefined)
    world.clock.advance(10_000)
    assert.equal(world.pods().length, 0)
  })
})
