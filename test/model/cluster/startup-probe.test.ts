// Startup probes as a kubelet runs them: kubernetes, pkg/kubelet/prober; what a restart of the kubelet does to them, in old and new ones.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../../../src/core/object.ts'
import { pods } from '../../../src/core/resources.ts'
import type { ClusterOptions } from '../../../src/model/cluster.ts'
import { conditionOf, createWorld, image, type World } from './world.ts'

const sh = (script: string) => ['/bin/sh', '-c', script]
type Options = {
  readonly command?: string
  readonly preStop?: string
  readonly restartPolicy?: string
  readonly cluster?: ClusterOptions
  readonly probe?: object
}

/** A pod with a startup probe; both note what they do in files of the node. */
function probed(script: string, options: Options = {}): World {
  const world = createWorld({ loader: 'none', ...options.cluster })
  const { command = "trap 'exit 0' TERM; sleep infinity & wait", preStop = 'echo stop >> /notes/stops' } = options
  const container = {
    name: 'c',
    image,
    command: sh(`echo start >> /notes/starts; ${command}`),
    lifecycle: { preStop: { exec: { command: sh(preStop) } } },
    startupProbe: { exec: { command: sh(`echo probe >> /notes/probes; ${script}`) }, periodSeconds: 1, ...options.probe },
    volumeMounts: [{ name: 'notes', mountPath: '/notes' }],
  }
  const spec = {
    nodeName: 'one',
    restartPolicy: options.restartPolicy ?? 'Always',
    containers: [container],
    volumes: [{ name: 'notes', hostPath: { path: '/tmp' } }],
  }
  world.api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec } as KubeObject)
  world.until(() => world.state().running !== undefined)
  return world
}

const notes = (world: World, name: string): number => {
  const file = world.node('one').files.get(`/tmp/${name}`)
  return file?.kind === 'text' ? file.text.split('\n').length - 1 : 0
}
const readyOf = (world: World) => conditionOf(world.pod(), 'Ready')
const shown = (world: World) => [world.container().started, world.container().ready, readyOf(world)]
const messages = (world: World, reason: string) => world.events(reason).map(event => event.message)
const yes = [true, true, 'True']
const no = [false, false, 'False']

