// What a DaemonSet wants on one node (kubernetes, pkg/controller/daemon/daemon_controller.go and util).
import { createHash } from 'node:crypto'
import type { Toleration } from '../../core/cluster.ts'
import type { KubeObject, Labels, OwnerReference } from '../../core/object.ts'
import { isTerminal, type NodeObject, type PodObject, type PodSpec, uidOf } from './pod-spec.ts'
import { fitsNodeSelection, taintKeys, untoleratedTaint } from './scheduling.ts'

export type DaemonSetObject = KubeObject & {
  readonly spec: {
    readonly selector?: { readonly matchLabels?: Labels }
    readonly template: {
      readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels; readonly finalizers?: readonly string[] }
      readonly spec?: PodSpec
    }
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly maxUnavailable?: number | string } }
    readonly minReadySeconds?: number
  }
  readonly status?: object
}

export const hashLabel = 'controller-revision-hash'

/**
 * `free the node`: a pod that has ended but is kept by a finalizer does not count, another one is created beside it (Kubernetes 1.36:
 * getNodesToDaemonPods leaves out terminal pods with a deletionTimestamp). `keep the node`: older clusters, where it does count.
 */
export type EndedPods = 'free the node' | 'keep the node'

/** Changes with the template and nothing else; stands for the name of a ControllerRevision. */
export const templateHash = (daemonSet: DaemonSetObject): string =>
  createHash('sha256').update(JSON.stringify(daemonSet.spec.template)).digest('hex').slice(0, 10)

const automatic: readonly Toleration[] = [
  { key: taintKeys.notReady, operator: 'Exists', effect: 'NoExecute' },
  { key: taintKeys.unreachable, operator: 'Exists', effect: 'NoExecute' },
  { key: taintKeys.diskPressure, operator: 'Exists', effect: 'NoSchedule' },
  { key: taintKeys.memoryPressure, operator: 'Exists', effect: 'NoSchedule' },
  { key: taintKeys.pidPressure, operator: 'Exists', effect: 'NoSchedule' },
  { key: taintKeys.unschedulable, operator: 'Exists', effect: 'NoSchedule' },
]

/** Kept for each template: asked for every node. */
const tolerationsOf = new WeakMap<PodSpec, readonly Toleration[]>()

function daemonTolerations(spec: PodSpec): readonly Toleration[] {
  const known = tolerationsOf.get(spec)
  if (known !== undefined) return known
  const hostNetwork = { key: taintKeys.networkUnavailable, operator: 'Exists', effect: 'NoSchedule' }
  const all = [...(spec.tolerations ?? []), ...automatic, ...(spec.hostNetwork === true ? [hostNetwork] : [])]
  tolerationsOf.set(spec, all)
  return all
}

type Wanted = { readonly shouldRun: boolean; readonly mayContinue: boolean }

/** Taints keep new pods away; only NoExecute takes running ones. */
export function wantedOn(daemonSet: DaemonSetObject, node: NodeObject): Wanted {
  const spec = daemonSet.spec.template.spec ?? {}
  const taints = node.spec?.taints
  const tolerations = daemonTolerations(spec)
  if ((spec.nodeName ?? node.metadata.name) !== node.metadata.name || !fitsNodeSelection(spec, node))
    return { shouldRun: false, mayContinue: false }
  if (untoleratedTaint(taints, tolerations, ['NoExecute', 'NoSchedule']) === undefined)
    return { shouldRun: true, mayContinue: true }
  return { shouldRun: false, mayContinue: untoleratedTaint(taints, tolerations, ['NoExecute']) === undefined }
}

/** Whether a change of a node changes nothing for this DaemonSet. */
export function isWantedAlike(daemonSet: DaemonSetObject, before: NodeObject, after: NodeObject): boolean {
  const [old, now] = [wantedOn(daemonSet, before), wantedOn(daemonSet, after)]
  return old.shouldRun === now.shouldRun && old.mayContinue === now.mayContinue
}

/** The node that a daemon pod is for, also before it is bound: its affinity names it. */
export function targetNodeOf(pod: PodObject): string | undefined {
  if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const term of terms) {
    const field = term.matchFields?.find(requirement => requirement.key === 'metadata.name' && requirement.operator === 'In')
    if (field?.values?.length === 1) return field.values[0]
  }
  return undefined
}

export const ownerOf = (daemonSet: DaemonSetObject): OwnerReference => ({
  apiVersion: daemonSet.apiVersion,
  kind: daemonSet.kind,
  name: daemonSet.metadata.name,
  uid: uidOf(daemonSet),
  controller: true,
  blockOwnerDeletion: true,
})

/** The pod for one node: the template, bound to it by affinity, owned by the DaemonSet. */
export function podFor(daemonSet: DaemonSetObject, node: string, hash: string, name: string): PodObject {
  const { template } = daemonSet.spec
  const spec = template.spec ?? {}
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      // As ReplaceDaemonSetPodNodeNameNodeAffinity: the node's name takes the place of the fields of each term.
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(daemonSet.metadata.namespace === undefined ? {} : { namespace: daemonSet.metadata.namespace }),
      labels: {
        ...template.metadata?.labels,
        [hashLabel]: hash,
        'pod-template-generation': String(daemonSet.metadata.generation ?? 1),
      },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ...(template.metadata?.finalizers === undefined ? {} : { finalizers: template.metadata.finalizers }),
      ownerReferences: [ownerOf(daemonSet)],
    },
    spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity }, tolerations: daemonTolerations(spec) },
  }
}

export const isReady = (pod: PodObject): boolean =>
  pod.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false

/** When a pod became, or will become, available; undefined while it is not ready. */
export function availableAtMs(pod: PodObject, minReadySeconds: number): number | undefined {
  const ready = pod.status?.conditions?.find(condition => condition.type === 'Ready' && condition.status === 'True')
  return ready === undefined ? undefined : Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000
}

/** Oldest first; of pods that are equally old the one that is further on. */
export function byAge(a: PodObject, b: PodObject): number {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (left !== right) return left < right ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

/** Pods that the controller looks at when it decides what a node needs. */
export const counted = (pods: readonly PodObject[], ended: EndedPods): readonly PodObject[] =>
  ended === 'keep the node' ? pods : pods.filter(pod => !(isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined))

/**
 * The outdated pods that a rolling update may delete now: unavailable ones at once, available ones as far as maxUnavailable goes.
 * @param onNodes the pods of each node. @param desired how many nodes should run one, for a percentage.
 */
export function replaceable(
  daemonSet: DaemonSetObject,
  onNodes: readonly (readonly PodObject[])[],
  hash: string,
  desired: number,
): readonly PodObject[] {
  const given = daemonSet.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
  const limit = typeof given === 'number' ? given : Math.ceil((Number.parseInt(given, 10) * desired) / 100)
  const broken: PodObject[] = []
  const candidates: PodObject[] = []
  let unavailable = 0
  for (const there of onNodes) {
    const here = there.filter(pod => pod.metadata.deletionTimestamp === undefined)
    const [pod] = here
    if (here.length !== 1 || pod === undefined) unavailable++
    else if (pod.metadata.labels?.[hashLabel] === hash) unavailable += isReady(pod) ? 0 : 1
    else if (isReady(pod)) candidates.push(pod)
    else {
      broken.push(pod)
      unavailable++
    }
  }
  return [...broken, ...candidates.slice(0, Math.max(0, limit - unavailable))]
}
