// Pulling, mounting and starting, in the words of a real kubelet and containerd.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../../../src/core/object.ts'
import { pods } from '../../../src/core/resources.ts'
import { busyboxFiles, driverImage } from '../../../src/model/cluster/images.ts'
import { createWorld, image, isReady, kernel, moduleA, moduleB, trapCommand } from './world.ts'

const secrets = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }
const none = 'registry.example/none:1'

describe('a kubelet', () => {
  it('tells a missing image, backs off, and goes on when the image is there', () => {
    const world = createWorld({ loader: { image: none, command: trapCommand } })
    world.until(() => world.state().waiting?.reason === 'ErrImagePull')
    const words = `rpc error: code = NotFound desc = failed to pull and unpack image "${none}": failed to resolve reference "${none}": ${none}: not found`
    assert.equal(world.state().waiting?.message, words)
    world.until(() => world.state().waiting?.reason === 'ImagePullBackOff')
    assert.equal(world.state().waiting?.message, `Back-off pulling image "${none}": ErrImagePull: ${words}`)
    assert.deepEqual(
      new Set(world.events('Failed').map(event => event.message)),
      new Set([`Failed to pull image "${none}": ${words}`, 'Error: ErrImagePull', 'Error: ImagePullBackOff']),
    )
    assert.equal(world.pod().status?.phase, 'Pending')
    world.clock.advance(120_000)
    world.registry.push(none, driverImage({ kernel, modules: [moduleA, moduleB] }))
    assert.ok(world.until(() => isReady(world)) <= 310_000)
  })

  it('needs the credentials of a protected registry', () => {
    const auth = Buffer.from('user:word').toString('base64')
    const world = createWorld({ loader: { command: trapCommand, pod: { imagePullSecrets: [{ name: 'pull' }] } } })
    world.registry.protect('registry.example', { username: 'user', password: 'word' })
    world.until(() => world.state().waiting?.reason === 'ErrImagePull')
    assert.match(world.state().waiting?.message ?? '', /pull access denied.*no basic auth credentials$/)
    const data = {
      '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'registry.example': { auth } } })).toString('base64'),
    }
    world.api.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'pull', namespace: 'default' },
      type: 'kubernetes.io/dockerconfigjson',
      data,
    } as KubeObject)
    world.until(() => isReady(world))
  })

  it('fails on one node only where the registry is broken for that node', () => {
    const world = createWorld({ nodes: [{ name: 'one' }, { name: 'two' }], loader: { command: trapCommand } })
    world.registry.fail(image, 'dial tcp: i/o timeout', 'two')
    world.clock.advance(30_000)
    assert.equal(world.daemonSet().status?.numberReady, 1)
    world.registry.mend(image)
    world.until(() => isReady(world))
  })

  it('does not start a container whose host directory is missing, and says so in an event', () => {
    const world = createWorld({
      loader: { pod: { volumes: [{ name: 'modules', hostPath: { path: '/lib/modules/other', type: 'Directory' } }] } },
    })
    world.clock.advance(60_000)
    assert.equal(world.state().waiting?.reason, 'ContainerCreating')
    assert.deepEqual(
      world.events('FailedMount').map(event => event.message),
      ['MountVolume.SetUp failed for volume "modules" : hostPath type check failed: /lib/modules/other is not a directory'],
    )
  })

  it('says when the image has no shell for the hook', () => {
    const world = createWorld({ loader: { graceSeconds: 2 } })
    world.registry.push(image, { files: { '/bin/sleep': { kind: 'binary', program: 'sleep' } } })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.match(world.state().waiting?.message ?? '', /exec: "\/bin\/sh": stat \/bin\/sh: no such file or directory/)
  })

  it('says when the image has no program to start', () => {
    const world = createWorld({ loader: { command: ['daemonx'] } })
    world.until(() => world.state().waiting?.reason === 'RunContainerError')
    assert.match(world.state().waiting?.message ?? '', /exec: "daemonx": executable file not found in \$PATH/)
    assert.deepEqual(
      [world.container().lastState?.terminated?.exitCode, world.container().lastState?.terminated?.reason],
      [128, 'StartError'],
    )
  })

  it('runs busybox with its own modprobe, which ignores -d', () => {
    const world = createWorld({ loader: { graceSeconds: 2 } })
    world.registry.push(image, driverImage({ kernel, modules: [moduleA, moduleB], base: busyboxFiles() }))
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.match(world.state().waiting?.message ?? '', /modprobe: module kmm_ci_a not found in modules.dep/)
  })

  it('gives no module to a container without CAP_SYS_MODULE', () => {
    const world = createWorld({ loader: { graceSeconds: 2, container: { securityContext: {} } } })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.match(world.state().waiting?.message ?? '', /could not insert 'kmm_ci_a': Operation not permitted/)
  })

  it('shows a container that ended by itself, restarts it at once, then with a back-off', () => {
    const world = createWorld({ loader: { command: ['/bin/sh', '-c', 'sleep 5; exit 3'], postStart: null, preStop: null } })
    world.until(() => world.state().terminated !== undefined)
    assert.deepEqual([world.state().terminated?.exitCode, world.state().terminated?.reason], [3, 'Error'])
    world.until(() => world.container().restartCount === 1 && world.state().running !== undefined)
    world.until(() => world.state().waiting?.reason === 'CrashLoopBackOff')
    assert.match(world.state().waiting?.message ?? '', /^back-off 10s/)
  })

  it('starts a restarted container afresh from the image', () => {
    const command = ['/bin/sh', '-c', '[ -e /dev/mark ] || [ -e /mark ] && exit 9; touch /dev/mark /mark; sleep 5; exit 1']
    const world = createWorld({ loader: { command, postStart: null, preStop: null } })
    world.until(() => world.container().restartCount === 3, 1000)
    assert.equal(world.container().lastState?.terminated?.exitCode, 1)
  })

  it('runs init containers one after the other before the others', () => {
    const container = (name: string, script: string) => ({ name, image, command: ['/bin/sh', '-c', script] })
    const spec = {
      nodeName: 'one',
      restartPolicy: 'Never',
      initContainers: [container('a', 'exit 0'), container('b', 'sleep 5')],
      containers: [container('c', 'exit 0')],
    }
    const world = createWorld({ loader: 'none' })
    world.api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec } as KubeObject)
    world.until(() => world.pod().status?.phase === 'Succeeded')
    assert.ok(world.clock.monotonicMs() > 5000)
  })

  it('gives the downward API, ConfigMaps and Secrets as files', () => {
    const mounts = { volumeMounts: [{ name: 'order', mountPath: '/etc/modprobe.d', readOnly: true }] }
    const volumes = [
      { name: 'order', downwardAPI: { items: [{ path: 'softdep.conf', fieldRef: { fieldPath: "metadata.labels['app']" } }] } },
    ]
    const world = createWorld({
      loader: {
        postStart: 'cat /etc/modprobe.d/softdep.conf > /dev/termination-log; exit 1',
        graceSeconds: 2,
        container: mounts,
        pod: { volumes },
      },
    })
    world.until(() => world.state().waiting?.reason === 'PostStartHookError')
    assert.equal(world.container().lastState?.terminated?.message, 'loader')
  })

  it('rejects a pod whose node does not match when it arrives', () => {
    const world = createWorld({ loader: 'none' })
    const spec = { nodeName: 'one', nodeSelector: { gpu: 'yes' }, containers: [{ name: 'c', image }] }
    world.api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec } as KubeObject)
    world.clock.advance(1000)
    assert.deepEqual([world.pod().status?.phase, world.pod().status?.reason], ['Failed', 'NodeAffinity'])
  })
})