describe('a container with a startup probe', () => {
  it('runs, is not started and not ready until the probe succeeds, and is not probed any more then', () => {
    const world = probed('[ -e /notes/mark ]', { probe: { failureThreshold: 1000 } })
    world.clock.advance(10_000)
    assert.deepEqual(shown(world), no)
    assert.equal(world.pod().status?.phase, 'Running')
    assert.deepEqual(messages(world, 'Unhealthy'), ['Startup probe failed: '])
    assert.equal(notes(world, 'probes'), 10)
    world.node('one').files.write('/tmp/mark', { kind: 'text', text: '' })
    assert.ok(world.until(() => readyOf(world) === 'True') <= 1200)
    assert.deepEqual(shown(world), yes)
    const probes = notes(world, 'probes')
    world.clock.advance(600_000)
    assert.equal(notes(world, 'probes'), probes)
  })

  it('is ready within a second where the first probe succeeds', () => {
    const world = probed('true')
    assert.ok(world.until(() => readyOf(world) === 'True', 10) <= 1000)
    assert.equal(notes(world, 'probes'), 1)
  })

  it('has its condition and message as any container that is not ready', () => {
    const ready = probed('false')
      .pod()
      .status?.conditions?.find(condition => condition.type === 'Ready')
    assert.deepEqual([ready?.reason, ready?.message], ['ContainersNotReady', 'containers with unready status: [c]'])
  })

  it('is first probed when its initial delay is over', () => {
    const world = probed('true', { probe: { initialDelaySeconds: 30 } })
    const tookMs = world.until(() => readyOf(world) === 'True')
    assert.ok(tookMs > 27_000 && tookMs < 31_000, `${tookMs} ms`)
  })

  it('is stopped when the probe has failed too often, with its preStop hook, and started and probed anew', () => {
    const world = probed('[ $(wc -l < /notes/starts) -ge 2 ]', { probe: { failureThreshold: 5 } })
    world.until(() => world.container().restartCount === 1 && readyOf(world) === 'True')
    assert.deepEqual(messages(world, 'Killing'), ['Container c failed startup probe, will be restarted'])
    assert.equal(notes(world, 'stops'), 1)
    assert.equal(notes(world, 'probes'), 6)
    assert.equal(world.container().lastState?.terminated?.exitCode, 0)
  })

  it('is stopped for good where it is never restarted', () => {
    const world = probed('false', { restartPolicy: 'Never', command: 'exec sleep infinity', preStop: 'true' })
    world.until(() => world.pod().status?.phase === 'Failed')
    assert.deepEqual(messages(world, 'Killing'), ['Container c failed startup probe'])
    assert.equal(notes(world, 'probes'), 3)
    assert.equal(notes(world, 'starts'), 1)
  })

  it('takes a probe that lasts too long for a failed one, and ends it', () => {
    const world = probed('sleep 30; echo late >> /notes/late', { probe: { timeoutSeconds: 2, failureThreshold: 1000 } })
    world.clock.advance(60_000)
    const command = '/bin/sh -c echo probe >> /notes/probes; sleep 30; echo late >> /notes/late'
    assert.deepEqual(messages(world, 'Unhealthy'), [`Startup probe failed: command timed out: "${command}" timed out after 2s`])
    assert.equal(notes(world, 'late'), 0)
    assert.ok(notes(world, 'probes') >= 25 && notes(world, 'probes') <= 30)
  })

  it('takes a probe that cannot be run for no answer', () => {
    const world = probed('', { probe: { exec: { command: ['/no/such'] }, failureThreshold: 1 } })
    world.clock.advance(60_000)
    assert.deepEqual(shown(world), no)
    assert.match(messages(world, 'Unhealthy')[0] ?? '', /^Startup probe errored and resulted in unknown state: .*no such file/)
    assert.equal(world.container().restartCount, 0)
  })

  it('is not probed while it ends', () => {
    const world = probed('false', { preStop: 'sleep 10', probe: { failureThreshold: 1000 } })
    world.deletePod()
    world.clock.advance(1000)
    const probes = notes(world, 'probes')
    world.until(() => world.pods().length === 0)
    assert.equal(notes(world, 'probes'), probes)
  })
})

describe('a kubelet that is restarted', () => {
  const restart = (world: World) => {
    world.node('one').restartKubelet()
    const seen: string[] = []
    for (let ms = 0; ms < 20_000; ms += 50) {
      const now = `started ${world.container().started}, ready ${world.container().ready}`
      if (seen.at(-1) !== now) seen.push(now)
      world.clock.advance(50)
    }
    return seen
  }
  const yes = 'started true, ready true'
  const no = 'started false, ready false'

  for (const [says, startedContainers, ageMs, script, expected] of [
    ['leaves a started container as it is, since 1.35', 'left as they are', 60_000, 'true', [yes]],
    ['probes a started container again, before 1.35', 'probed again', 60_000, 'true', [yes, no, yes]],
    ['probes a container of the last seconds again, since 1.35', 'left as they are', 1000, 'true', [yes, no, yes]],
    ['tells a container ready that has not started, since 1.35', 'left as they are', 60_000, 'false', [no, yes]],
    ['tells it ready for a moment, before 1.35', 'probed again', 60_000, 'false', [no, yes, no]],
  ] as const) {
    it(says, () => {
      const world = probed(script, { cluster: { startedContainers }, probe: { failureThreshold: 1000 } })
      world.clock.advance(ageMs)
      const probes = notes(world, 'probes')
      assert.deepEqual(restart(world), expected)
      assert.equal(
        notes(world, 'probes') > probes,
        expected.length !== 1 && !(ageMs > 10_000 && startedContainers === 'left as they are'),
      )
      assert.equal(notes(world, 'starts'), 1)
    })
  }

  it('probes what a booted machine has started anew', () => {
    const world = probed('true')
    world.until(() => readyOf(world) === 'True')
    world.node('one').reboot()
    world.until(() => world.container().restartCount === 1 && readyOf(world) === 'True')
    assert.equal(notes(world, 'probes'), 2)
  })
})
