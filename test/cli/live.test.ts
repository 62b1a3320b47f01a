// Commands on a live cluster: the simulated one with its operator, behind a port.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import { startSimulation } from '../../src/cli/simulate/simulation.ts'
import { createWorld } from '../../src/cli/simulate/world.ts'
import type { Pod } from '../../src/core/cluster.ts'
import { modules, nodes, pods } from '../../src/core/resources.ts'
import type { KubeRequest, KubeResponse } from '../../src/shell/kube/transport.ts'
import { aModule } from '../builders.ts'
import { runKmm } from './run-kmm.ts'
import { serve } from './served-cluster.ts'

const driver = (tag = '1', extra: { readonly spec?: object; readonly container?: object } = {}): Module => {
  const kernelMappings = [{ regexp: '^.+$', containerImage: `registry.example.com/driver:${tag}` }]
  const module = aModule({ spec: extra.spec ?? {}, container: { kernelMappings, ...extra.container } })
  return { ...module, metadata: { name: 'driver', namespace: 'drivers' } }
}

async function driverLoaded(context: TestContext, module = driver()) {
  const world = createWorld([module], { count: 3, kernels: ['6.1.0-18-generic'], failures: [], isPushed: () => true })
  const simulation = startSimulation(world, {
    operatorNamespace: 'openshift-kmm',
    answer: () => undefined,
    stop: new AbortController().signal,
  })
  context.after(() => simulation.end())
  for (const one of world.modules) simulation.applyModule(one)
  await simulation.settle(() => Promise.resolve())
  return simulation
}

type Status = {
  readonly rows: readonly {
    readonly node: string
    readonly state: string
    readonly reason: string | null
    readonly since: string | null
  }[]
}

const settle = (simulation: Awaited<ReturnType<typeof driverLoaded>>) => simulation.settle(() => Promise.resolve(), 'waiting')

