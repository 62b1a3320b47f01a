// The lines of kubelet-facts.md about unloading and the way out, and what else ends a pod.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyOf } from '../../../src/core/object.ts'
import { daemonSets, pods } from '../../../src/core/resources.ts'
import { conditionOf, createWorld, isReady, type LoaderOptions, trapCommand, type World, type WorldOptions } from './world.ts'

const held = ['example.com/held']

/** A ready loader whose DaemonSet is then deleted: what is left is the pod, held by its finalizer. */
function deleted(
  options: WorldOptions,
  before: (world: World) => void = () => {},
): { readonly world: World; readonly tookMs: number; readonly unloadedMs: number | undefined } {
  const world = createWorld(options)
  world.until(() => isReady(world))
  before(world)
  world.api.remove(daemonSets, 'default/loader')
  const startMs = world.clock.nowMs()
  let unloadedMs: number | undefined
  world.until(() => {
    if (unloadedMs === undefined && world.loadedOn('one').length === 0) unloadedMs = world.clock.nowMs() - startMs
    return world.state().terminated !== undefined
  })
  const tookMs = world.clock.nowMs() - startMs
  world.clock.advance(5000)
  return { world, tookMs, unloadedMs }
}

const inUse: LoaderOptions = {
  finalizers: held,
  postStart: 'modprobe -d /opt kmm_ci_b',
  preStop: 'modprobe -rv -d /opt kmm_ci_b',
}

describe('unloading, as kubelet-facts.md says', () => {
  it('7: a good stop unloads within 3 s, but ends only after the grace period as Failed, exit code 137', () => {
    const { world, tookMs, unloadedMs } = deleted({ loader: { finalizers: held } })
    assert.ok(unloadedMs !== undefined && unloadedMs <= 3000, `unloaded after ${unloadedMs} ms`)
    assert.ok(tookMs >= 30_000 && tookMs <= 35_000, `ended after ${tookMs} ms`)
    const pod = world.pod()
    assert.equal(pod.status?.phase, 'Failed')
    const end = world.state().terminated
    assert.deepEqual([end?.exitCode, end?.reason, end?.message], [137, 'Error', undefined])
    assert.equal(pod.status?.conditions?.find(condition => condition.type === 'Ready')?.reason, 'PodFailed')
    assert.equal(pod.metadata.deletionGracePeriodSeconds, 0)
    assert.deepEqual(
      world.events('Killing').map(event => event.message),
      ['Stopping container module-loader'],
    )
    assert.equal(world.events('FailedPreStopHook').length, 0)
  })

  it('7: with a TERM trap the whole stop takes about 4 s and ends as Succeeded', () => {
    const { world, tookMs } = deleted({ loader: { finalizers: held, command: trapCommand } })
    assert.ok(tookMs <= 5000, `ended after ${tookMs} ms`)
    assert.equal(world.pod().status?.phase, 'Succeeded')
    assert.deepEqual([world.state().terminated?.exitCode, world.state().terminated?.reason], [0, 'Completed'])
  })

  it('8: a failed preStop changes nothing in the status; one event without text; no retry; the module stays', () => {
    const { world } = deleted({ loader: inUse }, one => one.node('one').hold('kmm_ci_b'))
    const end = world.state().terminated
    assert.deepEqual([world.pod().status?.phase, end?.exitCode, end?.reason, end?.message], ['Failed', 137, 'Error', undefined])
    assert.deepEqual(
      world.events('FailedPreStopHook').map(event => [event.message, (event as { count?: number }).count]),
      [['PreStopHook failed', 1]],
    )
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_b'])
  })

  it('9: the words of a failed unload stay in state.terminated.message while the finalizer holds the pod', () => {
    const preStop = 'modprobe -rv -d /opt kmm_ci_b > /dev/termination-log 2>&1'
    const { world } = deleted({ loader: { ...inUse, preStop, command: trapCommand } }, one => one.node('one').hold('kmm_ci_b'))
    assert.equal(world.state().terminated?.message, 'modprobe: FATAL: Module kmm_ci_b is in use.\n')
    world.clock.advance(600_000)
    assert.equal(world.state().terminated?.message, 'modprobe: FATAL: Module kmm_ci_b is in use.\n')
  })

  it('9: on success the file holds the -v lines', () => {
    const preStop = 'modprobe -rv -d /opt kmm_ci_a > /dev/termination-log 2>&1'
    const { world } = deleted({ loader: { finalizers: held, preStop, command: trapCommand } })
    assert.equal(world.state().terminated?.message, 'rmmod kmm_ci_a\nrmmod kmm_ci_b\n')
  })
})

