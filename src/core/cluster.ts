// The parts of Kubernetes' own kinds that planners read. Source: core/v1 and apps/v1 API reference.
import type { KubeObject, Labels, ObjectMeta } from './object.ts'

export type Taint = { readonly key: string; readonly value?: string; readonly effect: string }

export type Toleration = {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
  readonly tolerationSeconds?: number
}

export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export type Node = KubeObject & {
  readonly spec?: { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean }
  readonly status?: {
    readonly nodeInfo?: {
      readonly kernelVersion?: string
      readonly bootID?: string
      readonly architecture?: string
      readonly osImage?: string
    }
    readonly conditions?: readonly Condition[]
  }
}

export type ContainerState = {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly reason?: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
  }
}

export type ContainerStatus = {
  readonly name: string
  readonly ready?: boolean
  /** False while a startup probe has not succeeded. */
  readonly started?: boolean
  readonly restartCount?: number
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export type Pod = KubeObject & {
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly { readonly name: string; readonly image?: string }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    /** When its kubelet first told of it. */
    readonly startTime?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export type PodTemplate = {
  readonly metadata?: Partial<ObjectMeta>
  readonly spec?: Pod['spec'] & { readonly nodeSelector?: Labels; readonly [field: string]: unknown }
}

export type DaemonSet = KubeObject & {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Labels }
    readonly template?: PodTemplate
    readonly updateStrategy?: { readonly type?: string }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly currentNumberScheduled?: number
    readonly numberAvailable?: number
    readonly numberReady?: number
  }
}

/** A core/v1 Event as far as we read it. */
export type KubeEvent = KubeObject & {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string; readonly uid?: string }
  readonly lastTimestamp?: string
}

export const isConditionTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

export const isNodeReady = (node: Node): boolean => isConditionTrue(node.status?.conditions, 'Ready')
export const isPodReady = (pod: Pod): boolean => isConditionTrue(pod.status?.conditions, 'Ready')
export const kernelOf = (node: Node): string => node.status?.nodeInfo?.kernelVersion ?? ''
