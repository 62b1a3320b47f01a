// Problems of the pods: the cluster refuses them, or a node cannot start them.
import { type Case, entry, type OnNode, quote, type Words } from './problem-entry.ts'

const account = 'kubectl -n NAMESPACE create serviceaccount SERVICE_ACCOUNT'
const scc = 'oc adm policy add-scc-to-user privileged -z SERVICE_ACCOUNT -n NAMESPACE'
const podSecurity = 'kubectl label --overwrite namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged'

/** Nobody should weaken a namespace for what a quota refuses. The words are those of the admission plugins. */
const refusals: readonly Case[] = [
  {
    says: 'insufficient quota to match these scopes',
    todo: 'Give namespace NAMESPACE a ResourceQuota whose scopeSelector has the named priority class: this cluster admits it only there.',
  },
  {
    says: 'exceeded quota',
    todo: 'Raise the named ResourceQuota of namespace NAMESPACE, or remove what uses it up: kubectl -n NAMESPACE describe quota',
  },
  {
    says: 'failed quota',
    todo: 'Give namespace NAMESPACE a LimitRange with defaults for what the named ResourceQuota wants to be specified.',
  },
  { says: 'violates PodSecurity', todo: `Let the namespace have privileged pods: ${podSecurity}` },
  { says: 'security context constraint', todo: `Let the service account use the SCC privileged: ${scc}` },
  { says: 'error looking up service account', todo: `Create the service account: ${account}` },
]

const anyRefusal = `See which of these the words mean. A service account that is missing: ${account}. On OKD: ${scc}. On plain Kubernetes: ${podSecurity}. For a quota: raise it.`

type Refused = Words & { module: string; namespace: string; serviceAccount: string }

export const podProblems = {
  PodsRefused: entry(
    'backoff',
    (p: Refused) =>
      `the cluster refuses the pods of Module ${p.module} in namespace ${p.namespace} (service account ${p.serviceAccount})${quote(p.words)}`,
    anyRefusal,
    refusals,
  ),
  PodUnschedulable: entry(
    'backoff',
    (p: OnNode & Words) => `the loader pod of Module ${p.module} cannot be scheduled on node ${p.node}${quote(p.words)}`,
    'Free the resource or add the toleration that the sentence names.',
  ),
  PodNotMounted: entry(
    'backoff',
    (p: OnNode & Words) =>
      `the volumes of the loader pod of Module ${p.module} cannot be mounted on node ${p.node}${quote(p.words)}`,
    'Make sure that the node has /lib/modules/KERNEL as a directory and that the named volumes exist.',
  ),
  PodNotStarted: entry(
    'backoff',
    (p: OnNode & Words) => `the loader pod of Module ${p.module} cannot be started on node ${p.node}${quote(p.words)}`,
    'Correct what the container runtime of the node complains about; the journal of its kubelet may say more.',
  ),
  ImageNotPulled: entry(
    'backoff',
    (p: OnNode & Words & { image: string }) =>
      `node ${p.node} cannot pull image ${p.image} of Module ${p.module}${quote(p.words)}`,
    'Push the image, correct its name in the mapping, or give imageRepoSecret a secret that may pull it.',
  ),
  DevicePluginRefused: entry(
    'backoff',
    (p: Refused) =>
      `the cluster refuses the device-plugin pods of Module ${p.module} in namespace ${p.namespace} (service account ${p.serviceAccount})${quote(p.words)}`,
    anyRefusal,
    refusals,
  ),
  DevicePluginFailing: entry(
    'backoff',
    (p: OnNode & Words & { namespace: string; pod: string }) =>
      `the device plugin of Module ${p.module} does not run on node ${p.node} (pod ${p.pod})${quote(p.words)}`,
    'See what it says: kubectl -n NAMESPACE describe pod POD; kubectl -n NAMESPACE logs POD --previous. The driver is loaded all the same.',
  ),
}
