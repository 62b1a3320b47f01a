// The control plane that the other tests of this folder rely on does what they rely on.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import { bootIdOf } from '../control-plane/nodes.ts'
import { outputOf } from '../control-plane/run.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const never = new AbortController().signal
const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] })

type Loose = { readonly [field: string]: Loose } & readonly Loose[] & string & number

async function ask(
  plane: ControlPlane,
  method: KubeRequest['method'],
  path: string,
  more: Partial<KubeRequest> = {},
): Promise<{ status: number; body: Loose }> {
  const response = await plane.transport({ method, path, deadlineMs: 10_000, ...more }, never)
  return { status: response.status, body: response.body as Loose }
}

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 150; i++) {
    if (await isSo()) return
    await delay(100)
  }
  assert.fail(`not in 15 s: ${what}`)
}

const finalizer = 'kmm.node.kubernetes.io/node-labeler'
const template = (labels: object) => ({
  metadata: { labels, finalizers: [finalizer] },
  spec: { containers: [{ name: 'a', image: 'b' }] },
})

describe('the real control plane', () => {
  real('is Kubernetes of the version in go.mod, and its kubeconfig opens it', async plane => {
    const goMod = await readFile(join(import.meta.dirname, '../control-plane/go.mod'), 'utf8')
    const { config } = await loadKubeconfig({ file: plane.kubeconfig, environment: {} })
    const transport = httpsTransport(config, { userAgent: 'rig-test/1' })
    const version = (await transport({ method: 'GET', path: '/version', deadlineMs: 5000 }, never)).body as { gitVersion: string }
    transport.close()
    assert.ok(goMod.includes(`k8s.io/kubernetes ${version.gitVersion} `), version.gitVersion)
  })

  real('runs the pods of a DaemonSet; a deleted one says its last words and stays while it has a finalizer', async plane => {
    const [name = ''] = await plane.addNodes({ count: 2, kernel: '6.1.0', labels: { pool: 'a' }, prefix: 'a' })
    const pods = '/api/v1/namespaces/default/pods'
    const labels = { app: 'a' }
    const spec = { selector: { matchLabels: labels }, template: template(labels) }
    await ask(plane, 'POST', '/apis/apps/v1/namespaces/default/daemonsets', { body: { metadata: { name: 'a' }, spec } })
    await eventually('two pods available', async () => {
      const { body } = await ask(plane, 'GET', '/apis/apps/v1/namespaces/default/daemonsets/a')
      return body['status']?.['numberAvailable'] === 2
    })
    const { body } = await ask(plane, 'GET', pods, { query: { fieldSelector: `spec.nodeName=${name}` } })
    const pod: string = body['items']?.[0]?.['metadata']?.['name'] ?? ''
    await ask(plane, 'DELETE', `${pods}/${pod}`)
    await eventually('last words', async () => {
      const status = (await ask(plane, 'GET', `${pods}/${pod}`)).body['status']
      const message = status?.['containerStatuses']?.[0]?.['state']?.['terminated']?.['message']
      return message === `kmm unloaded ${bootIdOf(name)}\n` && status?.['phase'] === 'Succeeded'
    })
    const patch = [{ op: 'remove', path: '/metadata/finalizers' }]
    await ask(plane, 'PATCH', `${pods}/${pod}`, { body: patch, contentType: 'application/json-patch+json' })
    await eventually('gone', async () => (await ask(plane, 'GET', `${pods}/${pod}`)).status === 404)
  })

  real('completes Jobs', async plane => {
    const body = {
      metadata: { name: 'j' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'b' }] } } },
    }
    await ask(plane, 'POST', '/apis/batch/v1/namespaces/default/jobs', { body })
    await eventually('succeeded', async () => {
      const job = (await ask(plane, 'GET', '/apis/batch/v1/namespaces/default/jobs/j')).body
      return job['status']?.['succeeded'] === 1
    })
  })

  real('counts requests by user agent, verb and resource', async plane => {
    const transport = httpsTransport(plane.config, { userAgent: 'counted/1' })
    for (let i = 0; i < 3; i++) await transport({ method: 'GET', path: '/api/v1/nodes', deadlineMs: 5000 }, never)
    await transport({ method: 'GET', path: '/api/v1/nodes/none', deadlineMs: 5000 }, never)
    transport.close()
    const mine = (await plane.audit()).filter(entry => entry.userAgent === 'counted/1')
    assert.deepEqual(
      mine.map(entry => [entry.verb, entry.resource, entry.code]),
      [...Array.from({ length: 3 }, () => ['list', 'nodes', 200]), ['get', 'nodes', 404]],
    )
  })

  real('lets a user in with a certificate, and RBAC keep him out', async plane => {
    const pair = await plane.issueUser('jane')
    const clientCertificate = { certificate: { file: pair.certFile }, key: { file: pair.keyFile } }
    const transport = httpsTransport({ ...plane.config, clientCertificate }, { userAgent: 'jane' })
    const response = await transport({ method: 'GET', path: '/api/v1/nodes', deadlineMs: 5000 }, never)
    transport.close()
    assert.equal(response.status, 403)
    assert.match((response.body as { message: string }).message, /User "jane" cannot list resource "nodes"/)
  })

  real('stands still when frozen, with its connections open', async plane => {
    await ask(plane, 'GET', '/version')
    plane.freeze()
    try {
      await assert.rejects(ask(plane, 'GET', '/version', { deadlineMs: 300 }), { what: 'deadline' })
    } finally {
      plane.thaw()
    }
    assert.equal((await ask(plane, 'GET', '/version')).status, 200)
  })

  real('comes back after its API server was killed, at the same address and with the same objects', async plane => {
    await plane.killApiServer()
    await assert.rejects(ask(plane, 'GET', '/version'), { what: 'connection' })
    await plane.startApiServer()
    assert.equal((await ask(plane, 'GET', '/api/v1/nodes/a-0')).status, 200)
  })

  const deaths: Readonly<Record<string, (pid: number) => boolean>> = {
    'is killed': pid => process.kill(pid, 'SIGKILL'),
    'is told to end with all of its process group': pid => process.kill(-pid, 'SIGTERM'),
  }
  for (const [what, end] of Object.entries(deaths)) {
    real(`ends with the process that started it when that one ${what}`, async () => {
      const start = JSON.stringify(join(import.meta.dirname, '../control-plane/start.ts'))
      const script = `const { startControlPlane } = await import(${start}); const plane = await startControlPlane(); console.log(plane.folder); setInterval(() => {}, 1000)`
      const args = ['--input-type=module', '--eval', script]
      const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
      const folder = await new Promise<string>(resolve =>
        owner.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())),
      )
      assert.equal((await programsIn(folder)).length, 2)
      assert.ok(owner.pid !== undefined && end(owner.pid))
      await eventually('no program of it runs', async () => (await programsIn(folder)).length === 0)
      await eventually('its folder is removed', () => Promise.resolve(!existsSync(folder)))
    })
  }
})

/** Command lines of the running programs that were told this folder. */
async function programsIn(folder: string): Promise<readonly string[]> {
  const lines = (await outputOf('ps', ['-axo', 'args'], '/')).split('\n')
  return lines.filter(line => line.includes(`${folder}/`) && !line.startsWith('sh '))
}