describe('kmm on a live cluster', () => {
  it('shows each driver on each node, and writes nothing', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig, requests } = await serve(context, simulation.cluster.api)
    const { code, out, err } = await runKmm(['status', '--kubeconfig', kubeconfig])
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.match(out, /^MODULE +NODE +KERNEL +DRIVER +STATE +REASON +SINCE\n/)
    for (const node of ['node-1', 'node-2', 'node-3'])
      assert.match(out, new RegExp(`^drivers/driver +${node} +6\\.1\\.0-18-generic +driver:1 +loaded +\\d+[smhd]$`, 'm'))
    assert.match(out, /^3 of 3 nodes have the driver of Module drivers\/driver\.$/m)
    assert.deepEqual(
      requests.filter(request => !request.startsWith('GET ')),
      [],
    )
  })

  it('lists in pages, with the selectors of the operator', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig, requests } = await serve(context, simulation.cluster.api)
    await runKmm(['status', '--kubeconfig', kubeconfig])
    const listOf = (plural: string) => requests.find(request => request.includes(`/${plural}?`)) ?? ''
    assert.match(listOf('pods'), /labelSelector=kmm\.node\.kubernetes\.io%2Fmodule\.name&limit=500/)
    assert.match(listOf('events'), /fieldSelector=type%3DWarning&limit=500/)
  })

  it('plans on it as on files, and has nothing to do once all is settled', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig, requests } = await serve(context, simulation.cluster.api)
    const settled = await runKmm(['plan', '--kubeconfig', kubeconfig, '-o', 'json'])
    assert.equal(settled.code, 0)
    const { plans } = JSON.parse(settled.out) as {
      plans: readonly { readonly key: string; readonly writes: readonly object[] }[]
    }
    assert.deepEqual(plans.map(plan => plan.key).sort(), ['drivers/driver', 'node-1', 'node-2', 'node-3'])
    assert.deepEqual(
      plans.flatMap(plan => plan.writes),
      [],
    )
    await simulation.end()
    simulation.cluster.api.update(modules, 'drivers/driver', found => ({ ...found, spec: driver('2').spec }) as Module)
    const changed = await runKmm(['plan', '--kubeconfig', kubeconfig])
    assert.match(changed.out, /^ {2}change +DaemonSet drivers\/.*spec\.template/m)
    assert.deepEqual(
      requests.filter(request => !request.startsWith('GET ')),
      [],
    )
  })

  it('shows the unload of a deleted Module while it happens', async context => {
    const simulation = await driverLoaded(context)
    const { api, clock } = simulation.cluster
    const { kubeconfig } = await serve(context, api)
    simulation.cluster.node('node-2').hold('driver')
    api.remove(modules, 'drivers/driver')
    const states = async () => {
      const { out } = await runKmm(['status', '--kubeconfig', kubeconfig, '-o', 'json'])
      return Object.fromEntries((JSON.parse(out) as Status).rows.map(row => [row.node, row.state]))
    }
    for (let step = 0; step < 40 && Object.values(await states()).every(state => state !== 'unloading'); step++)
      clock.advance(100)
    assert.equal((await states())['node-2'], 'unloading')
    // The hook tries again until shortly before the end of its ten minutes.
    for (let second = 0; second < 660; second++) {
      clock.advance(1000)
      await setImmediate()
    }
    assert.deepEqual(await states(), { 'node-2': 'still loaded' })
    const { out } = await runKmm(['status', '--kubeconfig', kubeconfig])
    assert.match(out, /^Module drivers\/driver is gone, and 1 of its loaders are still there\.$/m)
    assert.match(out, /^StillLoaded on node-2: .* is in use/m)
  })

  it('explains the chain to one node, and answers no where it breaks', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig } = await serve(context, simulation.cluster.api)
    const whole = await runKmm(['explain', 'driver', '--node', 'node-1', '--kubeconfig', kubeconfig])
    assert.equal(whole.code, 0)
    assert.match(whole.out, /^On node-1 every link holds:$/m)
    assert.match(whole.out, /^ {2}ok {2}mapping +kernelMappings\[0\]: regexp/m)
    simulation.cluster.api.update(nodes, 'node-1', node => ({ ...node, metadata: { ...node.metadata, labels: {} } }))
    const broken = await runKmm(['explain', 'driver', '--node', 'node-1', '--kubeconfig', kubeconfig])
    assert.equal(broken.code, 1)
    assert.match(broken.out, /^ {2}NO {2}selector +Module drivers\/driver does not select node node-1$/m)
    assert.match(broken.out, /What to do: If the driver shall run there: kubectl label --overwrite node node-1 worker=$/m)
  })
})

describe('kmm pause and kmm resume', () => {
  it('stops a change and lets it go on', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig, requests } = await serve(context, simulation.cluster.api)
    const run = (...argv: string[]) => runKmm([...argv, '--kubeconfig', kubeconfig])
    const paused = await run('pause', 'driver')
    assert.deepEqual({ code: paused.code, err: paused.err }, { code: 0, err: '' })
    assert.match(paused.out, /^Module drivers\/driver is paused: .*`kmm resume drivers\/driver`/)
    assert.match((await run('pause', 'drivers/driver')).out, /was paused already\.$/m)
    assert.equal(requests.filter(request => request.startsWith('PATCH ')).length, 1)

    simulation.changeModule(driver('2'))
    await settle(simulation)
    const waiting = await run('status', 'driver')
    assert.match(waiting.out, /^drivers\/driver +node-1 .* driver:1 +outdated +\d+d$/m)
    assert.match(waiting.out, /^Paused: Module drivers\/driver is paused/m)
    assert.match((await run('explain', 'driver', '--node', 'node-1')).out, /breaks at: module \(Paused\)/)

    assert.match((await run('resume', 'driver', '-n', 'drivers')).out, /^Module drivers\/driver goes on/)
    await settle(simulation)
    assert.match((await run('status')).out, /^3 of 3 nodes have the driver/m)
    assert.match((await run('status')).out, / driver:2 +loaded/)
    assert.equal((await run('resume', 'driver')).out, 'Module drivers/driver was not paused.\n')
  })

  it('refuses a Module that is not there', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig } = await serve(context, simulation.cluster.api)
    const { code, out, err } = await runKmm(['pause', 'drver', '--kubeconfig', kubeconfig])
    assert.deepEqual({ code, out }, { code: 2, out: '' })
    assert.equal(err, 'kmm: there is no Module drivers/drver: name it as NAMESPACE/NAME, or with -n NAMESPACE\n')
  })
})

