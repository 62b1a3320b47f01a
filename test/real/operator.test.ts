// The whole operator, as the process that users run, on a real control plane: a node's kernel changes, the API server goes away.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject } from '../../src/core/object.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const root = join(import.meta.dirname, '../..')
const stop = new AbortController().signal
const readyLabel = 'kmm.node.kubernetes.io/drivers.driver.ready'
let operator: { readonly child: ChildProcess; readonly log: string[] } | undefined

const real = onControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] }, async plane => {
  const file = join(root, 'config/crd/modules.kmm.sigs.x-k8s.io.yaml')
  const [definition] = parseYamlDocuments(await readFile(file, 'utf8'), file)
  await send(plane, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition?.value as object)
  await send(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'drivers' } })
  await eventually(
    'the service account',
    async () => (await ask(plane, 'GET', '/api/v1/namespaces/drivers/serviceaccounts/default')).status === 200,
  )
  await plane.addNodes({ count: 3, kernel: '6.1.0-1-amd64', labels: { worker: '' }, prefix: 'worker' })
  await plane.addNodes({ count: 1, kernel: '6.1.0-1-amd64', prefix: 'other' })
  await eventually('the definition', async () => (await ask(plane, 'GET', modulesPath)).status === 200)
})
after(() => endOperator())

const modulesPath = '/apis/kmm.sigs.x-k8s.io/v1beta1/namespaces/drivers/modules'
const podsPath = '/api/v1/namespaces/drivers/pods'

type Loose = { readonly [field: string]: Loose } & readonly Loose[] & string & number
type Reply = { readonly status: number; readonly body: Loose }

async function ask(plane: ControlPlane, method: KubeRequest['method'], path: string, body?: object): Promise<Reply> {
  const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}
  const response = await plane.transport(
    { method, path, ...(body === undefined ? {} : { body }), ...contentType, deadlineMs: 10_000 },
    stop,
  )
  return { status: response.status, body: response.body as Loose }
}

async function send(plane: ControlPlane, method: KubeRequest['method'], path: string, body?: object): Promise<Loose> {
  const reply = await ask(plane, method, path, body)
  assert.ok(reply.status < 300, JSON.stringify(reply.body))
  return reply.body
}

async function list(plane: ControlPlane, path: string): Promise<readonly Loose[]> {
  return (await send(plane, 'GET', path))['items'] ?? []
}

async function eventually(what: string, isSo: () => Promise<boolean>, seconds = 30): Promise<void> {
  for (let i = 0; i < seconds * 5; i++) {
    if (await isSo()) return
    if (operator?.child.exitCode != null) break
    await delay(200)
  }
  assert.fail(`not in ${seconds} s, or the operator ended: ${what}\n${operator?.log.slice(-15).join('\n') ?? ''}`)
}

async function startOperator(plane: ControlPlane): Promise<void> {
  const config = join(plane.folder, 'operator.yaml')
  // Port 0 is any free one: other tests run beside this one.
  await writeFile(
    config,
    'healthProbeBindAddress: 127.0.0.1:0\nmetrics: { bindAddress: "0" }\nleaderElection: { leaderElect: false }\n',
  )
  const args = ['operator', '--kubeconfig', plane.kubeconfig, '--log-level', 'debug', '--config', config]
  const child = spawn(process.execPath, [join(root, 'src/cli/kmm.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OPERATOR_NAMESPACE: 'openshift-kmm' },
  })
  const log: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => log.push(...data.toString().trim().split('\n')))
  }
  operator = { child, log }
}

async function endOperator(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const child = operator?.child
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  await ended
}

async function available(plane: ControlPlane): Promise<number | undefined> {
  return (await ask(plane, 'GET', `${modulesPath}/driver`)).body['status']?.['moduleLoader']?.['availableNumber']
}

async function readyNodes(plane: ControlPlane): Promise<readonly string[]> {
  const { body } = await ask(plane, 'GET', '/api/v1/nodes')
  const items = (body['items'] ?? []) as unknown as readonly KubeObject[]
  return items.filter(node => node.metadata.labels?.[readyLabel] !== undefined).map(node => node.metadata.name)
}

const driver = {
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name: 'driver', namespace: 'drivers' },
  spec: {
    selector: { worker: '' },
    moduleLoader: {
      container: {
        modprobe: { moduleName: 'driver' },
        kernelMappings: [{ regexp: '^.+$', containerImage: 'registry.example.com/driver:${KERNEL_FULL_VERSION}' }],
      },
    },
  },
}

describe('the operator on a real control plane', () => {
  real('loads a driver on the nodes that a Module selects, and says so', async plane => {
    await startOperator(plane)
    await send(plane, 'POST', modulesPath, driver)
    await eventually('three nodes available', async () => (await available(plane)) === 3)
    await eventually('three ready labels', async () => (await readyNodes(plane)).length === 3)
    assert.deepEqual(await readyNodes(plane), ['worker-0', 'worker-1', 'worker-2'])
    const nodeNames = (await list(plane, podsPath)).map(pod => pod['spec']?.['nodeName'])
    assert.deepEqual(new Set(nodeNames), new Set(['worker-0', 'worker-1', 'worker-2']))
  })

  real('follows a node to its new kernel: the old driver is gone before the new one is started', async plane => {
    const { metadata } = await send(plane, 'GET', podsPath)
    const old = (await list(plane, podsPath)).find(pod => pod['spec']?.['nodeName'] === 'worker-1')?.['metadata']?.['name']
    const told: string[] = []
    const watching = new AbortController()
    const query = { watch: 'true', resourceVersion: metadata?.['resourceVersion'] ?? '' }
    const { stream } = await plane.transport({ method: 'GET', path: podsPath, query, deadlineMs: 5000 }, watching.signal)
    const ended = (async () => {
      for await (const { type, object } of stream ?? []) told.push(`${type} ${(object as KubeObject).metadata.name}`)
    })().catch(() => undefined)

    await send(plane, 'PATCH', '/api/v1/nodes/worker-1/status', { status: { nodeInfo: { kernelVersion: '6.12.0+deb13-amd64' } } })
    await eventually('a driver for the new kernel', async () => {
      const onNode = (await list(plane, podsPath)).filter(pod => pod['spec']?.['nodeName'] === 'worker-1')
      const images = onNode.map(pod => pod['spec']?.['containers']?.[0]?.['image'])
      return images.length === 1 && images[0] === 'registry.example.com/driver:6.12.0_deb13-amd64'
    })
    await eventually('all are ready again', async () => (await readyNodes(plane)).length === 3 && (await available(plane)) === 3)
    watching.abort()
    await ended
    const removed = told.indexOf(`DELETED ${old}`)
    const started = told.findIndex(event => event.startsWith('ADDED '))
    assert.ok(removed >= 0 && started > removed, told.join('\n'))
  })

  real('goes on where it was after the API server was restarted', async plane => {
    await plane.restartApiServer()
    await plane.addNodes({ count: 1, kernel: '6.1.0-1-amd64', labels: { worker: '' }, prefix: 'late' })
    await eventually('the new node too', async () => (await readyNodes(plane)).includes('late-0'), 60)
    await eventually('four available', async () => (await available(plane)) === 4)
  })

  real('ends within seconds when it is told to', async () => {
    const started = performance.now()
    await endOperator()
    assert.equal(operator?.child.exitCode, 0)
    assert.ok(performance.now() - started < 5000)
  })
})
