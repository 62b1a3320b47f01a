// KMM's own hooks in the model's containers: what decisions.md 12-14 promise of them, seen on simulated kubelets and kernels.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { containerScript, type Loading, loadScript, unloadScript } from '../../../src/core/loading/hooks.ts'
import { driverImage } from '../../../src/model/cluster/images.ts'
import {
  createWorld,
  image,
  isReady,
  kernel,
  type LoaderOptions,
  moduleA,
  moduleB,
  type World,
  type WorldOptions,
} from './world.ts'

const firmwareVolumes = {
  container: {
    volumeMounts: [
      { name: 'firmware', mountPath: '/var/lib/firmware' },
      { name: 'modules', mountPath: `/lib/modules/${kernel}`, readOnly: true },
      { name: 'path', mountPath: '/sys/module/firmware_class/parameters/path' },
    ],
  },
  pod: {
    volumes: [
      { name: 'firmware', hostPath: { path: '/var/lib/firmware', type: 'DirectoryOrCreate' } },
      { name: 'modules', hostPath: { path: `/lib/modules/${kernel}`, type: 'Directory' } },
      { name: 'path', hostPath: { path: '/sys/module/firmware_class/parameters/path' } },
    ],
  },
}

type Given = {
  readonly loading?: Partial<Omit<Loading, 'modprobe'>>
  readonly modprobe?: object
  readonly loader?: LoaderOptions
  readonly world?: WorldOptions
}

function start({ loading = {}, modprobe = {}, loader = {}, world = {} }: Given = {}): World {
  const all = {
    modprobe: { moduleName: 'kmm_ci_a', dirName: '/opt', firmwarePath: '', parameters: [], ...modprobe },
    ...loading,
  } as unknown as Loading
  return createWorld({
    loader: {
      command: ['/bin/sh', '-c', containerScript()],
      postStart: loadScript(all),
      preStop: unloadScript(all),
      graceSeconds: 600,
      finalizers: ['example.com/held'],
      ...loader,
    },
    ...world,
  })
}

const ended = (world: World) =>
  world.pods().find(pod => pod.metadata.deletionTimestamp !== undefined)?.status?.containerStatuses?.[0]?.state?.terminated
const bootId = (world: World) => world.node('one').kernel.bootId

