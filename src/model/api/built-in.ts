// The kinds that come with Kubernetes: how each is served, completed and checked.
import type { KubeObject } from '../../core/object.ts'
import { invalidValue, notSupported, required } from './errors.ts'
import { isEqual, isJson, jsonOf, listOf, textOf, valueAt, withField, withPath } from './json.ts'
import { labelProblems } from './metadata.ts'
import { completePod, completePodSpec, inField, quantities, withDefaults, withoutEmpty, withoutZero } from './pod-defaults.ts'
import { jobProblems, podProblems, workloadProblems } from './pod-validation.ts'
import { shapes } from './shapes.ts'
import type { ApiResource, FieldProblem, Json } from './types.ts'

type Options = Omit<ApiResource, 'apiVersion' | 'kind' | 'plural' | 'namespaced'> & { readonly kept?: ReadonlySet<string> }

function kind(
  apiVersion: string,
  name: string,
  plural: string,
  scope: 'namespaced' | 'cluster',
  options: Options = {},
): ApiResource {
  const { complete, kept, ...rest } = options
  return {
    apiVersion,
    kind: name,
    plural,
    namespaced: scope === 'namespaced',
    singular: name.toLowerCase(),
    origin: 'built-in',
    statusMetadata: 'written',
    shape: shapes.plain,
    ...rest,
    complete: (object, old, source) => {
      const clean = withoutEmpty(object, old, kept)
      return complete === undefined ? clean : complete(clean, old, source)
    },
  }
}

const spec = (object: KubeObject): Json => jsonOf(valueAt(object, ['spec']))
const inSpec = (object: KubeObject, old: KubeObject | undefined, change: (spec: Json) => Json): KubeObject =>
  old !== undefined && valueAt(old, ['spec']) === valueAt(object, ['spec'])
    ? object
    : withField(object, 'spec', change(spec(object)))

const templateSpec = (value: Json): Json =>
  inField(value, 'template', template => withField(template, 'spec', completePodSpec(jsonOf(template['spec']))))

const rolling = (value: Json, field: string, defaults: Json): Json => {
  const strategy = withDefaults(jsonOf(value[field]), { type: 'RollingUpdate' })
  const full =
    strategy['type'] === 'RollingUpdate'
      ? withField(strategy, 'rollingUpdate', withDefaults(jsonOf(strategy['rollingUpdate']), defaults))
      : strategy
  return withField(value, field, full)
}

const completeDaemonSet = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(
      rolling(templateSpec(withoutZero(value, ['minReadySeconds'])), 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 }),
      {
        revisionHistoryLimit: 10,
      },
    ),
  )

/** The template's own count, which an older API version had as a field: kept by the server, whatever is sent. */
const templateGeneration = 'deprecated.daemonset.template.generation'

const countTemplates = (object: KubeObject, old: KubeObject | undefined, source: 'sent' | 'merged') => {
  const full = completeDaemonSet(object, old)
  if (source === 'merged' || full.metadata.annotations?.[templateGeneration] !== undefined) return full
  return withPath(full, ['metadata', 'annotations', templateGeneration], () => '0')
}

function prepareDaemonSet(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const before = Number(old?.metadata.annotations?.[templateGeneration] ?? 0)
  const isSame = old !== undefined && isEqual(valueAt(old, ['spec', 'template']), valueAt(object, ['spec', 'template']))
  return withPath(object, ['metadata', 'annotations', templateGeneration], () => String(isSame ? before : before + 1))
}

const completeDeployment = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(rolling(templateSpec(value), 'strategy', { maxUnavailable: '25%', maxSurge: '25%' }), {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    }),
  )

function completeJob(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const labels = valueAt(object, ['spec', 'template', 'metadata', 'labels'])
  const labelled =
    isJson(labels) && Object.keys(object.metadata.labels ?? {}).length === 0
      ? withPath(object, ['metadata', 'labels'], () => labels)
      : object
  return inSpec(labelled, old, value =>
    withDefaults(templateSpec(value), {
      ...(value['parallelism'] === undefined ? { completions: 1 } : {}),
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
    }),
  )
}

