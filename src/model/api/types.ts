// What the in-memory API server is made of, seen from outside.
import type { KubeObject, Resource } from '../../core/object.ts'
import type { Clock } from '../../shell/clock.ts'
import type { KubeRequest, KubeResponse, Transport } from '../../shell/kube/transport.ts'
import type { Shape } from './shape.ts'

/** A JSON object whose fields are not known. */
export type Json = Readonly<Record<string, unknown>>

/** One thing wrong with one field, with the reason words of `metav1.StatusCause`. */
export type FieldProblem = {
  readonly path: string
  readonly reason: string
  /** As the real server writes it after the path: `Required value`, `Invalid value: "x": must be ...`. */
  readonly message: string
}

/** A kind that the server serves, with what the server does to its objects on the way in. */
export type ApiResource = Resource & {
  /** Whether `/status` is a subresource of its own: then status and the rest are written apart. */
  readonly status?: 'subresource' | 'plain'
  /** Whether writes to `/status` may also change labels, annotations and finalizers (built-in kinds: yes; CRD kinds: no). */
  readonly statusMetadata?: 'written' | 'kept'
  /** Whether a create may bring a status along (Nodes register with theirs). */
  readonly statusOnCreate?: 'kept' | 'dropped'
  /** `metadata.generation` counts changes of everything but metadata and status. CRD kinds, DaemonSets, Jobs ...; not Pods' status, Nodes, Secrets. */
  readonly generation?: 'counted' | 'none'
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** How lists and maps merge under server-side apply. Absent: lists are atomic, maps merge. */
  readonly shape?: Shape
  /** The object of this kind before anything was written: structures that are always there own nothing in managedFields. */
  readonly empty?: Json
  /** Fields beside metadata.name and metadata.namespace that a field selector may name. */
  readonly selectable?: readonly string[]
  /** Fields by which a list with an equality selector is found without a scan. */
  readonly indexed?: readonly string[]
  /**
   * Fills what the server fills; called on every write, must be idempotent. `old` is absent on create. Objects that were `merged` by
   * apply did not go through the decoder: nulls in CRD kinds stay.
   */
  readonly complete?: (object: KubeObject, old: KubeObject | undefined, source: 'sent' | 'merged') => KubeObject
  /** What the server itself adds after the writer's fields were noted, so that the writer does not own it. */
  readonly prepare?: (object: KubeObject, old: KubeObject | undefined) => KubeObject
  /** Everything wrong with the object; `old` is absent on create. */
  readonly validate?: (object: KubeObject, old: KubeObject | undefined, endpoint: 'object' | 'status') => readonly FieldProblem[]
  /** Paths of the fields that would be dropped; told as a warning, or as a refusal under `fieldValidation=Strict`. */
  readonly unknownFields?: (object: KubeObject) => readonly string[]
  /** How long a deleted object stays for its owner to end it; 0 goes at once. Pods only. */
  readonly graceSeconds?: (object: KubeObject, asked: number | undefined) => number
  /** What happens to dependents when a delete does not say. Default `Background`; `Orphan` for Jobs. */
  readonly defaultPropagation?: Propagation
  /** Where objects of this kind hold much that is equal in others of it; such parts are kept once. Outermost field first. */
  readonly shared?: readonly (readonly string[])[]
  /** Syntax of names. Default `subdomain` (RFC 1123). */
  readonly nameSyntax?: 'subdomain' | 'label' | 'path'
  /** Whether the kind comes from a CustomResourceDefinition. */
  readonly origin?: 'built-in' | 'crd'
}

