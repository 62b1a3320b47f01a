// The parts of pod specs and statuses that a cluster acts on. Source: core/v1 API reference.
import type { Condition, Pod, Taint, Toleration } from '../../core/cluster.ts'
import type { KubeObject, Labels } from '../../core/object.ts'

export type ExecAction = {
  readonly exec?: { readonly command?: readonly string[] }
  readonly sleep?: { readonly seconds: number }
}

/** Fields without a value are as the API server fills them in: every 10 s, at most 1 s, 3 failures. */
export type StartupProbe = {
  readonly exec?: ExecAction['exec']
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
}

export type ContainerSpec = {
  readonly name: string
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly imagePullPolicy?: string
  readonly env?: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly fieldRef?: FieldRef }
  }[]
  readonly lifecycle?: { readonly postStart?: ExecAction; readonly preStop?: ExecAction }
  readonly startupProbe?: StartupProbe
  readonly terminationMessagePath?: string
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
    readonly subPath?: string
  }[]
  readonly securityContext?: {
    readonly privileged?: boolean
    readonly runAsUser?: number
    readonly readOnlyRootFilesystem?: boolean
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  }
}

export type FieldRef = { readonly fieldPath: string }
export type KeyToPath = { readonly key: string; readonly path: string }

export type VolumeSource = {
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly emptyDir?: object
  readonly configMap?: { readonly name?: string; readonly items?: readonly KeyToPath[]; readonly optional?: boolean }
  readonly secret?: {
    readonly secretName?: string
    readonly name?: string
    readonly items?: readonly KeyToPath[]
    readonly optional?: boolean
  }
  readonly downwardAPI?: { readonly items?: readonly { readonly path: string; readonly fieldRef?: FieldRef }[] }
  readonly projected?: { readonly sources?: readonly VolumeSource[] }
}

export type NodeSelectorRequirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

export type NodeSelectorTerm = {
  readonly matchExpressions?: readonly NodeSelectorRequirement[]
  readonly matchFields?: readonly NodeSelectorRequirement[]
}

export type Affinity = {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] }
  }
}

export type PodSpec = {
  readonly nodeName?: string
  readonly nodeSelector?: Labels
  readonly affinity?: Affinity
  readonly tolerations?: readonly Toleration[]
  readonly restartPolicy?: string
  readonly terminationGracePeriodSeconds?: number
  readonly hostNetwork?: boolean
  readonly serviceAccountName?: string
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
  readonly containers?: readonly ContainerSpec[]
  readonly initContainers?: readonly ContainerSpec[]
  readonly volumes?: readonly ({ readonly name: string } & VolumeSource)[]
  readonly securityContext?: { readonly runAsUser?: number }
}

export type PodObject = KubeObject & {
  readonly spec?: PodSpec
  readonly status?: Pod['status']
}

export type NodeObject = KubeObject & {
  readonly spec?: { readonly taints?: readonly (Taint & { readonly timeAdded?: string })[]; readonly unschedulable?: boolean }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly allocatable?: Readonly<Record<string, string>>
    readonly [field: string]: unknown
  }
}

export const asPod = (object: KubeObject): PodObject => object
export const asNode = (object: KubeObject): NodeObject => object

export const uidOf = (object: KubeObject): string => object.metadata.uid ?? ''
export const isTerminal = (pod: PodObject): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'

/** `name_namespace(uid)`, as the kubelet writes pods in messages. */
export const podText = (pod: PodObject): string => `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${uidOf(pod)})`

/** RFC 3339 with whole seconds, as metav1.Time. */
export const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** Sets a condition; the transition time moves only when the status does. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  next: Condition,
  nowMs: number,
): readonly Condition[] {
  const old = conditions?.find(condition => condition.type === next.type)
  const lastTransitionTime =
    old?.status === next.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : timeOf(nowMs)
  const set = { ...next, lastTransitionTime }
  if (old === undefined) return [...(conditions ?? []), set]
  return (conditions ?? []).map(condition => (condition.type === next.type ? set : condition))
}