/** A Job's pods carry its uid, and its selector names it. Source: kubernetes, pkg/registry/batch/job/strategy.go. */
function prepareJob(object: KubeObject, old: KubeObject | undefined): KubeObject {
  if (old !== undefined || spec(object)['manualSelector'] === true) return object
  const { uid = '', name } = object.metadata
  const labels = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  const labelled = withPath(object, ['spec', 'template', 'metadata', 'labels'], current => ({ ...jsonOf(current), ...labels }))
  return withPath(labelled, ['spec', 'selector'], () => ({ matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }))
}

const completeNamespace = (object: KubeObject) =>
  object.metadata.name === undefined
    ? object
    : withPath(object, ['metadata', 'labels', 'kubernetes.io/metadata.name'], () => object.metadata.name)

const prepareNamespace = (object: KubeObject, old: KubeObject | undefined) =>
  old === undefined ? { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } } : object

const completeNode = (object: KubeObject, old: KubeObject | undefined) => {
  if (old !== undefined && valueAt(old, ['status']) === valueAt(object, ['status'])) return object
  const status = ['capacity', 'allocatable'].reduce(
    (value, field) => inField(value, field, quantities),
    jsonOf(valueAt(object, ['status'])),
  )
  return valueAt(object, ['status']) === undefined ? object : withField(object, 'status', status)
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function taintProblems(object: KubeObject): readonly FieldProblem[] {
  return listOf(spec(object)['taints']).flatMap((item, index) => {
    const taint = jsonOf(item)
    const path = `metadata.taints[${index}]`
    const effect = textOf(taint['effect'])
    return [
      ...labelProblems({ [textOf(taint['key'])]: textOf(taint['value']) }, path),
      ...(effect === '' ? [required(`${path}.effect`)] : []),
      ...(effect === '' || taintEffects.includes(effect) ? [] : [notSupported(`${path}.effect`, effect, taintEffects)]),
    ]
  })
}

const preparePod = (object: KubeObject, old: KubeObject | undefined) =>
  old === undefined && valueAt(object, ['status', 'phase']) === undefined
    ? withField(object, 'status', { ...jsonOf(valueAt(object, ['status'])), phase: 'Pending' })
    : object

/** Asked, else the pod's own period; an unscheduled or finished pod goes at once. Source: pkg/registry/core/pod/strategy.go. */
function podGraceSeconds(pod: KubeObject, asked: number | undefined): number {
  const { nodeName, terminationGracePeriodSeconds } = spec(pod)
  if (textOf(nodeName) === '') return 0
  if (['Failed', 'Succeeded'].includes(textOf(valueAt(pod, ['status', 'phase'])))) return 0
  const period = asked ?? (typeof terminationGracePeriodSeconds === 'number' ? terminationGracePeriodSeconds : 0)
  return period < 0 ? 1 : period
}

/** stringData is written into data and never read back. */
function completeSecret(object: KubeObject): KubeObject {
  const stringData = valueAt(object, ['stringData'])
  const typed = withDefaults(object as KubeObject & Json, { type: 'Opaque' })
  if (!isJson(stringData)) return typed
  const encoded = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
  )
  return withField(withField(typed, 'data', { ...jsonOf(valueAt(object, ['data'])), ...encoded }), 'stringData', undefined)
}

const secretProblems = (object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] =>
  old !== undefined && valueAt(old, ['type']) !== valueAt(object, ['type'])
    ? [invalidValue('type', valueAt(object, ['type']), 'field is immutable')]
    : []

const completeService = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(value, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' }),
  )

const emptyTemplate: Json = { metadata: {}, spec: { containers: null } }
const emptyDaemonSet: Json = {
  spec: { template: emptyTemplate, updateStrategy: {} },
  status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
}
const emptyDeployment: Json = { spec: { template: emptyTemplate, strategy: {} }, status: {} }
const emptyPod: Json = { spec: { containers: null }, status: {} }
const eventFields = [
  'involvedObject.kind',
  'involvedObject.namespace',
  'involvedObject.name',
  'involvedObject.uid',
  'involvedObject.apiVersion',
  'involvedObject.fieldPath',
  'involvedObject.resourceVersion',
  'reason',
  'reportingComponent',
  'source',
  'type',
]
const podFields = [
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'spec.hostNetwork',
  'status.phase',
  'status.podIP',
  'status.nominatedNodeName',
]
const rbac = 'rbac.authorization.k8s.io/v1'
const own = { status: 'subresource', generation: 'counted' } as const

