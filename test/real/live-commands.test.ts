// The commands that ask and change a live cluster, on a real API server: pages, patches and their refusals are its own.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { labels, podFinalizer } from '../../src/core/names.ts'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import { runKmm } from '../cli/run-kmm.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const stop = new AbortController().signal
const podsPath = '/api/v1/namespaces/drivers/pods'
const modulesPath = '/apis/kmm.sigs.x-k8s.io/v1beta1/namespaces/drivers/modules'

type Body = {
  readonly message?: string
  readonly metadata?: { readonly annotations?: object; readonly finalizers?: readonly string[] }
}
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

async function ask(plane: ControlPlane, method: Method, path: string, body?: object) {
  const isStatus = path.endsWith('/status')
  const answer = await plane.transport(
    {
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(isStatus ? { contentType: 'application/merge-patch+json' } : {}),
      deadlineMs: 10_000,
    },
    stop,
  )
  return { status: answer.status, body: answer.body as Body }
}

async function made(plane: ControlPlane, method: Method, path: string, body?: object): Promise<void> {
  const { status, body: said } = await ask(plane, method, path, body)
  assert.ok(status < 300, `${method} ${path}: ${status} ${said.message ?? ''}`)
}

async function eventually(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await isTrue()) return
    await delay(100)
  }
  assert.fail(`${what} did not come`)
}

/** A loader pod of the Module as its kubelet would have left it: ended, with these words, and still there. */
async function endedPod(plane: ControlPlane, name: string, words: string): Promise<void> {
  await made(plane, 'POST', podsPath, {
    metadata: {
      name,
      labels: { [labels.moduleName]: 'driver', [labels.kernel]: '6.1.0-18-generic' },
      annotations: { 'kmm.node.kubernetes.io/reload-inputs': 'inputs' },
      finalizers: ['example.com/other', podFinalizer],
    },
    spec: { nodeName: 'worker-1', containers: [{ name: 'module-loader', image: 'registry.example.com/driver:1' }] },
  })
  const at = '2026-01-01T00:00:00Z'
  const ended = { exitCode: 137, reason: 'Error', message: words, startedAt: at, finishedAt: at }
  await made(plane, 'PATCH', `${podsPath}/${name}/status`, {
    status: {
      phase: 'Failed',
      containerStatuses: [
        { name: 'module-loader', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: ended } },
      ],
    },
  })
  await made(plane, 'DELETE', `${podsPath}/${name}`, { gracePeriodSeconds: 0 })
}

const real = onControlPlane({}, async plane => {
  for (const crd of customResourceDefinitions())
    await made(plane, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  await made(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'drivers' } })
  await made(plane, 'POST', '/api/v1/namespaces/drivers/serviceaccounts', { metadata: { name: 'default' } })
  await made(plane, 'POST', '/api/v1/nodes', { metadata: { name: 'worker-1', labels: { worker: '' } } })
  await made(plane, 'PATCH', '/api/v1/nodes/worker-1/status', {
    status: {
      nodeInfo: { kernelVersion: '6.1.0-18-generic', bootID: 'boot-1' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'Test', message: '' }],
    },
  })
  await eventually('the definition', async () => (await ask(plane, 'GET', modulesPath)).status === 200)
  await made(plane, 'POST', modulesPath, {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name: 'driver' },
    spec: {
      selector: { worker: '' },
      moduleLoader: {
        container: {
          modprobe: { moduleName: 'driver' },
          kernelMappings: [{ regexp: '^.+$', containerImage: 'registry.example.com/driver:1' }],
        },
      },
    },
  })
})

const kmm = (plane: ControlPlane, ...argv: readonly string[]) => runKmm([...argv, '--kubeconfig', plane.kubeconfig])

describe('live commands on a real API server', () => {
  real('status and explain see what is there, and what is not yet there', async plane => {
    const { code, out, err } = await kmm(plane, 'status')
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.match(out, /^drivers\/driver +worker-1 +6\.1\.0-18-generic +driver:1 +waiting +Loading$/m)
    const explained = await kmm(plane, 'explain', 'driver', '--node', 'worker-1')
    assert.equal(explained.code, 1)
    assert.match(explained.out, /^On worker-1 the chain breaks at: DaemonSet$/m)
    assert.match((await kmm(plane, 'plan')).out, /^ {2}create +DaemonSet drivers\/driver-/m)
  })

  real('pause and resume change the annotation and nothing else', async plane => {
    const annotations = async () => (await ask(plane, 'GET', `${modulesPath}/driver`)).body.metadata?.annotations
    assert.equal((await kmm(plane, 'pause', 'drivers/driver')).code, 0)
    assert.deepEqual(await annotations(), { 'kmm.sigs.x-k8s.io/paused': 'true' })
    assert.match((await kmm(plane, 'status')).out, /^Paused(?: on worker-1)?: Module drivers\/driver is paused/m)
    assert.equal((await kmm(plane, 'resume', 'driver', '-n', 'drivers')).code, 0)
    assert.equal(await annotations(), undefined)
    assert.match((await kmm(plane, 'pause', 'driver')).err, /^kmm: there is no Module default\/driver: /)
  })

  real('release takes our finalizer, and no other, off the pod whose unload failed', async plane => {
    await endedPod(plane, 'held', 'kmm unload failed boot-1\nmodprobe: FATAL: Module driver is in use.')
    await endedPod(plane, 'unloaded', 'kmm unloaded boot-1')
    assert.match((await kmm(plane, 'status')).out, /^drivers\/driver +worker-1 .* still loaded +StillLoaded/m)
    const { code, out } = await kmm(plane, 'release', 'worker-1', 'drivers/driver')
    assert.equal(code, 0)
    assert.match(out, /^Released pod drivers\/held on node worker-1: it was held because its unload failed\.$/m)
    assert.match(
      out,
      /^Left pod drivers\/unloaded as it is: it is not held: the driver was unloaded, so the operator lets it go/m,
    )
    const finalizers = async (name: string) => (await ask(plane, 'GET', `${podsPath}/${name}`)).body.metadata?.finalizers
    assert.deepEqual(await finalizers('held'), ['example.com/other'])
    assert.deepEqual(await finalizers('unloaded'), ['example.com/other', podFinalizer])
    const again = await kmm(plane, 'release', 'worker-1', 'drivers/driver')
    assert.equal(again.code, 1)
    assert.match(again.out, /^Left pod drivers\/held as it is: it has no finalizer of KMM/m)
  })
})
