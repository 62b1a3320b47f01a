// Hollow nodes: what an operator sees of pods that only seem to run is what it sees on the rig (test/control-plane/kubelets.yaml).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Node, Pod } from '../../../src/core/cluster.ts'
import { keyOf } from '../../../src/core/object.ts'
import { daemonSets, events, nodes, pods } from '../../../src/core/resources.ts'
import { type ClusterOptions, createCluster } from '../../../src/model/cluster.ts'
import { kernel, loader } from './world.ts'

const finalizer = 'example.com/hold'

function hollowCluster(count: number, options: ClusterOptions = {}) {
  const cluster = createCluster({
    hollowNodes: {
      lastWords: (pod, node) => `${pod.metadata.namespace} said goodbye on ${(node as Node).status?.nodeInfo?.bootID}`,
    },
    events: 'warnings',
    ...options,
  })
  for (let index = 0; index < count; index++) cluster.addHollowNode({ name: `n${index}`, kernel, labels: { here: 'yes' } })
  const all = () => cluster.api.list(pods) as readonly Pod[]
  const roll = (template: object = {}) => {
    cluster.api.create(daemonSets, loader({ postStart: 'exit 1', preStop: 'exit 1', ...template }))
    cluster.clock.advance(5000)
  }
  return { ...cluster, all, roll }
}

const only = <T>(list: readonly T[]): T => {
  assert.equal(list.length, 1)
  return list[0] as T
}

describe('hollow nodes', () => {
  it('tell of each pod that it runs and is ready, without its hooks', () => {
    const { all, roll } = hollowCluster(1)
    roll()
    const { status, spec } = only(all())
    assert.equal(spec?.nodeName, 'n0')
    assert.equal(status?.phase, 'Running')
    assert.deepEqual(
      status?.conditions?.map(({ type, status: is }) => `${type}=${is}`),
      ['PodScheduled=True', 'PodReadyToStartContainers=True', 'Initialized=True', 'ContainersReady=True', 'Ready=True'],
    )
    const container = only(status?.containerStatuses ?? [])
    assert.equal(container.ready && container.started, true)
    assert.match(container.state?.running?.startedAt ?? '', /^2026-01-01T00:00:\d\dZ$/)
  })

  it('end a deleted pod with its last words, and leave it to its finalizers', () => {
    const { api, all, clock, roll } = hollowCluster(1)
    roll({ finalizers: [finalizer] })
    const old = only(all())
    api.remove(pods, keyOf(old))
    clock.advance(5000)
    const ended = all().find(({ metadata }) => metadata.uid === old.metadata.uid)
    assert.equal(ended?.status?.phase, 'Succeeded')
    assert.equal(ended?.metadata.deletionGracePeriodSeconds, 0)
    const bootId = (api.get(nodes, 'n0') as Node).status?.nodeInfo?.bootID
    assert.deepEqual(ended?.status?.containerStatuses?.[0]?.state?.terminated?.message, `default said goodbye on ${bootId}`)
    assert.deepEqual(
      ended?.status?.conditions?.flatMap(({ type, status, reason }) => (status === 'False' ? [`${type} ${reason}`] : [])),
      ['ContainersReady PodCompleted', 'Ready PodCompleted'],
    )
    assert.equal(all().length, 2, 'the node is free for the next one')
    api.update(pods, keyOf(old), pod => ({ ...pod, metadata: { ...pod.metadata, finalizers: [] } }))
    assert.equal(only(all()).metadata.uid === old.metadata.uid, false)
  })

  it('are also those that a client creates, and those with a machine are not', () => {
    const cluster = hollowCluster(0)
    const { api, all, clock, roll } = cluster
    cluster.addNode({ name: 'machine', kernel })
    const body = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'posted' },
      status: { nodeInfo: { kernelVersion: '6.6.6' } },
    }
    const answer = api.handle({ method: 'POST', path: '/api/v1/nodes', body, deadlineMs: 1000 })
    assert.equal(answer.status, 201)
    clock.advance(1000)
    const posted = api.get(nodes, 'posted') as Node
    assert.equal(posted.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
    assert.equal(posted.status?.nodeInfo?.kernelVersion, '6.6.6')
    roll()
    const phases = Object.fromEntries(all().map(pod => [pod.spec?.nodeName, pod.status?.phase]))
    assert.deepEqual(phases, { posted: 'Running', machine: 'Pending' })
    assert.throws(() => createCluster().addHollowNode({ name: 'a', kernel }), /has no hollow nodes/)
  })

  it('finish the pods of Jobs', () => {
    const { api, all, clock } = hollowCluster(1)
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'registry.example/a:1' }] } }
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'job', namespace: 'default' }, spec: { template } }
    api.create({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true }, job)
    clock.advance(10_000)
    assert.equal(only(all()).status?.phase, 'Succeeded')
  })

  it('are many: pods share what is equal in them, and their Normal events are not written', () => {
    const { api, all, roll } = hollowCluster(600)
    roll()
    assert.equal(all().length, 600)
    const parts = (of: (pod: Pod) => unknown) => new Set(all().map(of)).size
    assert.equal(
      parts(({ spec }) => spec?.containers),
      1,
    )
    assert.equal(
      parts(({ metadata }) => metadata.labels),
      1,
    )
    assert.ok(parts(({ status }) => status?.containerStatuses) < 10)
    assert.ok(parts(({ metadata }) => metadata.managedFields) < 30)
    assert.equal(new Set(all().map(({ metadata }) => metadata.uid)).size, 600)
    assert.deepEqual(api.list(events), [])
    assert.equal((api.get(daemonSets, 'default/loader') as { status?: { numberReady?: number } }).status?.numberReady, 600)
  })
})