/** A committed change, in the order of resourceVersions. */
export type Change = {
  readonly resource: Resource
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly old?: KubeObject
  readonly object: KubeObject
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

export type RemoveOptions = {
  readonly gracePeriodSeconds?: number
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagation?: Propagation
}

/** What an admission webhook is asked. */
export type AdmissionReview = {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly resource: Resource
  readonly subresource?: string
  readonly name: string
  readonly namespace?: string
  readonly object?: KubeObject
  readonly oldObject?: KubeObject
  readonly dryRun: boolean
}

export type AdmissionAnswer = {
  readonly allowed: boolean
  /** Name of the webhook, as it is shown. */
  readonly webhook?: string
  /** Where no webhook but a plugin of the server refuses: what it calls the object, which may not have its name yet (`driver-`). */
  readonly pluginNames?: string
  /** Shown to the user when refused. */
  readonly message?: string
  readonly warnings?: readonly string[]
}

/** One answered request, for budgets and for tests that look at who wrote what. */
export type AuditEntry = {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'
  readonly resource: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** `fieldManager` of the request, else `unknown`. */
  readonly manager: string
  readonly status: number
  /** Whether the store changed. */
  readonly changed: boolean
}

/** `fail-before`: nothing is carried out and the connection breaks; `fail-after`: carried out, the answer is lost. A response is sent instead. */
export type Fault = 'pass' | 'fail-before' | 'fail-after' | KubeResponse

export type ApiServerOptions = {
  readonly clock: Clock
  /** Usually `builtInResources`; kinds of CRDs appear by themselves. */
  readonly resources: readonly ApiResource[]
  /** Called after validation, before every create, update and delete. */
  readonly admit?: (review: AdmissionReview) => AdmissionAnswer
  readonly audit?: (entry: AuditEntry) => void
  readonly fault?: (request: KubeRequest, isWrite: boolean) => Fault
  /** Answers paths that the server does not know, for example `pods/NAME/log`. */
  readonly otherwise?: (request: KubeRequest) => KubeResponse | undefined
  /** `frozen` (default) makes every write to a read object throw; `shared` saves the time in large clusters. */
  readonly reads?: 'frozen' | 'shared'
  /** Events kept per resource for watches that resume. Default 1000. */
  readonly history?: number
  /** Between bookmarks of a watch. Default 60,000. */
  readonly bookmarkMs?: number
  /** Makes uids and generated names; two servers with the same seed and the same requests hold equal objects. */
  readonly seed?: string
}

export type ModelApi = {
  /** The protocol of shell/kube/transport.ts; asynchronous only in its promise and in watches. */
  readonly transport: Transport
  /** Answers at once. Not for watches (400). */
  handle(request: KubeRequest): KubeResponse
  /** The kinds served now, with those of CRDs. */
  resources(): readonly ApiResource[]
  /** Direct read without a copy, in no particular order. */
  list(resource: Resource, namespace?: string): readonly KubeObject[]
  get(resource: Resource, key: string): KubeObject | undefined
  /** Direct read over an index declared in `ApiResource.indexed`, for example pods by `spec.nodeName`. */
  by(resource: Resource, field: string, value: string): readonly KubeObject[]
  /** As a component of the cluster would; throws `ApiError`. `manager` names the component in managedFields. */
  create(resource: Resource, object: KubeObject, manager?: string): KubeObject
  /** Everything but status. Undefined when there is no such object; returning the same object changes nothing. Throws `ApiError`. */
  update(resource: Resource, key: string, change: (object: KubeObject) => KubeObject, manager?: string): KubeObject | undefined
  updateStatus(
    resource: Resource,
    key: string,
    change: (object: KubeObject) => KubeObject,
    manager?: string,
  ): KubeObject | undefined
  /** Nothing happens when there is no such object; a precondition that fails throws `ApiError`. */
  remove(resource: Resource, key: string, options?: RemoveOptions): void
  /** After each committed change, in order, synchronously. The returned function ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Ends all open watches: closed by the server, broken, or open but silent for ever. */
  cutWatches(how: 'close' | 'break' | 'silence'): void
  /** Mutating requests over the transport that changed something. */
  readonly writes: number
  /** Forgets the history of watches, as an etcd compaction does: watches from older versions and continue tokens get 410. */
  compact(): void
}
