// Problems of the pods: the cluster refuses them, or a node cannot start them.
import { entry, type OnNode, quote, type Words } from './problem-entry.ts'

export const podProblems = {
  PodsRefused: entry(
    'backoff',
    (p: { module: string; namespace: string; serviceAccount: string; words: string }) =>
      `the cluster refuses the pods of Module ${p.module} in namespace ${p.namespace} (service account ${p.serviceAccount})${quote(p.words)}`,
    'Create the service account if it is missing. On OKD: oc adm policy add-scc-to-user privileged -z SERVICE_ACCOUNT -n NAMESPACE. On plain Kubernetes: kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=privileged. For a quota: kubectl edit resourcequota -n NAMESPACE.',
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
}
