// The lines of kubelet-facts.md about loading, one by one. The measured times come from a slow machine; the model's steps are given.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { conditionOf, createWorld, image, isReady, kernel, moduleA, moduleB, trapCommand } from './world.ts'

const missing = { modules: [] }
const text = `modprobe: FATAL: Module kmm_ci_a not found in directory /opt/lib/modules/${kernel}`

describe('loading, as kubelet-facts.md says', () => {
  it('1: while the hook runs, and during the kill after it failed, the state stays "waiting: ContainerCreating"', () => {
    const world = createWorld(missing)
    const seen = new Set<string>()
    const tookMs = world.until(() => {
      seen.add(world.pods().length === 0 ? '' : (world.state().waiting?.reason ?? 'none'))
      return world.events('FailedPostStartHook').length > 0
    })
    const killMs = world.until(() => {
      seen.add(world.state().waiting?.reason ?? '')
      return world.state().waiting?.reason === 'PostStartHookError'
    })
    assert.ok(tookMs > 2000 && killMs >= 30_000)
    assert.deepEqual([...seen].filter(reason => reason !== '' && reason !== 'none').sort(), [
      'ContainerCreating',
      'PostStartHookError',
    ])
  })

  it('2: after a failure the reason is PostStartHookError with the full text of modprobe', () => {
    const world = createWorld(missing)
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    const pod = world.pod()
    const command = '/bin/sh -c modprobe -v -d /opt kmm_ci_a'
    assert.equal(
      world.state().waiting?.message,
      `Exec lifecycle hook ([${command}]) for Container "module-loader" in Pod "${pod.metadata.name}_default(${pod.metadata.uid})" failed - error: command '${command}' exited with 1: ${text}\n, message: "${text}\\n"`,
    )
    assert.equal(pod.status?.phase, 'Running')
    assert.equal(world.container().restartCount, 0)
    const end = world.container().lastState?.terminated
    assert.deepEqual([end?.exitCode, end?.reason, end?.message], [137, 'Error', undefined])
  })

  it('2: it is visible for the whole second attempt, then for a second or two after each failure', () => {
    const world = createWorld({ ...missing, speeds: { startMs: 10_000, execMs: 4000 } })
    const durations: number[] = []
    for (let failure = 0; failure < 4; failure++) {
      world.until(() => world.state().waiting?.reason === 'PostStartHookError')
      durations.push(world.until(() => world.state().waiting?.reason !== 'PostStartHookError'))
      assert.match(world.state().waiting?.message ?? '', /^back-off (\d+m)?\d+s restarting failed container=module-loader pod=/)
    }
    assert.ok((durations[0] ?? 0) > 45_000 && (durations[0] ?? 0) < 55_000, `first ${durations[0]} ms`)
    for (const later of durations.slice(1)) assert.ok(later >= 1000 && later <= 2000, `later ${later} ms`)
  })

  it('3: the events carry no cause', () => {
    const world = createWorld(missing)
    world.clock.advance(300_000)
    const words = world
      .events()
      .filter(event => ['FailedPostStartHook', 'FailedPreStopHook', 'Killing', 'BackOff'].includes(event.reason ?? ''))
    const pod = world.pod()
    assert.deepEqual(
      new Set(words.map(event => `${event.type} ${event.reason}: ${event.message}`)),
      new Set([
        'Warning FailedPostStartHook: PostStartHook failed',
        'Normal Killing: FailedPostStartHook',
        'Warning FailedPreStopHook: PreStopHook failed',
        `Warning BackOff: Back-off restarting failed container module-loader in pod ${pod.metadata.name}_default(${pod.metadata.uid})`,
      ]),
    )
    assert.ok(world.events().every(event => !(event.message ?? '').includes('modprobe')))
  })

  it('4: attempts follow after 0, 10, 20, 40, 80, 160, 300 and 300 s, each held by a grace period of 30 s', () => {
    const world = createWorld(missing)
    const starts: number[] = []
    const ends: number[] = []
    for (let attempt = 0; attempt < 9; attempt++) {
      world.until(() => world.container().lastState?.terminated !== undefined && world.container().restartCount === attempt)
      const end = world.container().lastState?.terminated
      starts.push(Date.parse(end?.startedAt ?? ''))
      ends.push(Date.parse(end?.finishedAt ?? ''))
    }
    const gaps = starts.slice(1).map((start, index) => Math.round((start - (ends[index] ?? 0)) / 1000))
    for (const [index, wanted] of [0, 10, 20, 40, 80, 160, 300, 300].entries()) {
      assert.ok((gaps[index] ?? -1) >= wanted && (gaps[index] ?? 999) <= wanted + 4, `gap ${index} is ${gaps[index]} s`)
    }
    for (const [index, start] of starts.entries()) assert.ok((ends[index] ?? 0) - start >= 30_000)
  })

  it('4: with a grace period of 2 s an attempt takes a few seconds', () => {
    const world = createWorld({ ...missing, loader: { graceSeconds: 2 } })
    assert.ok(world.until(() => world.state().waiting?.reason === 'PostStartHookError') < 15_000)
  })

  it('5: preStop runs after every failed postStart, and unloads what somebody else has loaded', () => {
    const world = createWorld({
      nodes: [{ name: 'one', hostModules: [{ name: 'victim', loaded: true }] }],
      modules: [],
      loader: { postStart: 'false', preStop: 'modprobe -r victim' },
    })
    assert.deepEqual(world.loadedOn('one'), ['victim'])
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.deepEqual(world.loadedOn('one'), [])
  })

  it('6: a refused dependency is told under the name of the module that was asked for', () => {
    const world = createWorld({
      nodes: [{ name: 'one', enforceSignatures: true, trustedKeys: ['ours'] }],
      modules: [{ ...moduleA, signer: 'ours' }, moduleB],
    })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    const message = world.state().waiting?.message ?? ''
    assert.ok(
      message.includes(
        `message: "insmod /opt/lib/modules/${kernel}/extra/kmm_ci_b.ko \\nmodprobe: ERROR: could not insert 'kmm_ci_a': Key was rejected by service\\n"`,
      ),
      message,
    )
    assert.ok(world.node('one').kernel.log.at(-1)?.endsWith('Loading of unsigned module is rejected'))
  })

  it('6a: a kubelet that is restarted while postStart runs makes the container Ready without a driver', () => {
    const world = createWorld({ loader: { postStart: 'sleep 60; modprobe -d /opt kmm_ci_a' } })
    world.clock.advance(20_000)
    assert.equal(isReady(world), false)
    world.node('one').restartKubelet()
    world.clock.advance(120_000)
    assert.equal(isReady(world), true)
    assert.equal(world.container().restartCount, 0)
    assert.deepEqual(world.loadedOn('one'), [])
  })

  it('9: a hook that writes to /dev/termination-log leaves its words in lastState through all of CrashLoopBackOff', () => {
    const world = createWorld({ ...missing, loader: { postStart: 'modprobe -v -d /opt kmm_ci_a > /dev/termination-log 2>&1' } })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.match(world.state().waiting?.message ?? '', /exited with 1: , message: ""$/)
    for (let look = 0; look < 60; look++) {
      assert.equal(world.container().lastState?.terminated?.message, `${text}\n`)
      world.clock.advance(10_000)
    }
    assert.equal(world.state().waiting?.reason, 'CrashLoopBackOff')
  })

  it('9: the kubelet keeps the last 4096 bytes', () => {
    const world = createWorld({
      loader: {
        command: [
          '/bin/sh',
          '-c',
          'i=0; while [ $i -lt 600 ]; do printf "%08d\\n" $i; i=$((i+1)); done > /dev/termination-log; exit 3',
        ],
        postStart: null,
        preStop: null,
      },
    })
    world.until(() => world.state().terminated !== undefined)
    const end = world.state().terminated
    assert.equal(end?.message?.length, 4096)
    assert.ok(end?.message?.endsWith('00000599\n'))
    assert.equal(end?.exitCode, 3)
  })

  it('a good load: Ready only when the module is in the kernel', () => {
    const world = createWorld({ loader: { command: trapCommand } })
    world.until(() => {
      if (isReady(world)) return true
      assert.notEqual(world.pods().length > 0 && conditionOf(world.pod(), 'Ready'), 'True')
      return false
    })
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    assert.equal(world.node('one').kernel.loaded.get('kmm_ci_a')?.image, image)
    assert.deepEqual(
      world.events('Pulled').map(event => event.message),
      [`Successfully pulled image "${image}" in 2s (2s including waiting)`],
    )
  })

  it('after ten minutes without a failure the back-off begins anew', () => {
    const world = createWorld({ loader: { command: ['/bin/sh', '-c', 'sleep 1300; exit 1'], postStart: null, preStop: null } })
    for (let restart = 1; restart <= 3; restart++) {
      world.until(() => world.container().restartCount === restart && world.state().running !== undefined, 1000)
      const gapMs =
        Date.parse(world.state().running?.startedAt ?? '') - Date.parse(world.container().lastState?.terminated?.finishedAt ?? '')
      assert.ok(gapMs < 5000, `restart ${restart} came after ${gapMs} ms`)
    }
  })
})