describe('the end of a pod', () => {
  it('removes the object when no finalizer holds it', () => {
    const world = createWorld({ loader: { command: trapCommand } })
    world.until(() => isReady(world))
    world.api.remove(daemonSets, 'default/loader')
    assert.ok(world.until(() => world.pods().length === 0) < 6000)
  })

  it('kills a hook that is not done when the grace period is over, and says so in an event', () => {
    const world = createWorld({
      loader: {
        preStop: 'trap "" TERM; while :; do sleep 1; echo again > /dev/termination-log; done',
        graceSeconds: 20,
        finalizers: held,
      },
    })
    world.until(() => isReady(world))
    world.api.remove(daemonSets, 'default/loader')
    const tookMs = world.until(() => world.state().terminated !== undefined)
    // The kubelet gives a container never less than 2 s after TERM.
    assert.ok(tookMs >= 22_000 && tookMs <= 25_000, `${tookMs} ms`)
    assert.equal(world.state().terminated?.message, 'again\n')
    assert.equal(world.events('FailedPreStopHook').length, 1)
  })

  it('a shorter grace period given later is kept', () => {
    const world = createWorld({ loader: { preStop: 'sleep 500', graceSeconds: 600, finalizers: held } })
    world.until(() => isReady(world))
    world.deletePod()
    world.clock.advance(10_000)
    world.deletePod({ gracePeriodSeconds: 5 })
    assert.ok(
      world.until(() =>
        world.pods().some(pod => pod.metadata.deletionTimestamp !== undefined && pod.status?.phase === 'Failed'),
      ) < 10_000,
    )
  })

  it('a pod that is deleted while postStart runs is shown Ready for its last moments, and preStop runs', () => {
    const world = createWorld({
      loader: {
        postStart: 'sleep 60; modprobe -d /opt kmm_ci_a',
        preStop: 'echo stopped > /dev/termination-log',
        finalizers: held,
        command: trapCommand,
      },
    })
    world.clock.advance(20_000)
    world.api.remove(daemonSets, 'default/loader')
    let wasReady = false
    world.until(() => {
      wasReady ||= conditionOf(world.pod(), 'Ready') === 'True'
      return world.state().terminated !== undefined
    }, 10)
    assert.equal(wasReady, true)
    assert.equal(world.state().terminated?.message, 'stopped\n')
    assert.deepEqual(world.loadedOn('one'), [])
    assert.deepEqual(
      world
        .events()
        .filter(event => event.type === 'Warning')
        .map(event => event.reason),
      ['FailedPostStartHook', 'FailedPreStopHook'],
    )
  })

  it('a pod that is deleted in CrashLoopBackOff ends with the state of its last run', () => {
    const postStart = 'echo refused > /dev/termination-log; exit 1'
    const world = createWorld({ loader: { postStart, finalizers: held, graceSeconds: 2 } })
    world.until(() => world.state().waiting?.reason === 'CrashLoopBackOff')
    world.api.remove(daemonSets, 'default/loader')
    world.until(() => world.pod().status?.phase === 'Failed')
    assert.deepEqual([world.state().terminated?.exitCode, world.state().terminated?.message], [137, 'refused\n'])
  })

  it('a pod whose container was never made ends as ContainerStatusUnknown', () => {
    const world = createWorld({ loader: { image: 'registry.example/none:1', finalizers: held } })
    world.until(() => world.state().waiting?.reason === 'ErrImagePull')
    world.api.remove(daemonSets, 'default/loader')
    world.until(() => world.state().terminated !== undefined)
    assert.deepEqual([world.state().terminated?.reason, world.state().terminated?.exitCode], ['ContainerStatusUnknown', 137])
  })

  it('a forced delete takes the object at once; the container is ended a moment later', () => {
    const world = createWorld({ loader: { strategy: { type: 'OnDelete' } } })
    world.until(() => isReady(world))
    const [pod] = world.pods()
    assert.ok(pod)
    world.api.remove(daemonSets, 'default/loader', { propagation: 'Orphan' })
    world.clock.advance(1000)
    world.api.remove(pods, keyOf(pod), { gracePeriodSeconds: 0 })
    assert.equal(world.pods().length, 0)
    world.clock.advance(10_000)
    assert.deepEqual(world.loadedOn('one'), [])
  })
})
