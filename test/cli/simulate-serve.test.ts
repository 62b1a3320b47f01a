// `kmm simulate --serve`: the simulated cluster, as somebody sees it who has only its kubeconfig.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { countRequests } from '../../bench/scale/requests.ts'
import { main } from '../../src/cli/program.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { daemonSets, modules, nodes } from '../../src/core/resources.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import { collectionPath } from '../../src/shell/kube/paths.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { readAudit } from '../control-plane/audit.ts'
import { runKmm } from './run-kmm.ts'

const never = new AbortController().signal

async function served(context: TestContext, ...argv: readonly string[]) {
  const stop = new AbortController()
  let out = ''
  const io = {
    readStdin: async () => '',
    out: (text: string) => void (out += text),
    err: (text: string) => void (out += text),
    terminal: undefined,
  }
  const ended = main(['simulate', '--serve', '0', ...argv], { ...io, stop: stop.signal })
  context.after(async () => {
    stop.abort()
    await ended
  })
  await eventually('a kubeconfig', async () => /^kubeconfig: /m.test(out))
  const kubeconfig = /^kubeconfig: (.*)$/m.exec(out)?.[1] ?? ''
  const { config } = await loadKubeconfig({ file: kubeconfig, environment: {} })
  const transport = httpsTransport(config, { userAgent: 'test/1' })
  context.after(() => transport.close())
  const send = (method: KubeRequest['method'], path: string, body?: unknown) =>
    transport({ method, path, deadlineMs: 10_000, ...(body === undefined ? {} : { body }) }, never)
  const list = async (resource: typeof modules) =>
    (
      (await send('GET', collectionPath(resource))).body as {
        readonly items: readonly (KubeObject & { readonly status?: Record<string, unknown> })[]
      }
    ).items
  return { kubeconfig, send, list, out: () => out, end: () => (stop.abort(), ended) }
}

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + 20_000; !(await isSo()); await delay(50)) {
    if (performance.now() > endMs) assert.fail(`not within 20 s: ${what}`)
  }
}

const moduleNamed = (name: string, more: object = {}) => ({
  apiVersion: modules.apiVersion,
  kind: modules.kind,
  metadata: { name, namespace: 'default' },
  spec: {
    selector: {},
    moduleLoader: {
      container: {
        modprobe: { moduleName: `${name}_kmod` },
        kernelMappings: [{ regexp: '^.+$', containerImage: `registry.example/${name}:$\{KERNEL_FULL_VERSION}` }],
        ...more,
      },
    },
  },
})

