// The columns of `kubectl get` for the kinds that come with Kubernetes. Source: kubernetes/pkg/printers/internalversion, by what it prints.
import type { KubeObject } from '../../core/object.ts'
import { isJson, jsonOf, listOf, textOf, valueAt } from '../api/json.ts'
import { fieldText } from '../api/selectors.ts'
import { printAge, printSpan } from './age.ts'
import { podReady, podRestarts, podStatus } from './pod-columns.ts'

export type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority: number
  cell(object: KubeObject, nowMs: number): unknown
}

type Cell = Column['cell']
const column = (name: string, cell: Cell, priority = 0, type: Column['type'] = 'string'): Column => ({
  name,
  type,
  priority,
  cell,
})
const wide = (name: string, cell: Cell): Column => column(name, cell, 1)
const count = (name: string, cell: Cell): Column => column(name, cell, 0, 'integer')

const none = '<none>'
const at =
  (...path: readonly string[]): Cell =>
  object =>
    valueAt(object, path)
const orNone = (value: unknown): string => fieldText(value) || none
const text =
  (...path: readonly string[]): Cell =>
  object =>
    orNone(valueAt(object, path))
const number =
  (...path: readonly string[]): Cell =>
  object =>
    Number(valueAt(object, path) ?? 0)
const size =
  (...path: readonly string[]): Cell =>
  object => {
    const value = valueAt(object, path)
    return Array.isArray(value) ? value.length : isJson(value) ? Object.keys(value).length : 0
  }
const pairs = (value: unknown): string =>
  orNone(
    Object.entries(jsonOf(value))
      .map(([key, part]) => `${key}=${String(part)}`)
      .join(','),
  )
const containers = (field: string, spec: readonly string[]): Cell => {
  return object =>
    listOf(valueAt(object, [...spec, 'containers']))
      .map(container => textOf(jsonOf(container)[field]))
      .join(',')
}
const conditionsOf = (object: KubeObject) => listOf(valueAt(object, ['status', 'conditions'])).map(jsonOf)

export const nameColumn: Column = { ...column('Name', object => object.metadata.name), format: 'name' }
const age = column('Age', (object, nowMs) => printAge(object.metadata.creationTimestamp, nowMs))
const template = ['spec', 'template', 'spec']

function nodeStatus(object: KubeObject): string {
  const ready = conditionsOf(object).find(condition => condition['type'] === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'
  return valueAt(object, ['spec', 'unschedulable']) === true ? `${word},SchedulingDisabled` : word
}

function nodeRoles({ metadata: { labels = {} } }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/'
  const roles = Object.entries(labels).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [key.slice(prefix.length)] : key === 'kubernetes.io/role' ? [value] : [],
  )
  return orNone(
    roles
      .filter(role => role !== '')
      .sort()
      .join(','),
  )
}

const address =
  (type: string): Cell =>
  object =>
    orNone(
      listOf(valueAt(object, ['status', 'addresses']))
        .map(jsonOf)
        .find(one => one['type'] === type)?.['address'],
    )

function jobStatus(object: KubeObject): string {
  const is = (type: string) =>
    conditionsOf(object).some(condition => condition['type'] === type && condition['status'] === 'True')
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
  return is('Suspended')
    ? 'Suspended'
    : is('FailureTarget')
      ? 'FailureTarget'
      : is('SuccessCriteriaMet')
        ? 'SuccessCriteriaMet'
        : 'Running'
}

function jobDuration(object: KubeObject, nowMs: number): string {
  const start = Date.parse(textOf(valueAt(object, ['status', 'startTime'])))
  const end = Date.parse(textOf(valueAt(object, ['status', 'completionTime'])))
  return Number.isNaN(start) ? '' : printSpan((Number.isNaN(end) ? nowMs : end) - start)
}

const eventTime = (object: KubeObject) =>
  valueAt(object, ['lastTimestamp']) ?? valueAt(object, ['series', 'lastObservedTime']) ?? valueAt(object, ['eventTime'])
const eventObject = (object: KubeObject) => {
  const { kind, name } = jsonOf(valueAt(object, ['involvedObject']))
  return `${textOf(kind).toLowerCase()}/${textOf(name)}`
}
const eventSource: Cell = object =>
  [valueAt(object, ['source', 'component']) ?? valueAt(object, ['reportingComponent']), valueAt(object, ['source', 'host'])]
    .map(textOf)
    .filter(part => part !== '')
    .join(', ')

/** `pods: 1/5`, of what is used and what is allowed. */
const quotaCell =
  (isShown: (name: string) => boolean): Cell =>
  object =>
    Object.entries(jsonOf(valueAt(object, ['status', 'hard'])))
      .filter(([name]) => isShown(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, hard]) => `${name}: ${textOf(valueAt(object, ['status', 'used', name])) || '0'}/${textOf(hard)}`)
      .join(', ')
