// The kinds a file may hold. Planners read some of them; the others are accepted so that a whole manifest folder can be given.
import type { Resource } from '../../core/object.ts'

export type KnownKind = Pick<Resource, 'apiVersion' | 'kind' | 'namespaced'>

// apiVersion, kinds that live in a namespace, cluster-scoped kinds. Source: `kubectl api-resources` of Kubernetes and OKD.
const table: readonly (readonly [apiVersion: string, namespaced: string, clusterScoped: string])[] = [
  ['kmm.sigs.x-k8s.io/v1beta1', 'Module', 'PreflightValidation PreflightValidationOCP'],
  ['hub.kmm.sigs.x-k8s.io/v1beta1', '', 'ManagedClusterModule'],
  [
    'v1',
    'ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount',
    'Namespace Node PersistentVolume',
  ],
  ['apps/v1', 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet', ''],
  ['batch/v1', 'CronJob Job', ''],
  ['events.k8s.io/v1', 'Event', ''],
  ['coordination.k8s.io/v1', 'Lease', ''],
  ['discovery.k8s.io/v1', 'EndpointSlice', ''],
  ['networking.k8s.io/v1', 'Ingress NetworkPolicy', 'IngressClass'],
  ['policy/v1', 'PodDisruptionBudget', ''],
  ['rbac.authorization.k8s.io/v1', 'Role RoleBinding', 'ClusterRole ClusterRoleBinding'],
  ['scheduling.k8s.io/v1', '', 'PriorityClass'],
  ['storage.k8s.io/v1', '', 'CSIDriver CSINode StorageClass VolumeAttachment'],
  [
    'admissionregistration.k8s.io/v1',
    '',
    'MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration',
  ],
  ['apiextensions.k8s.io/v1', '', 'CustomResourceDefinition'],
  ['apiregistration.k8s.io/v1', '', 'APIService'],
  ['cert-manager.io/v1', 'Certificate Issuer', 'ClusterIssuer'],
  ['monitoring.coreos.com/v1', 'PodMonitor PrometheusRule ServiceMonitor', ''],
  ['build.openshift.io/v1', 'Build BuildConfig', ''],
  ['image.openshift.io/v1', 'ImageStream ImageStreamTag', ''],
  ['machineconfiguration.openshift.io/v1', '', 'MachineConfig MachineConfigPool'],
  ['project.openshift.io/v1', '', 'Project'],
  ['security.openshift.io/v1', '', 'SecurityContextConstraints'],
  ['operators.coreos.com/v1', 'OperatorGroup', ''],
  ['operators.coreos.com/v1alpha1', 'CatalogSource ClusterServiceVersion InstallPlan Subscription', ''],
  ['cluster.open-cluster-management.io/v1', '', 'ManagedCluster'],
  ['cluster.open-cluster-management.io/v1alpha1', '', 'ClusterClaim'],
  ['work.open-cluster-management.io/v1', 'ManifestWork', ''],
]

const words = (text: string) => text.split(' ').filter(word => word !== '')

export const knownKinds: readonly KnownKind[] = table.flatMap(([apiVersion, namespaced, clusterScoped]) => [
  ...words(namespaced).map(kind => ({ apiVersion, kind, namespaced: true })),
  ...words(clusterScoped).map(kind => ({ apiVersion, kind, namespaced: false })),
])

/** The known kind, or what is wrong: which of the two fields, and one sentence. */
export function decideKind(
  apiVersion: string,
  kind: string,
): KnownKind | { readonly field: 'apiVersion' | 'kind'; readonly error: string } {
  const sameKind = knownKinds.filter(known => known.kind === kind)
  const exact = sameKind.find(known => known.apiVersion === apiVersion)
  if (exact !== undefined) return exact
  if (sameKind.length > 0) {
    const right = sameKind.map(known => known.apiVersion).join(' or ')
    return { field: 'apiVersion', error: `must be ${right} for kind ${kind}, but is ${apiVersion === '' ? 'empty' : apiVersion}` }
  }
  const folded = kind.toLowerCase()
  const similar = knownKinds.find(known => known.kind.toLowerCase() === folded || `${known.kind.toLowerCase()}s` === folded)
  if (similar !== undefined) return { field: 'kind', error: `is an unknown kind: "${kind}"; write it "${similar.kind}"` }
  return { field: 'kind', error: `is an unknown kind: "${kind}"; correct it, or leave this object out` }
}
