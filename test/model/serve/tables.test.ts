// What `kubectl get` prints: columns, ages, printer columns of CustomResourceDefinitions.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../../../src/core/object.ts'
import { printAge, printSpan } from '../../../src/model/serve/age.ts'
import { builtInColumns } from '../../../src/model/serve/columns.ts'
import { compileJsonPath } from '../../../src/model/serve/json-path.ts'
import { viewOf } from '../../../src/model/serve/view.ts'

const nowMs = Date.parse('2026-01-01T01:00:00Z')
const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

describe('spans of time', () => {
  for (const [ms, text] of [
    [-5000, '<invalid>'],
    [-500, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [9 * minute + 59 * second, '9m59s'],
    [10 * minute + 30 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [7 * hour + 59 * minute, '7h59m'],
    [8 * hour + 59 * minute, '8h'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [7 * day + 23 * hour, '7d23h'],
    [8 * day + 23 * hour, '8d'],
    [729 * day, '729d'],
    [730 * day, '2y'],
    [800 * day, '2y70d'],
    [3000 * day, '8y'],
  ] as const) {
    it(`${ms} ms is ${text}`, () => assert.equal(printSpan(ms), text))
  }

  it('what has no time is of unknown age', () => {
    assert.equal(printAge(undefined, nowMs), '<unknown>')
    assert.equal(printAge('2026-01-01T00:00:00Z', nowMs), '60m')
  })
})

describe('JSONPath of printer columns', () => {
  const object = {
    metadata: { labels: { 'a.b/c': 'x' } },
    status: {
      ready: 2,
      conditions: [
        { type: 'Ready', status: 'True', n: 1 },
        { type: 'Stalled', status: 'False', n: 2 },
      ],
    },
  }
  for (const [path, found] of [
    ['.status.ready', [2]],
    ['status.ready', [2]],
    ['{.status.ready}', [2]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.type != "Ready")].n', [2]],
    ["$.status.conditions[?(@.n==2)]['type']", ['Stalled']],
    ['.status.conditions[0].type', ['Ready']],
    ['.status.conditions[-1].type', ['Stalled']],
    ['.status.conditions[*].n', [1, 2]],
    [String.raw`.metadata.labels.a\.b/c`, ['x']],
    ["['metadata']['labels']['a.b/c']", ['x']],
    ['.status.nothing.below', []],
  ] as const) {
    it(`${path} finds ${JSON.stringify(found)}`, () => assert.deepEqual(compileJsonPath(path)?.([object]), found))
  }

  it('says of a path that it cannot read it', () => assert.equal(compileJsonPath('.a[?(@.b)]!'), undefined))
})

describe('the form that a client asks for', () => {
  for (const [accept, view] of [
    [undefined, 'plain'],
    ['*/*', 'plain'],
    ['application/json', 'plain'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table'],
    ['application/vnd.kubernetes.protobuf,application/json', 'plain'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'metadata',
    ],
    ['application/json;as=Unknown, application/json;as=Table', 'table'],
  ] as const) {
    it(`${accept ?? 'nothing'} is ${view}`, () => assert.equal(viewOf(accept), view))
  }
})

const cellsOf = (apiVersion: string, plural: string, object: object): Readonly<Record<string, unknown>> => {
  const whole = { metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' }, ...object } as KubeObject
  return Object.fromEntries(builtInColumns(apiVersion, plural).map(column => [column.name, column.cell(whole, nowMs)]))
}
const running = { name: 'a', ready: true, restartCount: 0, state: { running: {} } }
const waiting = (reason: string) => ({ name: 'a', ready: false, restartCount: 3, state: { waiting: { reason } } })
const ended = (exitCode: number, reason?: string) => ({
  name: 'a',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, reason } },
})
const pod = (status: object, more: object = {}) => ({ spec: { containers: [{}], initContainers: [{}, {}] }, status, ...more })
const deleted = { metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } }

describe('columns of built-in kinds', () => {
  it('a quota shows what is used of what it allows, limits apart', () => {
    const status = { hard: { pods: '5', 'limits.cpu': '4', 'count/pods': '1k' }, used: { pods: '2', 'count/pods': '3' } }
    assert.deepEqual(cellsOf('v1', 'resourcequotas', { status }), {
      Name: 'a',
      Request: 'count/pods: 3/1k, pods: 2/5',
      Limit: 'limits.cpu: 0/4',
      Age: '60m',
    })
    assert.equal(cellsOf('v1', 'resourcequotas', {})['Request'], '')
  })

  for (const [sentence, object, status, ready] of [
    ['a pod without containers shows its phase', pod({ phase: 'Pending' }), 'Pending', '0/1'],
    ['a running pod', pod({ phase: 'Running', containerStatuses: [running] }), 'Running', '1/1'],
    [
      'what a container waits for',
      pod({ phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] }),
      'ImagePullBackOff',
      '0/1',
    ],
    ['why a container ended', pod({ phase: 'Failed', containerStatuses: [ended(1, 'Error')] }), 'Error', '0/1'],
    ['the exit code where there is no reason', pod({ phase: 'Failed', containerStatuses: [ended(7)] }), 'ExitCode:7', '0/1'],
    ['why the pod as a whole failed', pod({ phase: 'Failed', reason: 'Evicted' }), 'Evicted', '0/1'],
    ['a pod that is being deleted', pod({ phase: 'Running', containerStatuses: [running] }, deleted), 'Terminating', '1/1'],
    [
      'a deleted pod that has ended says how',
      pod({ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }, deleted),
      'Completed',
      '0/1',
    ],
    [
      'which init container runs',
      pod({ phase: 'Pending', initContainerStatuses: [ended(0), waiting('PodInitializing')] }),
      'Init:1/2',
      '0/1',
    ],
    ['how an init container failed', pod({ phase: 'Pending', initContainerStatuses: [ended(2, 'Error')] }), 'Init:Error', '0/1'],
    [
      'what an init container waits for',
      pod({ phase: 'Pending', initContainerStatuses: [waiting('ErrImagePull')] }),
      'Init:ErrImagePull',
      '0/1',
    ],
  ] as const) {
    it(`a pod: ${sentence}`, () => {
      const cells = cellsOf('v1', 'pods', object)
      assert.deepEqual([cells['Status'], cells['Ready']], [status, ready])
    })
  }

  it('a pod: how often it was restarted, and when last', () => {
    const lastState = { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:57:00Z' } }
    const object = pod({ containerStatuses: [{ ...waiting('CrashLoopBackOff'), lastState }] })
    assert.equal(cellsOf('v1', 'pods', object)['Restarts'], '3 (3m ago)')
  })

  it('a node: status, cordon, roles and kernel', () => {
    const node = {
      metadata: { name: 'a', labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/gpu': '' } },
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'Unknown' }], nodeInfo: { kernelVersion: '6.1.0' } },
    }
    const { Status, Roles, 'Kernel-Version': kernel } = cellsOf('v1', 'nodes', node)
    assert.deepEqual([Status, Roles, kernel], ['NotReady,SchedulingDisabled', 'gpu,worker', '6.1.0'])
  })

  it('a DaemonSet counts as numbers, also what is absent', () => {
    const cells = cellsOf('apps/v1', 'daemonsets', {
      spec: { template: { spec: { nodeSelector: { a: 'b', c: '' } } } },
      status: { desiredNumberScheduled: 3 },
    })
    assert.deepEqual([cells['Desired'], cells['Ready'], cells['Node Selector'], cells['Age']], [3, 0, 'a=b,c=', '60m'])
  })

  it('an event: when, what, of whom', () => {
    const cells = cellsOf('v1', 'events', {
      lastTimestamp: '2026-01-01T00:59:00Z',
      involvedObject: { kind: 'Node', name: 'n' },
      message: 'words\n',
    })
    assert.deepEqual([cells['Last Seen'], cells['Object'], cells['Message']], ['60s', 'node/n', 'words'])
  })

  it('a Job: done, failed or how long it has run', () => {
    const job = (status: object) => cellsOf('batch/v1', 'jobs', { spec: { completions: 2 }, status })
    assert.equal(job({ conditions: [{ type: 'Complete', status: 'True' }] })['Status'], 'Complete')
    assert.equal(job({ conditions: [{ type: 'Failed', status: 'True' }] })['Status'], 'Failed')
    const cells = job({ startTime: '2026-01-01T00:58:00Z', succeeded: 1 })
    assert.deepEqual([cells['Status'], cells['Completions'], cells['Duration']], ['Running', '1/2', '2m'])
  })

  it('other kinds have a name and an age', () => assert.deepEqual(cellsOf('x/v1', 'others', {}), { Name: 'a', Age: '60m' }))
})