describe('the hooks of a loader on the model', () => {
  it('load, say so in their first line, and unload', () => {
    const world = start()
    world.until(() => isReady(world))
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    world.deletePod()
    assert.ok(world.until(() => ended(world) !== undefined) < 5000)
    assert.deepEqual(
      [ended(world)?.exitCode, ended(world)?.message],
      [0, `kmm unloaded ${bootId(world)}\nrmmod kmm_ci_a\nrmmod kmm_ci_b\n`],
    )
    assert.deepEqual(
      world.events().filter(event => event.type === 'Warning'),
      [],
    )
  })

  it('tell the words of modprobe and of the kernel after a failure', () => {
    const world = start({ world: { nodes: [{ name: 'one', enforceSignatures: true }] } })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    const message = world.container().lastState?.terminated?.message ?? ''
    assert.ok(message.startsWith(`kmm load failed ${bootId(world)}\ninsmod /opt/`), message)
    assert.match(message, /Key was rejected by service\nkernel:\n[^]*Loading of unsigned module is rejected\n$/)
    assert.ok((world.state().waiting?.message ?? '').includes('Key was rejected by service'))
  })

  it('try once a second to unload what is in use, and do so when it is free', () => {
    const world = start()
    world.until(() => isReady(world))
    world.node('one').hold('kmm_ci_a')
    world.deletePod()
    world.clock.advance(120_000)
    assert.equal(ended(world), undefined)
    world.node('one').releaseHold('kmm_ci_a')
    assert.ok(world.until(() => ended(world) !== undefined) < 5000)
    assert.match(ended(world)?.message ?? '', /^kmm unloaded /)
  })

  it('give up 30 s before the grace period ends, and leave the reason', () => {
    const world = start()
    world.until(() => isReady(world))
    world.node('one').hold('kmm_ci_a')
    world.deletePod()
    const tookMs = world.until(() => ended(world) !== undefined)
    assert.ok(tookMs > 565_000 && tookMs < 580_000, `${tookMs} ms`)
    assert.ok(
      (ended(world)?.message ?? '').startsWith(
        `kmm unload failed ${bootId(world)}\nmodprobe: FATAL: Module kmm_ci_a is in use.\n`,
      ),
    )
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    assert.equal(world.events('FailedPreStopHook').length, 1)
  })

  it('unload nothing when the load failed', () => {
    const world = start({ world: { modules: [], nodes: [{ name: 'one', hostModules: [{ name: 'kmm_ci_a', loaded: true }] }] } })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    world.clock.advance(600_000)
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a'])
  })

  it('load again when the kubelet was restarted during postStart (kubernetes/kubernetes#122803)', () => {
    // The model's modprobe takes a minute here, so that the hook can be cut.
    const world = start({ world: { speeds: { moduleMs: 60_000 } } })
    world.clock.advance(20_000)
    world.node('one').restartKubelet()
    world.until(() => isReady(world))
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
    assert.equal(world.container().restartCount, 1)
    assert.equal(world.container().lastState?.terminated?.exitCode, 1)
  })

  it('load again after a reboot', () => {
    const world = start()
    world.until(() => isReady(world))
    const before = bootId(world)
    world.node('one').reboot()
    world.until(() => world.container().restartCount === 1 && isReady(world))
    assert.match(world.container().lastState?.terminated?.message ?? '', new RegExp(`^kmm loaded ${before}\n`))
    assert.deepEqual(world.loadedOn('one'), ['kmm_ci_a', 'kmm_ci_b'])
  })

  it('remove the in-tree twin with the modules of the host, but not a driver of ours', () => {
    const world = start({
      loading: { inTreeModuleToRemove: 'dummy' },
      modprobe: { moduleName: 'dummy_oot' },
      world: {
        modules: [{ name: 'dummy_oot', registers: 'dummy' }],
        nodes: [{ name: 'one', hostModules: [{ name: 'dummy', registers: 'dummy', loaded: true }] }],
      },
    })
    world.until(() => isReady(world))
    assert.deepEqual(world.loadedOn('one'), ['dummy_oot'])
  })

  it('copy firmware, set the search path, and take both files and empty directories away again', () => {
    const world = start({
      loading: { firmwareClassPath: '/var/lib/firmware' },
      modprobe: { firmwarePath: '/firmware' },
      loader: firmwareVolumes,
      world: { modules: [{ name: 'kmm_ci_a', firmware: ['vendor/a.bin'] }] },
    })
    world.registry.push(
      image,
      driverImage({
        kernel,
        modules: [{ name: 'kmm_ci_a', firmware: ['vendor/a.bin'] }],
        firmware: { 'vendor/a.bin': 'bits', 'b.bin': 'more' },
      }),
    )
    world.until(() => isReady(world))
    const { files } = world.node('one')
    assert.deepEqual(files.list('/var/lib/firmware'), ['b.bin', 'vendor'])
    assert.equal(world.node('one').kernel.firmwareClassPath, '/var/lib/firmware')
    world.deletePod()
    world.until(() => ended(world) !== undefined)
    assert.match(ended(world)?.message ?? '', /^kmm unloaded /)
    // The pod has ended but is held: Kubernetes 1.36 has started another one beside it.
    world.clock.advance(300)
    assert.deepEqual(world.loadedOn('one'), [])
    assert.deepEqual(files.list('/var/lib/firmware'), [])
  })

  it('need neither dmesg nor a readable kernel log', () => {
    const world = start({
      world: {
        modules: [{ ...moduleA }, { ...moduleB, missingSymbols: ['gone'] }],
        nodes: [{ name: 'one', kernelLog: 'restricted' }],
      },
    })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.doesNotMatch(world.container().lastState?.terminated?.message ?? '', /kernel:/)
  })
})