const isLimit = (name: string) => name.startsWith('limits.')

/** By `apiVersion/plural`; other built-in kinds have a name and an age. */
const columns: Readonly<Record<string, readonly Column[]>> = {
  'v1/nodes': [
    nameColumn,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    age,
    column('Version', at('status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', address('InternalIP')),
    wide('External-IP', address('ExternalIP')),
    wide('OS-Image', text('status', 'nodeInfo', 'osImage')),
    wide('Kernel-Version', text('status', 'nodeInfo', 'kernelVersion')),
    wide('Container-Runtime', text('status', 'nodeInfo', 'containerRuntimeVersion')),
  ],
  'v1/pods': [
    nameColumn,
    column('Ready', podReady),
    column('Status', podStatus),
    column('Restarts', podRestarts),
    age,
    wide('IP', text('status', 'podIP')),
    wide('Node', text('spec', 'nodeName')),
    wide('Nominated Node', text('status', 'nominatedNodeName')),
    wide('Readiness Gates', () => none),
  ],
  'v1/namespaces': [nameColumn, column('Status', at('status', 'phase')), age],
  'v1/configmaps': [
    nameColumn,
    count('Data', object => Number(size('data')(object, 0)) + Number(size('binaryData')(object, 0))),
    age,
  ],
  'v1/secrets': [nameColumn, column('Type', at('type')), count('Data', size('data')), age],
  'v1/serviceaccounts': [nameColumn, count('Secrets', size('secrets')), age],
  'v1/resourcequotas': [
    nameColumn,
    column(
      'Request',
      quotaCell(name => !isLimit(name)),
    ),
    column('Limit', quotaCell(isLimit)),
    age,
  ],
  'v1/services': [
    nameColumn,
    column('Type', at('spec', 'type')),
    column('Cluster-IP', text('spec', 'clusterIP')),
    column('External-IP', () => none),
    column('Port(s)', object =>
      orNone(
        listOf(valueAt(object, ['spec', 'ports']))
          .map(port => `${String(jsonOf(port)['port'])}/${textOf(jsonOf(port)['protocol'])}`)
          .join(','),
      ),
    ),
    age,
  ],
  'v1/events': [
    column('Last Seen', (object, nowMs) => printAge(eventTime(object), nowMs)),
    column('Type', at('type')),
    column('Reason', at('reason')),
    column('Object', eventObject),
    wide('Subobject', text('involvedObject', 'fieldPath')),
    wide('Source', eventSource),
    column('Message', object => textOf(valueAt(object, ['message'])).trim()),
    wide('First Seen', (object, nowMs) => printAge(valueAt(object, ['firstTimestamp']) ?? eventTime(object), nowMs)),
    { ...wide('Count', object => Number(valueAt(object, ['count']) ?? 1)), type: 'integer' },
    { ...nameColumn, priority: 1 },
  ],
  'apps/v1/daemonsets': [
    nameColumn,
    count('Desired', number('status', 'desiredNumberScheduled')),
    count('Current', number('status', 'currentNumberScheduled')),
    count('Ready', number('status', 'numberReady')),
    count('Up-to-date', number('status', 'updatedNumberScheduled')),
    count('Available', number('status', 'numberAvailable')),
    column('Node Selector', object => pairs(valueAt(object, [...template, 'nodeSelector']))),
    age,
    wide('Containers', containers('name', template)),
    wide('Images', containers('image', template)),
    wide('Selector', object => pairs(valueAt(object, ['spec', 'selector', 'matchLabels']))),
  ],
  'apps/v1/deployments': [
    nameColumn,
    column(
      'Ready',
      object => `${String(number('status', 'readyReplicas')(object, 0))}/${String(number('spec', 'replicas')(object, 0))}`,
    ),
    count('Up-to-date', number('status', 'updatedReplicas')),
    count('Available', number('status', 'availableReplicas')),
    age,
    wide('Containers', containers('name', template)),
    wide('Images', containers('image', template)),
  ],
  'batch/v1/jobs': [
    nameColumn,
    column('Status', jobStatus),
    column(
      'Completions',
      object => `${String(number('status', 'succeeded')(object, 0))}/${fieldText(valueAt(object, ['spec', 'completions']) ?? 1)}`,
    ),
    column('Duration', jobDuration),
    age,
    wide('Containers', containers('name', template)),
    wide('Images', containers('image', template)),
  ],
  'coordination.k8s.io/v1/leases': [nameColumn, column('Holder', at('spec', 'holderIdentity')), age],
  'apiextensions.k8s.io/v1/customresourcedefinitions': [nameColumn, column('Created At', at('metadata', 'creationTimestamp'))],
}

export const builtInColumns = (apiVersion: string, plural: string): readonly Column[] =>
  columns[`${apiVersion}/${plural}`] ?? [nameColumn, age]