describe('kmm release', () => {
  it('lets go of a loader whose unload failed, and of no other', async context => {
    const simulation = await driverLoaded(context)
    const { api } = simulation.cluster
    const { kubeconfig, requests } = await serve(context, api)
    const release = (...argv: string[]) => runKmm(['release', ...argv, '--kubeconfig', kubeconfig])
    simulation.cluster.node('node-1').hold('driver')
    simulation.changeModule(driver('2'))
    await settle(simulation)
    const held = (api.list(pods) as readonly Pod[]).filter(pod => pod.metadata.deletionTimestamp !== undefined)
    assert.equal(held.length, 1)

    const other = await release('node-2', 'driver')
    assert.equal(other.code, 1)
    assert.match(other.out, /^Left pod drivers\/.* as it is: it is not being deleted/)
    assert.match(other.out, /^Nothing was released: no loader pod of Module drivers\/driver is held on node node-2\.$/m)
    assert.deepEqual(
      requests.filter(request => !request.startsWith('GET ')),
      [],
    )

    const done = await release('node-1', 'driver')
    assert.deepEqual({ code: done.code, err: done.err }, { code: 0, err: '' })
    assert.match(
      done.out,
      new RegExp(`^Released pod drivers/${held[0]?.metadata.name} on node node-1: it was held because its unload failed`),
    )
    assert.match(done.out, /^The old driver may still be in the kernel of node node-1/m)
    assert.equal(api.get(pods, `drivers/${held[0]?.metadata.name}`), undefined)
    assert.equal((await release('node-9', 'driver')).err, 'kmm: there is no node node-9: name it as `kubectl get nodes` does\n')
  })

  it('has a loader that started beside a held one load anew, so that nobody is told of a driver that is not there', async context => {
    const simulation = await driverLoaded(context)
    const { api } = simulation.cluster
    const { kubeconfig } = await serve(context, api)
    const node = simulation.cluster.node('node-1')
    const onNode = () => (api.list(pods) as readonly Pod[]).filter(pod => pod.spec?.nodeName === 'node-1')
    const isReported = () =>
      api.get(nodes, 'node-1')?.metadata.labels?.['kmm.node.kubernetes.io/drivers.driver.ready'] !== undefined
    node.hold('driver')
    // A person deletes the pod: its unload fails, and the DaemonSet controller starts the next one at once.
    const [first] = onNode()
    api.remove(pods, `drivers/${first?.metadata.name}`)
    await settle(simulation)
    const beside = onNode().find(pod => pod.metadata.deletionTimestamp === undefined)
    assert.equal(onNode().length, 2)
    assert.equal(isReported(), false)
    // The person unloads by hand, and says so.
    node.releaseHold('driver')
    node.kernel.remove('driver')
    const done = await runKmm(['release', 'node-1', 'driver', '--kubeconfig', kubeconfig])
    assert.match(
      done.out,
      new RegExp(`^Deleted pod drivers/${beside?.metadata.name} on node node-1, so that its successor loads`, 'm'),
    )
    assert.match(done.out, new RegExp(`^Released pod drivers/${first?.metadata.name}`, 'm'))
    await settle(simulation)
    assert.equal(onNode().length, 1)
    assert.notEqual(onNode()[0]?.metadata.name, beside?.metadata.name)
    assert.equal(isReported(), true)
    assert.equal(node.kernel.loaded.has('driver'), true)
  })

  it('looks again at a pod that changed under it', async context => {
    const simulation = await driverLoaded(context)
    const { api } = simulation.cluster
    simulation.cluster.node('node-1').hold('driver')
    simulation.changeModule(driver('2'))
    await settle(simulation)
    const held = (api.list(pods) as readonly Pod[]).find(pod => pod.metadata.deletionTimestamp !== undefined)
    let touched = false
    const touchOnce = ({ method, path }: KubeRequest): KubeResponse | undefined => {
      if (method !== 'PATCH' || touched) return undefined
      touched = true
      const key = path.split('/').at(-1) ?? ''
      api.update(pods, `drivers/${key}`, pod => ({
        ...pod,
        metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, seen: '' } },
      }))
      return undefined
    }
    const { kubeconfig, requests } = await serve(context, api, touchOnce)
    const { code } = await runKmm(['release', 'node-1', 'drivers/driver', '--kubeconfig', kubeconfig])
    assert.equal(code, 0)
    assert.equal(requests.filter(request => request.startsWith('PATCH ')).length, 2)
    assert.equal(api.get(pods, `drivers/${held?.metadata.name}`), undefined)
  })
})

