// What the server fills into pod specs, and how it writes values. Source: kubernetes, pkg/apis/core/v1/defaults.go.
import type { KubeObject } from '../../core/object.ts'
import { isJson, jsonOf, mapItems, textOf, valueAt, withField } from './json.ts'
import { canonicalQuantity } from './quantity.ts'
import type { Json } from './types.ts'

/** Structures behind pointers: an empty one is stored. Every other empty object or list is left out (Go's omitempty). */
const hollow = new Set([
  'spec',
  'status',
  'securityContext',
  'resources',
  'emptyDir',
  'affinity',
  'nodeAffinity',
  'podAffinity',
  'podAntiAffinity',
  'lifecycle',
  'template',
  'metadata',
  'selector',
  'podSelector',
  'namespaceSelector',
  'objectSelector',
  'labelSelector',
  'rollingUpdate',
  'strategy',
  'updateStrategy',
  'sleep',
  'seccompProfile',
  'capabilities',
  'state',
  'lastState',
  'running',
  'waiting',
  'terminated',
  'downwardAPI',
  'configMap',
  'secret',
  'projected',
  'dnsConfig',
  'nodeInfo',
  'daemonEndpoints',
  'kubeletEndpoint',
  'config',
  'loadBalancer',
  'source',
  'involvedObject',
  'names',
  'acceptedNames',
  'subresources',
]) // prettier-ignore

/** Free maps of text whose values may be empty but which are left out when they have no keys. */
function isLeftOut(field: string, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return isJson(value) && Object.keys(value).length === 0 && !hollow.has(field)
}

