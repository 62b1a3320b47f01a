// The DaemonSets that we make are stored as they are stated: applied again they change nothing, and what is no longer stated goes.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { DaemonSet } from '../../src/core/cluster.ts'
import { resolveMapping } from '../../src/core/kernel/mapping.ts'
import { loaderDaemonSet } from '../../src/core/loading/daemonset.ts'
import { fieldManager } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { pluginDaemonSet } from '../../src/core/plugin/daemonset.ts'
import { daemonSets } from '../../src/core/resources.ts'
import { realClock } from '../../src/shell/clock.ts'
import { sendApply } from '../../src/shell/kube/apply.ts'
import { firstDifference } from '../../src/shell/kube/compare.ts'
import { aCanonicalModule, settings } from '../builders.ts'
import { controlPlaneForTests } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const stop = new AbortController().signal
const plane = await controlPlaneForTests()
const skip = 'skipped' in plane ? plane.skipped : false

async function apply(object: KubeObject): Promise<KubeObject> {
  const sender = { transport: (plane as ControlPlane).transport, clock: realClock, deadlineMs: 10_000 }
  const done = await sendApply(sender, daemonSets, object, 'main', fieldManager, stop)
  assert.ok(done.result === 'written' && done.object !== undefined)
  return done.object
}

/** Applies twice; the second time there is nothing to do, for us and for the server. */
async function settles(object: KubeObject): Promise<KubeObject> {
  const first = await apply(object)
  assert.equal(firstDifference(object, first, fieldManager), undefined)
  const second = await apply(object)
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  return second
}

const full = {
  container: {
    version: 'v1',
    imagePullPolicy: 'IfNotPresent',
    inTreeModuleToRemove: 'twin',
    modprobe: { moduleName: 'a', firmwarePath: '/firmware', modulesLoadingOrder: ['a', 'b'], parameters: ["x='é\n$'"] },
  },
  spec: {
    tolerations: [
      { key: 'gpu', operator: 'Exists', value: '', effect: 'NoSchedule' },
      { operator: 'Exists', tolerationSeconds: 0, effect: 'NoExecute' },
    ],
    imageRepoSecret: { name: 'pull' },
    devicePlugin: {
      serviceAccountName: 'plugin',
      container: {
        image: 'registry.example.com/plugin:1',
        command: [],
        args: ['-v'],
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
        ],
        imagePullPolicy: '',
        resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: {} },
        volumeMounts: [
          { name: 'c', mountPath: '/c', readOnly: false, subPath: '' },
          { name: 'p', mountPath: '/p', readOnly: true },
        ],
      },
      volumes: [
        { name: 'c', configMap: { name: 'c', optional: false, items: [{ key: 'a', path: 'b' }] } },
        {
          name: 'p',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } },
              { configMap: { name: 'x' } },
            ],
          },
        },
        { name: 'e', emptyDir: { medium: '', sizeLimit: '1024Mi' } },
        { name: 'h', hostPath: { path: '/h', type: '' } },
        { name: 'd', csi: { driver: 'd', readOnly: false, volumeAttributes: { readOnly: '' } } },
        { name: 'n', nfs: { server: 's', path: '/', readOnly: false } },
      ],
    },
  },
}

function moduleWith(options: Parameters<typeof aCanonicalModule>[0] = {}) {
  const base = aCanonicalModule({ namespace: 'default', ...(options.container ? { container: options.container } : {}) })
  return { ...base, spec: { ...base.spec, ...options.spec } } as typeof base
}

function loader(module: ReturnType<typeof moduleWith>, rest: { excludedNodes?: readonly string[]; adopted?: DaemonSet } = {}) {
  const kernel = '6.12.117+deb12-cloud-amd64'
  const spec = resolveMapping(module, kernel)
  assert.ok(!('code' in spec))
  const given = { ...settings, firmwareClassPath: '/var/lib/firmware' }
  return loaderDaemonSet({ module, spec, kernel, name: 'loader', excludedNodes: [], settings: given, ...rest })
}

const template = (object: KubeObject) => (object as DaemonSet).spec?.template?.spec ?? {}

describe('A real API server', { skip }, () => {
  after(async () => {
    await (plane as ControlPlane).stop()
  })
  it('stores the loader DaemonSet as stated, and takes back what is stated no more', async () => {
    const named = (account: string) => ({
      ...full.spec,
      moduleLoader: { ...moduleWith({ container: full.container }).spec.moduleLoader, serviceAccountName: account },
    })
    const rich = await settles(loader(moduleWith({ spec: named('own') }), { excludedNodes: ['n2', 'n1'] }))
    assert.equal(template(rich)['serviceAccountName'], 'own')
    const poor = await settles(loader(moduleWith({ spec: { ...named(''), tolerations: [] } }), { adopted: rich }))
    for (const field of ['serviceAccountName', 'serviceAccount', 'affinity', 'tolerations'])
      assert.equal(template(poor)[field], undefined, field)
  })

  it('stores the device-plugin DaemonSet as stated, whatever the user wrote, and takes it back', async () => {
    const module = moduleWith(full)
    const rich = await settles(pluginDaemonSet({ module, name: 'plugin', settings }))
    const container = { image: 'registry.example.com/plugin:2' }
    const bare = moduleWith({ container: full.container, spec: { devicePlugin: { container } } })
    const poor = await settles(pluginDaemonSet({ module: bare, name: 'plugin', adopted: rich, settings }))
    assert.deepEqual((template(poor)['volumes'] as readonly unknown[]).length, 1)
    assert.equal(template(poor)['serviceAccountName'], undefined)
  })
})