/** The kinds of a Kubernetes cluster that operators use, as the server serves them. */
export const builtInResources: readonly ApiResource[] = [
  kind('v1', 'Namespace', 'namespaces', 'cluster', {
    status: 'subresource',
    shape: shapes.namespace,
    empty: { spec: {}, status: {} },
    shortNames: ['ns'],
    nameSyntax: 'label',
    selectable: ['status.phase'],
    complete: completeNamespace,
    prepare: prepareNamespace,
  }),
  kind('v1', 'Node', 'nodes', 'cluster', {
    status: 'subresource',
    shape: shapes.node,
    empty: { spec: {}, status: { daemonEndpoints: { kubeletEndpoint: {} }, nodeInfo: {} } },
    statusOnCreate: 'kept',
    shortNames: ['no'],
    selectable: ['spec.unschedulable'],
    complete: completeNode,
    validate: taintProblems,
  }),
  kind('v1', 'Pod', 'pods', 'namespaced', {
    ...own,
    shape: shapes.pod,
    empty: emptyPod,
    shortNames: ['po'],
    selectable: podFields,
    indexed: ['spec.nodeName'],
    complete: completePod,
    prepare: preparePod,
    validate: podProblems,
    graceSeconds: podGraceSeconds,
  }),
  kind('v1', 'Event', 'events', 'namespaced', {
    shape: shapes.event,
    empty: { source: {} },
    shortNames: ['ev'],
    selectable: eventFields,
  }),
  kind('v1', 'Secret', 'secrets', 'namespaced', {
    shape: shapes.data,
    selectable: ['type'],
    complete: completeSecret,
    validate: secretProblems,
  }),
  kind('v1', 'ConfigMap', 'configmaps', 'namespaced', { shape: shapes.data, shortNames: ['cm'] }),
  kind('v1', 'ServiceAccount', 'serviceaccounts', 'namespaced', { shape: shapes.serviceAccount, shortNames: ['sa'] }),
  kind('v1', 'Service', 'services', 'namespaced', {
    status: 'subresource',
    shape: shapes.service,
    empty: { spec: {}, status: { loadBalancer: {} } },
    shortNames: ['svc'],
    nameSyntax: 'label',
    complete: completeService,
  }),
  kind('apps/v1', 'DaemonSet', 'daemonsets', 'namespaced', {
    ...own,
    shape: shapes.workload,
    empty: emptyDaemonSet,
    shortNames: ['ds'],
    complete: countTemplates,
    prepare: prepareDaemonSet,
    validate: workloadProblems,
  }),
  kind('apps/v1', 'Deployment', 'deployments', 'namespaced', {
    ...own,
    shape: shapes.workload,
    empty: emptyDeployment,
    shortNames: ['deploy'],
    complete: completeDeployment,
    validate: workloadProblems,
  }),
  kind('apps/v1', 'ControllerRevision', 'controllerrevisions', 'namespaced', { kept: new Set(['data']) }),
  kind('batch/v1', 'Job', 'jobs', 'namespaced', {
    ...own,
    shape: shapes.job,
    empty: { spec: { template: { metadata: {}, spec: { containers: null } } }, status: {} },
    defaultPropagation: 'Orphan',
    selectable: ['status.successful'],
    complete: completeJob,
    prepare: prepareJob,
    validate: jobProblems,
  }),
  kind('coordination.k8s.io/v1', 'Lease', 'leases', 'namespaced', { empty: { spec: {} } }),
  kind(rbac, 'Role', 'roles', 'namespaced', { nameSyntax: 'path', shape: shapes.role }),
  kind(rbac, 'RoleBinding', 'rolebindings', 'namespaced', { nameSyntax: 'path', shape: shapes.role }),
  kind(rbac, 'ClusterRole', 'clusterroles', 'cluster', { nameSyntax: 'path', shape: shapes.role }),
  kind(rbac, 'ClusterRoleBinding', 'clusterrolebindings', 'cluster', { nameSyntax: 'path', shape: shapes.role }),
  kind('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', 'cluster', {
    generation: 'counted',
    shape: shapes.webhooks,
  }),
  kind('scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', 'cluster', { shortNames: ['pc'] }),
  kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'cluster', {
    ...own,
    shape: shapes.crd,
    empty: { spec: { names: {} }, status: { conditions: null, acceptedNames: {}, storedVersions: null } },
    shortNames: ['crd', 'crds'],
    kept: new Set(['versions']),
  }),
]
