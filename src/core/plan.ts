import type { KubeObject, ObjectRef, Resource } from './object.ts'
import type { Problem } from './problem.ts'

/** A fact about an image that we lack. The shell asks the registry; the answer is part of the next look. */
export type Question = {
  readonly ask: 'exists' | 'digest' | 'files'
  readonly image: string
  /** Where `secret` lives. */
  readonly namespace: string
  /** Name of a docker config secret. */
  readonly secret?: string
}

export type Answer = {
  readonly exists?: boolean
  /** `sha256:...` */
  readonly digest?: string
  /** Paths in the image, without the leading slash. */
  readonly files?: readonly string[]
}

/** Nothing is ever deleted by being left out of a plan: a removal names its object, its very incarnation, and the reason. */
export type Removal = {
  readonly object: ObjectRef
  readonly uid: string
  readonly resourceVersion: string
  readonly because: string
  /** Only this finalizer is taken off; the object is not deleted. */
  readonly finalizer?: string
  /**
   * Kinds that must be listed and lately heard of, else the removal waits; all watched ones if absent. Stated where it must not wait
   * for a kind that does not exist any more (a CRD that was deleted).
   */
  readonly restsOn?: readonly Resource[]
}

/** A Kubernetes Event that people should hear. Sent last; may be lost by a crash, is never doubled. */
export type PlannedEvent = {
  readonly about: ObjectRef & { readonly uid?: string }
  readonly type: 'Normal' | 'Warning'
  /** CamelCase: the code of a Problem, or what has been done (`DriverReady`, `ReplacingDriver`, `DriverUnloaded`). */
  readonly reason: string
  readonly message: string
  /** Uid of an object in `remove`: told only by the pass that has carried this removal out. A removal that waits is planned again. */
  readonly ofRemoval?: string
}

export type PlannedStatus = {
  /** apiVersion, kind, metadata (name, namespace, uid) and status: applied to the status subresource. */
  readonly object: KubeObject & { readonly status: object }
  /** A changed condition is written at once; moving counters may be paced by the shell. */
  readonly urgent: boolean
}

/** What a controller wants after one look. Effects are carried out in the order of these fields. */
export type Plan = {
  readonly questions: readonly Question[]
  /** Whole objects with only the fields we own, written by server-side apply under one field manager. */
  readonly apply: readonly KubeObject[]
  readonly status: PlannedStatus | undefined
  readonly remove: readonly Removal[]
  readonly events: readonly PlannedEvent[]
  readonly problems: readonly Problem[]
  /** Look again after this time even if nothing changes (for example a back-off that ends). */
  readonly lookAgainInMs?: number
}

export const emptyPlan: Plan = { questions: [], apply: [], status: undefined, remove: [], events: [], problems: [] }
