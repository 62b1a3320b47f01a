import type { KubeObject, Resource } from './object.ts'
import type { Answer, Plan, Question } from './plan.ts'

/** Finds the objects of one resource that carry a value, for example the pods of a node. Kept by the snapshot. */
export type Index<T extends KubeObject = KubeObject> = {
  readonly name: string
  readonly resource: Resource
  /** The values under which the object is found. */
  values(object: T): readonly string[]
}

/** The world as last seen, in memory. Everything in it is read-only and belongs to one moment. */
export type Look = {
  list(resource: Resource): readonly KubeObject[]
  get(resource: Resource, key: string): KubeObject | undefined
  by(index: Index, value: string): readonly KubeObject[]
  /** What the registry said last, if it was asked. */
  answer(question: Question): Answer | undefined
}

/** What the shell keeps of one resource, and whom a change of it concerns. */
export type Watch = {
  readonly resource: Resource
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Drops what no planner reads, so that the snapshot stays small and heartbeats change nothing. */
  readonly trim?: (object: KubeObject) => KubeObject
  readonly indexes?: readonly Index[]
  /** Paths such as `metadata.labels`, of what remains after the trim, under which many objects say the same: kept once for all of them. */
  readonly shared?: readonly string[]
  /**
   * Field managers of an older operator. Before we first apply to an object, their fields become ours, so that those we do not
   * state go (decisions.md 5). `owns` restricts it to some paths, where others share the object and may use the same manager name:
   * elements as in FieldsV1, for example `f:metadata`, `f:labels`, `f:key`.
   */
  readonly takeOver?: readonly { readonly manager: string; readonly owns?: (path: readonly string[]) => boolean }[]
}

export type Settings = {
  /** Namespace of the operator: trusted, has our default service accounts (behaviour.md 7). */
  readonly operatorNamespace: string
  /** `KMM_MANAGED`: this cluster is a spoke of a hub. */
  readonly managed: boolean
  /** Written to the kernel's firmware search path by the loader, where set (off by default). */
  readonly firmwareClassPath?: string
}

export type PlanContext = {
  /** Milliseconds since the epoch. Planners never read a clock. */
  readonly nowMs: number
  readonly settings: Settings
}

/** Whom a change of one resource concerns. */
export type Wake = {
  readonly resource: Resource
  /** Keys to look at when an object appears, changes or goes. Called with the old and with the new one. */
  keys(object: KubeObject, look: Look): readonly string[]
  /** Whether a change from `old` to `object` matters to this controller; absent: every change does. */
  matters?(old: KubeObject, object: KubeObject): boolean
}

export type Controller = {
  /** Name in plans, logs and metrics (decisions.md 21). */
  readonly name: string
  readonly resource: Resource
  readonly wakes: readonly Wake[]
  /** At most one pass over a key in this time, so that a burst of changes is one pass. */
  readonly coalesceMs?: number
  plan(look: Look, key: string, context: PlanContext): Plan
}