describe('kmm simulate --serve', { concurrency: true }, () => {
  it('loads the Modules of the input and those that come later, judges them as admission does, and leaves nothing behind', async context => {
    const cluster = await served(context, '--nodes', '2')
    const path = collectionPath(modules, 'default')
    const refused = await cluster.send(
      'POST',
      path,
      moduleNamed('b', { kernelMappings: [{ regexp: '(', containerImage: 'a/b:c' }] }),
    )
    assert.equal(refused.status, 403)
    assert.match(JSON.stringify(refused.body), /admission webhook \\"vmodule.kb.io\\" denied the request/)
    assert.equal((await cluster.send('POST', path, moduleNamed('later'))).status, 201)
    await eventually('both Modules on both nodes', async () => {
      const counts = (await cluster.list(modules)).map(
        ({ status }) => (status?.['moduleLoader'] as Record<string, unknown> | undefined)?.['availableNumber'],
      )
      return counts.length === 2 && counts.every(count => count === 2)
    })
    assert.equal(await cluster.end(), 0)
    assert.equal(existsSync(cluster.kubeconfig), false)
    assert.match(cluster.out(), /The simulated cluster is gone\.\n$/)
  })

  it('runs no operator with --no-operator, and says how to start one', async context => {
    const cluster = await served(context, '--no-operator')
    await delay(300)
    assert.equal((await cluster.list(modules)).length, 1)
    assert.deepEqual(await cluster.list(daemonSets), [])
    assert.match(cluster.out(), /kmm operator --kubeconfig /)
  })

  it('lets a failure of the cluster happen there too, and still judges as the admission webhook does', async context => {
    const cluster = await served(context, '--nodes', '1', '--fail', 'scc')
    const wrong = moduleNamed('b', { kernelMappings: [{ regexp: '(', containerImage: 'a/b:c' }] })
    const refused = await cluster.send('POST', collectionPath(modules, 'default'), wrong)
    assert.match(JSON.stringify(refused.body), /admission webhook \\"vmodule.kb.io\\" denied the request/)
    await eventually('a pod is refused', async () => {
      const words = JSON.stringify(await cluster.list({ apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true }))
      return /FailedCreate/.test(words) && /unable to validate against any security context constraint/.test(words)
    })
  })

  it('has hollow nodes with --hollow, also those that a client creates, and writes a line about each request', async context => {
    const folder = await mkdtemp(join(tmpdir(), 'kmm-serve-test-'))
    context.after(() => rm(folder, { recursive: true }))
    const log = join(folder, 'audit.log')
    const cluster = await served(context, '--hollow', '--audit-log', log, '--nodes', '2')
    assert.match(cluster.out(), /hollow: pods are only said to run/)
    const body = {
      metadata: { name: 'later' },
      status: { nodeInfo: { kernelVersion: '6.0.15-300.fc37.x86_64', bootID: 'boot-1' } },
    }
    assert.equal((await cluster.send('POST', '/api/v1/nodes', body)).status, 201)
    assert.equal((await cluster.send('POST', '/api/v1/nodes', body)).status, 409)
    const created = await cluster.send('POST', collectionPath(modules, 'default'), moduleNamed('second'))
    assert.equal(created.status, 201, JSON.stringify(created.body))
    const loaded = ({ metadata }: KubeObject) => metadata.labels?.['kmm.node.kubernetes.io/default.second.ready'] === ''
    await eventually('the driver on all nodes', async () => (await cluster.list(nodes)).filter(loaded).length === 3)
    assert.equal((await cluster.send('DELETE', `${collectionPath(modules, 'default')}/second`)).status, 200)
    await eventually('no driver anywhere', async () => (await cluster.list(nodes)).every(node => !loaded(node)))
    await cluster.end()
    const entries = await readAudit(log)
    const ours = entries.filter(({ userAgent }) => userAgent === 'test/1')
    assert.equal(ours.length, entries.length, 'the operator in the same process sends nothing over HTTP')
    assert.deepEqual(countRequests(ours.filter(({ verb }) => verb !== 'list')), {
      'create modules': 1,
      'create nodes': 1,
      'create nodes (409)': 1,
      'delete modules': 1,
    })
    const [first] = ours
    assert.deepEqual(
      { ...first, timeMs: 0 },
      {
        userAgent: 'test/1',
        user: 'simulation',
        verb: 'create',
        resource: 'nodes',
        subresource: '',
        namespace: '',
        name: '',
        uri: '/api/v1/nodes',
        code: 201,
        timeMs: 0,
        stage: 'ResponseComplete',
      },
    )
    assert.ok(Math.abs(Date.now() - (first?.timeMs ?? 0)) < 3_600_000)
  })

  it('tells a watch in the audit log when it begins and when it ends', async context => {
    const folder = await mkdtemp(join(tmpdir(), 'kmm-serve-test-'))
    context.after(() => rm(folder, { recursive: true }))
    const log = join(folder, 'audit.log')
    const cluster = await served(context, '--hollow', '--audit-log', log, '--nodes', '0', '--no-operator')
    await cluster.send('GET', '/api/v1/nodes?watch=true&timeoutSeconds=1')
    await cluster.end()
    const stages = (await readAudit(log)).map(({ verb, stage, code }) => `${verb} ${stage} ${code}`)
    assert.deepEqual(stages, ['watch ResponseStarted 200', 'watch ResponseComplete 200'])
  })

  it('says in a sentence that a port is taken, and what does not go together', async context => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    context.after(() => other.close())
    const { port } = other.address() as { readonly port: number }
    for (const [argv, sentence] of [
      [['--serve', String(port)], new RegExp(`^kmm: port ${port} is taken: choose another one, or 0 for any that is free\n$`)],
      [['--serve', '70000'], /It must be a port, or 0 for any that is free/],
      [['--no-operator'], /^kmm: --no-operator goes with --serve/],
      [
        ['--serve', '0', '--fail', 'unsigned,in-use'],
        /^kmm: --fail in-use happens when all is loaded, which --serve does not wait/,
      ],
      [['--hollow'], /^kmm: --hollow goes with --serve/],
      [['--audit-log', 'a'], /^kmm: --audit-log goes with --serve/],
      [['--nodes', '0'], /^kmm: --nodes 0 goes with --serve/],
      [['--serve', '0', '--hollow', '--fail', 'unsigned'], /^kmm: --fail needs nodes on which something runs/],
      [['--serve', '0', '--audit-log', '/nowhere/at/all'], /^kmm: --audit-log \/nowhere\/at\/all cannot be written/],
      [['--demo', '--serve', '0'], /^kmm: --demo and --serve exclude each other/],
    ] as const) {
      const { code, err } = await runKmm(['simulate', ...argv])
      assert.equal(code, 2)
      assert.match(err, sentence)
    }
  })
})