/** Without what Go's JSON leaves out; the same reference when nothing is. `kept` names fields that are stored as they are. */
export function withoutEmpty<T>(value: T, old?: unknown, kept: ReadonlySet<string> = new Set()): T {
  if (value === old || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return mapItems(value as readonly unknown[], item => withoutEmpty(item, undefined, kept)) as T
  let result = value
  for (const [field, child] of Object.entries(value)) {
    // An empty set of fields means something there.
    if (field === 'managedFields' || kept.has(field)) continue
    const clean = withoutEmpty(child, jsonOf(old)[field], kept)
    result = withField(result, field, isLeftOut(field, clean) ? undefined : clean)
  }
  return result
}

/** Sets the fields that are absent (or empty text). */
export function withDefaults<T extends Json>(object: T, defaults: Json): T {
  let result = object
  for (const [field, value] of Object.entries(defaults)) {
    if (result[field] === undefined || result[field] === '') result = withField(result, field, value)
  }
  return result
}

/** Changes one field when it is there. */
export function inField<T extends Json>(object: T, field: string, change: (value: Json) => Json): T {
  const value = object[field]
  return isJson(value) ? withField(object, field, change(value)) : object
}

export function inItems<T extends Json>(object: T, field: string, change: (value: Json) => Json): T {
  const value = object[field]
  return Array.isArray(value)
    ? withField(
        object,
        field,
        mapItems(value as readonly unknown[], item => (isJson(item) ? change(item) : item)),
      )
    : object
}

export const quantities = (map: Json): Json =>
  Object.entries(map).reduce<Json>((result, [name, amount]) => withField(result, name, canonicalQuantity(amount)), map)

const inResources = (resources: Json): Json =>
  ['limits', 'requests'].reduce<Json>((result, field) => inField(result, field, quantities), resources)

/** `latest` or no tag is pulled always; a digest never counts as a tag. */
function pullPolicyOf(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  const isLatest = !last.includes('@') && (!last.includes(':') || last.endsWith(':latest'))
  return isLatest ? 'Always' : 'IfNotPresent'
}

const httpGet = (action: Json): Json => withDefaults(action, { path: '/', scheme: 'HTTP' })
const probe = (value: Json): Json =>
  inField(
    withDefaults(value, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
    'httpGet',
    httpGet,
  )
const hook = (value: Json): Json => inField(value, 'httpGet', httpGet)
const fieldRef = (value: Json): Json => inField(value, 'fieldRef', ref => withDefaults(ref, { apiVersion: 'v1' }))

/** Text fields that Go leaves out when they are empty. */
const withoutEmptyText = (value: Json, fields: readonly string[]): Json =>
  fields.reduce((result, field) => (result[field] === '' ? withField(result, field, undefined) : result), value)

function container(value: Json): Json {
  let result = withDefaults(withoutZero(value, ['stdin', 'stdinOnce', 'tty']), {
    imagePullPolicy: pullPolicyOf(textOf(value['image'])),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  })
  result = inField(result, 'resources', inResources)
  result = inItems(result, 'ports', port => withDefaults(withoutZero(port, ['hostPort']), { protocol: 'TCP' }))
  result = inItems(result, 'volumeMounts', mount => withoutZero(mount, ['readOnly']))
  result = inItems(result, 'env', env => inField(withoutEmptyText(env, ['value']), 'valueFrom', fieldRef))
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe']) result = inField(result, field, probe)
  return inField(result, 'lifecycle', lifecycle => inField(inField(lifecycle, 'postStart', hook), 'preStop', hook))
}

/** 0644 */
const defaultMode = 420

function volume(value: Json): Json {
  if (Object.keys(value).length === 1 && value['name'] !== undefined) return { ...value, emptyDir: {} }
  let result = value
  for (const field of ['secret', 'configMap', 'projected', 'downwardAPI']) {
    result = inField(result, field, source => withDefaults(source, { defaultMode }))
  }
  result = inField(result, 'downwardAPI', source => inItems(source, 'items', fieldRef))
  result = inField(result, 'emptyDir', source => withField(source, 'sizeLimit', canonicalQuantity(source['sizeLimit'])))
  result = inField(result, 'projected', source => inItems(source, 'sources', projectedSource))
  return inField(result, 'hostPath', source => (source['type'] === undefined ? { ...source, type: '' } : source))
}

function projectedSource(source: Json): Json {
  const result = inField(source, 'serviceAccountToken', token => withDefaults(token, { expirationSeconds: 3600 }))
  return inField(result, 'downwardAPI', projection => inItems(projection, 'items', fieldRef))
}

/** Fields that Go leaves out when they are false or zero. */
export const withoutZero = (value: Json, fields: readonly string[]): Json =>
  fields.reduce(
    (result, field) => (result[field] === false || result[field] === 0 ? withField(result, field, undefined) : result),
    value,
  )

const emptyTexts = ['serviceAccountName', 'serviceAccount', 'nodeName', 'priorityClassName', 'hostname', 'subdomain']

/** Defaults of a pod spec wherever it stands. `enableServiceLinks` is set on Pods only. */
export function completePodSpec(spec: Json): Json {
  let result = withDefaults(withoutEmptyText(withoutZero(spec, ['hostNetwork', 'hostPID', 'hostIPC']), emptyTexts), {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  })
  for (const field of ['containers', 'initContainers']) result = inItems(result, field, container)
  // The old name of the field is always written beside the new one.
  // It also stands in where the new one is absent: apply cannot take a service account away.
  const account = result['serviceAccountName'] ?? result['serviceAccount']
  result = withField(withField(result, 'serviceAccountName', account), 'serviceAccount', account)
  result = inItems(result, 'tolerations', item => withoutEmptyText(item, ['key', 'operator', 'value', 'effect']))
  return inItems(result, 'volumes', volume)
}

/** A pod's requests default to its limits; a pod template's do not. */
function requestsFromLimits(item: Json): Json {
  return inField(item, 'resources', resources => {
    const limits = jsonOf(resources['limits'])
    if (Object.keys(limits).length === 0) return resources
    return withField(resources, 'requests', withDefaults(jsonOf(resources['requests']), limits))
  })
}

/** Times that Go writes as null. */
const condition = (value: Json): Json => withDefaults(value, { lastProbeTime: null, lastTransitionTime: null })

export function completePod(pod: KubeObject, old: KubeObject | undefined): KubeObject {
  const spec = valueAt(pod, ['spec'])
  const status = valueAt(pod, ['status'])
  const isNews = isJson(status) && status !== valueAt(old, ['status'])
  const told = isNews ? withField(pod, 'status', inItems(status, 'conditions', condition)) : pod
  if (old !== undefined && valueAt(old, ['spec']) === spec) return told
  let result = withDefaults(completePodSpec(jsonOf(spec)), { enableServiceLinks: true })
  const isHost = result['hostNetwork'] === true
  const hostPorts = (item: Json) => inItems(item, 'ports', port => withDefaults(port, { hostPort: port['containerPort'] }))
  for (const field of ['containers', 'initContainers']) {
    result = inItems(result, field, requestsFromLimits)
    if (isHost) result = inItems(result, field, hostPorts)
  }
  return withField(told, 'spec', result)
}
