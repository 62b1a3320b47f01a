// The kinds that come with Kubernetes: how each is served, completed and checked.
import {
  completeDeployment,
  completeJob,
  completeNamespace,
  completeNode,
  completeQuota,
  completeSecret,
  completeService,
  countTemplates,
  podGraceSeconds,
  prepareDaemonSet,
  prepareJob,
  prepareNamespace,
  prepareNode,
  preparePod,
  secretProblems,
  taintProblems,
} from './completion.ts'
import { completePod, withoutEmpty } from './pod-defaults.ts'
import { jobProblems, podProblems, workloadProblems } from './pod-validation.ts'
import { shapes } from './shapes.ts'
import type { ApiResource, Json } from './types.ts'

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
const metadataParts = ['labels', 'annotations', 'finalizers', 'ownerReferences', 'managedFields'].map(field => [
  'metadata',
  field,
])
const podParts = [
  ...metadataParts,
  ...['containers', 'initContainers', 'volumes', 'tolerations', 'nodeSelector', 'securityContext'].map(field => ['spec', field]),
  ...['conditions', 'containerStatuses', 'initContainerStatuses'].map(field => ['status', field]),
]
const nodeParts = [['metadata', 'managedFields'], ...['capacity', 'allocatable', 'conditions'].map(field => ['status', field])]
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
    shared: nodeParts,
    prepare: prepareNode,
    validate: taintProblems,
  }),
  kind('v1', 'Pod', 'pods', 'namespaced', {
    categories: ['all'],
    ...own,
    shape: shapes.pod,
    empty: emptyPod,
    shortNames: ['po'],
    selectable: podFields,
    indexed: ['spec.nodeName'],
    complete: completePod,
    shared: podParts,
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
  kind('v1', 'ResourceQuota', 'resourcequotas', 'namespaced', {
    status: 'subresource',
    empty: { spec: {}, status: {} },
    shortNames: ['quota'],
    complete: completeQuota,
  }),
  kind('v1', 'Service', 'services', 'namespaced', {
    categories: ['all'],
    status: 'subresource',
    shape: shapes.service,
    empty: { spec: {}, status: { loadBalancer: {} } },
    shortNames: ['svc'],
    nameSyntax: 'label',
    complete: completeService,
  }),
  kind('apps/v1', 'DaemonSet', 'daemonsets', 'namespaced', {
    categories: ['all'],
    ...own,
    shape: shapes.workload,
    empty: emptyDaemonSet,
    shortNames: ['ds'],
    complete: countTemplates,
    prepare: prepareDaemonSet,
    validate: workloadProblems,
  }),
  kind('apps/v1', 'Deployment', 'deployments', 'namespaced', {
    categories: ['all'],
    ...own,
    shape: shapes.workload,
    empty: emptyDeployment,
    shortNames: ['deploy'],
    complete: completeDeployment,
    validate: workloadProblems,
  }),
  kind('apps/v1', 'ControllerRevision', 'controllerrevisions', 'namespaced', { kept: new Set(['data']) }),
  kind('batch/v1', 'Job', 'jobs', 'namespaced', {
    categories: ['all'],
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
