// How OpenShift refuses a pod that no SecurityContextConstraints allow. The words are those of its API server (apiserver-library-go,
// securitycontextconstraints), as clusters with restricted-v2 show them.
import type { KubeObject } from '../../core/object.ts'
import type { AdmissionAnswer, AdmissionReview } from '../../model/api/types.ts'

type SecurityContext = {
  readonly privileged?: boolean
  readonly runAsUser?: number
  readonly capabilities?: { readonly add?: readonly string[] }
}
type PodSpec = {
  readonly containers?: readonly { readonly securityContext?: SecurityContext }[]
  readonly volumes?: readonly object[]
}

/** They come with every cluster, and somebody has to be given each of them but restricted-v2. */
const ungranted = 'restricted nonroot-v2 nonroot hostmount-anyuid hostnetwork-v2 hostnetwork hostaccess privileged'.split(' ')
const notGranted = (name: string) => `provider "${name}": Forbidden: not usable by user or serviceaccount`
/** User ids of a namespace (its annotation openshift.io/sa.scc.uid-range). */
const [lowestUser, highestUser] = [1_000_660_000, 1_000_669_999]

/** What restricted-v2 forbids in this pod. */
function forbiddenIn({ containers = [], volumes = [] }: PodSpec): readonly string[] {
  const hostPaths = volumes.flatMap((volume, index) =>
    'hostPath' in volume
      ? [`spec.volumes[${index}]: Invalid value: "hostPath": hostPath volumes are not allowed to be used`]
      : [],
  )
  const inContainers = containers.flatMap(({ securityContext = {} }, index) => {
    const { privileged, runAsUser, capabilities } = securityContext
    const about = `provider restricted-v2: .containers[${index}]`
    const isOutside = runAsUser !== undefined && (runAsUser < lowestUser || runAsUser > highestUser)
    return [
      ...(isOutside
        ? [`${about}.runAsUser: Invalid value: ${runAsUser}: must be in the ranges: [${lowestUser}, ${highestUser}]`]
        : []),
      ...(privileged === true ? [`${about}.privileged: Invalid value: true: Privileged containers are not allowed`] : []),
      ...(capabilities?.add ?? [])
        .filter(name => name !== 'NET_BIND_SERVICE')
        .map(name => `${about}.capabilities.add: Invalid value: "${name}": capability may not be added`),
    ]
  })
  return [...hostPaths, ...inContainers]
}

/** The pod has no name yet when this plugin sees it, only the beginning of one. */
const nameBefore = ({ metadata }: KubeObject): string => {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  return owner === undefined ? metadata.name : `${owner.name}-`
}

/** Nobody has granted the service accounts of these namespaces more than what all have. */
export const restrictedIn =
  (namespaces: ReadonlySet<string>) =>
  ({ resource, operation, namespace, object }: AdmissionReview): AdmissionAnswer => {
    const isNewPod = resource.kind === 'Pod' && operation === 'CREATE'
    if (!isNewPod || object === undefined || !namespaces.has(namespace ?? '')) return { allowed: true }
    const { spec = {} }: KubeObject & { readonly spec?: PodSpec } = object
    const found = forbiddenIn(spec)
    if (found.length === 0) return { allowed: true }
    const words = [notGranted('anyuid'), ...found, ...ungranted.map(notGranted)].join(', ')
    const message = `unable to validate against any security context constraint: [${words}]`
    return { allowed: false, pluginNames: nameBefore(object), message }
  }
