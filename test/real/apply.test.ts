// The shell's writes on a real API server: what it writes it must not want to write again, and what it takes over it must own.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { resolveMapping } from '../../src/core/kernel/mapping.ts'
import { loaderDaemonSet } from '../../src/core/loading/daemonset.ts'
import { fieldManager } from '../../src/core/names.ts'
import { type KubeObject, keyOf, type Resource } from '../../src/core/object.ts'
import { pluginDaemonSet } from '../../src/core/plugin/daemonset.ts'
import { realClock } from '../../src/shell/clock.ts'
import { type Sender, sendApply, takeOver } from '../../src/shell/kube/apply.ts'
import { firstDifference } from '../../src/shell/kube/compare.ts'
import { objectPath } from '../../src/shell/kube/paths.ts'
import { sendRemoval } from '../../src/shell/kube/remove.ts'
import { aCanonicalModule, settings } from '../builders.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import { configMaps, daemonSets, nodes, pods } from './resources.ts'

const stop = new AbortController().signal
const register = onControlPlane({}, async plane => {
  const body = { metadata: { name: 'drivers' } }
  await plane.transport({ method: 'POST', path: '/api/v1/namespaces', body, deadlineMs: 5000 }, stop)
  await plane.addNodes({ count: 1, kernel: '6.1.0', prefix: 'apply' })
})
const real = (sentence: string, body: (sender: Sender) => Promise<void>) =>
  register(sentence, ({ transport }) => body({ transport, clock: realClock, deadlineMs: 5000 }))

const apply = async (sender: Sender, resource: Resource, object: KubeObject, part: 'main' | 'status' = 'main') => {
  const written = await sendApply(sender, resource, object, part, fieldManager, stop)
  assert.ok(written.result === 'written' && written.object !== undefined, JSON.stringify(written))
  return written.object
}

/** Sends as somebody else; the object in the answer. */
async function send(
  sender: Sender,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  path: string,
  body?: object,
  query: Record<string, string> = {},
): Promise<KubeObject> {
  const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}
  const response = await sender.transport(
    { method, path, query, ...(body === undefined ? {} : { body }), ...contentType, deadlineMs: 5000 },
    stop,
  )
  assert.ok(response.status < 300, JSON.stringify(response.body))
  return response.body as KubeObject
}

const loader = (more: object = {}, adds: object = {}) => {
  const module = aCanonicalModule({
    container: {
      modprobe: { moduleName: 'a', dirName: '/opt', firmwarePath: '/firmware', modulesLoadingOrder: ['a', 'b'], ...more },
    },
  })
  const spec = resolveMapping(module, '6.1.0')
  assert.ok(!('code' in spec))
  return loaderDaemonSet({ module, spec, kernel: '6.1.0', name: 'loader', excludedNodes: [], settings, ...adds })
}

function plugin(devicePlugin: object): KubeObject {
  const module = aCanonicalModule()
  const spec = { ...module.spec, devicePlugin, tolerations: [{ operator: 'Exists' }, { key: 'a', effect: 'NoSchedule' }] }
  return pluginDaemonSet({ module: { ...module, spec } as typeof module, name: 'plugin', settings })
}

const awkward: readonly (readonly [string, Resource, KubeObject])[] = [
  ['a loader DaemonSet', daemonSets, loader()],
  [
    'a loader DaemonSet that keeps away from nodes',
    daemonSets,
    { ...loader({}, { excludedNodes: ['b', 'a'] }), metadata: { ...loader().metadata, name: 'away' } },
  ],
  [
    'a device plugin with awkward values',
    daemonSets,
    plugin({
      container: {
        image: 'r.io/p',
        args: [],
        command: ['/p'],
        imagePullPolicy: '',
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1000m' } } },
          { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
        ],
        resources: { limits: { cpu: '1000m', memory: '1024Mi', 'example.com/dev': 1 }, requests: { cpu: 0.5, memory: '1e9' } },
        volumeMounts: [
          { name: 'c', mountPath: '/c', readOnly: false, subPath: '' },
          { name: 'p', mountPath: '/p' },
        ],
      },
      volumes: [
        { name: 'c', configMap: { name: 'c', defaultMode: 420, items: [] } },
        { name: 'e', emptyDir: { sizeLimit: '1024Mi', medium: '' } },
        { name: 'h', hostPath: { path: '/h' } },
        {
          name: 'p',
          projected: {
            sources: [
              { serviceAccountToken: { path: 't' } },
              { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
        { name: 'empty', emptyDir: {} },
      ],
    }),
  ],
  [
    'a ConfigMap with nothing in it',
    configMaps,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'empty', namespace: 'drivers', labels: {} },
      data: {},
    } as KubeObject,
  ],
]

describe('applying on a real API server', () => {
  for (const [what, resource, object] of awkward) {
    real(`${what}: what was written needs no second apply, and a second apply changes nothing`, async sender => {
      const first = await apply(sender, resource, object)
      assert.equal(firstDifference(object, first, fieldManager), undefined)
      const second = await apply(sender, resource, object)
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
    })
  }

  real('a label that somebody else changed or took needs an apply, and after it none', async sender => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'shared', namespace: 'drivers', labels: { a: '1', b: '2' } },
    }
    const path = objectPath(configMaps, keyOf(object))
    await apply(sender, configMaps, object)
    const changed = await send(sender, 'PATCH', path, { metadata: { labels: { a: 'x', c: '3' } } }, { fieldManager: 'person' })
    assert.match(firstDifference(object, changed, fieldManager) ?? '', /labels/)
    const mended = await apply(sender, configMaps, object)
    assert.deepEqual(mended.metadata.labels, { a: '1', b: '2', c: '3' })
    assert.equal(firstDifference(object, mended, fieldManager), undefined)
    // Same value, other owner: nothing to see, but a later release would leave the label behind.
    const taken = await send(sender, 'PATCH', path, { metadata: { labels: { a: 'y' } } }, { fieldManager: 'person' })
    const back = await send(sender, 'PATCH', path, { metadata: { labels: { a: '1' } } }, { fieldManager: 'person' })
    assert.notEqual(taken.metadata.resourceVersion, back.metadata.resourceVersion)
    assert.match(firstDifference(object, back, fieldManager) ?? '', /labels/)
  })

  real('a label no longer stated goes, with its difference said before', async sender => {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'less', namespace: 'drivers', labels: { a: '1', b: '2' } },
    }
    const first = await apply(sender, configMaps, object)
    const less = { ...object, metadata: { ...object.metadata, labels: { a: '1' } } }
    assert.notEqual(firstDifference(less, first, fieldManager), undefined)
    assert.deepEqual((await apply(sender, configMaps, less)).metadata.labels, { a: '1' })
  })

  real('a Node that is gone is not created by the labels meant for it, and its successor is not touched', async sender => {
    const stated = (name: string, uid: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid, labels: { x: '' } } })
    const uid = '11111111-2222-3333-4444-555555555555'
    for (const name of ['ghost', 'apply-0']) {
      assert.deepEqual(await sendApply(sender, nodes, stated(name, uid), 'main', fieldManager, stop), { result: 'gone' })
    }
    const ghost = await sender.transport({ method: 'GET', path: '/api/v1/nodes/ghost', deadlineMs: 5000 }, stop)
    assert.equal(ghost.status, 404)
    const node = await send(sender, 'GET', '/api/v1/nodes/apply-0')
    assert.equal(node.metadata.labels?.['x'], undefined)
    const labelled = await apply(sender, nodes, stated('apply-0', node.metadata.uid ?? ''))
    assert.equal(labelled.metadata.labels?.['x'], '')
  })
})