describe('a cluster that does not answer as asked', () => {
  const answers = (status: number, reason: string, of: RegExp) => (request: KubeRequest) =>
    of.test(request.path)
      ? { status, headers: {}, body: { kind: 'Status', code: status, reason, message: `${reason} here` } }
      : undefined

  it('is told in one sentence when a right is missing', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig } = await serve(context, simulation.cluster.api, answers(403, 'Forbidden', /\/nodes$/))
    const { code, out, err } = await runKmm(['status', '--kubeconfig', kubeconfig])
    assert.deepEqual({ code, out }, { code: 2, out: '' })
    assert.match(err, /^kmm: list nodes: the API server answered 403 Forbidden: Forbidden here\. Ask for the rights[^\n]*\n$/)
  })

  it('is read without events, namespaces and definitions, with a warning', async context => {
    const simulation = await driverLoaded(context)
    const forbid = answers(403, 'Forbidden', /\/(events|namespaces|customresourcedefinitions)$/)
    const { kubeconfig } = await serve(context, simulation.cluster.api, forbid)
    const { code, out, err } = await runKmm(['status', '--kubeconfig', kubeconfig])
    assert.equal(code, 0)
    assert.match(out, /^3 of 3 nodes/m)
    assert.equal(err.match(/^kmm: warning: you may not list \w+, so what they would tell is missing here$/gm)?.length, 3)
  })

  it('is read in the one namespace that the user may read', async context => {
    const simulation = await driverLoaded(context)
    const forbid = answers(403, 'Forbidden', /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/(pods|daemonsets|modules|events)$/)
    const { kubeconfig } = await serve(context, simulation.cluster.api, forbid)
    assert.equal((await runKmm(['status', '--kubeconfig', kubeconfig])).code, 2)
    const { code, out } = await runKmm(['status', '-n', 'drivers', '--kubeconfig', kubeconfig])
    assert.equal(code, 0)
    assert.match(out, /^3 of 3 nodes/m)
  })

  it('is named where KMM is not installed', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig } = await serve(context, simulation.cluster.api, answers(404, 'NotFound', /\/modules$/))
    const { code, err } = await runKmm(['explain', 'driver', '--kubeconfig', kubeconfig])
    assert.equal(code, 2)
    assert.match(err, /^kmm: this cluster knows no Modules: KMM is not installed there/)
  })

  it('is told where nobody listens', async context => {
    const simulation = await driverLoaded(context)
    const { kubeconfig } = await serve(context, simulation.cluster.api)
    const config = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'a',
      clusters: [{ name: 'a', cluster: { server: 'http://127.0.0.1:1' } }],
      contexts: [{ name: 'a', context: { cluster: 'a' } }],
    })
    writeFileSync(kubeconfig, config)
    const { code, err } = await runKmm(['status', '--kubeconfig', kubeconfig])
    assert.equal(code, 2)
    assert.match(err, /^kmm: the cluster cannot be reached: GET http:\/\/127\.0\.0\.1:1\/[^\n]* nothing listens there[^\n]*\n$/)
  })
})