describe('taking over on a real API server', () => {
  real(
    'removes what the older operator stated and we do not, keeps what others own, and touches no pod template',
    async sender => {
      const wanted = loader()
      const named = { ...wanted, metadata: { ...wanted.metadata, name: 'taken' } }
      const old = { ...named, metadata: { ...named.metadata, labels: { ...named.metadata.labels, role: 'loader' } } }
      await send(sender, 'POST', '/apis/apps/v1/namespaces/drivers/daemonsets', old, { fieldManager: 'manager' })
      const path = objectPath(daemonSets, keyOf(named))
      const seen = await send(sender, 'PATCH', path, { metadata: { labels: { person: 'x' } } }, { fieldManager: 'person' })
      const former = [{ manager: 'manager' }]
      assert.match(firstDifference(named, seen, fieldManager, 'main', former) ?? '', /owned by manager/)
      const taken = await takeOver(sender, daemonSets, seen, former, 'main', fieldManager, stop)
      assert.equal(taken.result, 'written')
      const result = await apply(sender, daemonSets, named)
      assert.deepEqual([result.metadata.labels?.['role'], result.metadata.labels?.['person']], [undefined, 'x'])
      assert.equal(result.metadata.generation, seen.metadata.generation)
      assert.equal(firstDifference(named, result, fieldManager, 'main', former), undefined)
    },
  )
})

describe('removing on a real API server', () => {
  real('takes away only the very version that was seen', async sender => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old', namespace: 'drivers' } }
    const seen = await apply(sender, configMaps, object)
    const { uid = '', resourceVersion = '' } = seen.metadata
    const removal = { object: { ...object, name: 'old', namespace: 'drivers' }, uid, resourceVersion, because: 'test' }
    await send(sender, 'PATCH', objectPath(configMaps, keyOf(object)), { data: { a: 'b' } })
    assert.equal((await sendRemoval(sender, configMaps, removal, seen, stop)).result, 'again')
    const now = await send(sender, 'GET', objectPath(configMaps, keyOf(object)))
    const newer = { ...removal, resourceVersion: now.metadata.resourceVersion ?? '' }
    assert.equal((await sendRemoval(sender, configMaps, newer, now, stop)).result, 'written')
    assert.equal((await sendRemoval(sender, configMaps, newer, now, stop)).result, 'gone')
  })

  real('takes one finalizer off a pod that is being deleted, and leaves the others', async sender => {
    const pod = {
      metadata: { name: 'held', finalizers: ['a.example/x', 'b.example/y'] },
      spec: { nodeName: 'apply-0', containers: [{ name: 'a', image: 'b' }] },
    }
    const path = '/api/v1/namespaces/drivers/pods'
    await send(sender, 'POST', path, pod)
    await sender.transport({ method: 'DELETE', path: `${path}/held`, query: { gracePeriodSeconds: '0' }, deadlineMs: 5000 }, stop)
    const seen = await send(sender, 'GET', `${path}/held`)
    const { uid = '', resourceVersion = '' } = seen.metadata
    const object = { apiVersion: 'v1', kind: 'Pod', name: 'held', namespace: 'drivers' }
    const removal = { object, uid, resourceVersion, because: 'test', finalizer: 'b.example/y' }
    assert.equal((await sendRemoval(sender, pods, removal, seen, stop)).result, 'written')
    assert.equal((await sendRemoval(sender, pods, removal, seen, stop)).result, 'again')
    const left = await send(sender, 'GET', `${path}/held`)
    assert.deepEqual(left.metadata.finalizers, ['a.example/x'])
  })
})
