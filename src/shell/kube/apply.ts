// Writes by server-side apply, and the take-over of fields that an older operator owns. Sources: Kubernetes API concepts,
// "Server-Side Apply"; RFC 6902 (JSON patch); decisions.md 4, 5.
import { type KubeObject, keyOf, type ManagedFields, type Resource } from '../../core/object.ts'
import type { Clock } from '../clock.ts'
import { type Part, subresourceOf } from './compare.ts'
import { ApiError, expectSuccess } from './errors.ts'
import { elements, type Fields, type FormerOwner, fieldsOf, inherited, union } from './fields.ts'
import { objectPath } from './paths.ts'
import type { KubeResponse, Transport } from './transport.ts'

/** How a request goes out. */
export type Sender = { readonly transport: Transport; readonly clock: Clock; readonly deadlineMs: number }

/** `gone`: the incarnation that was seen exists no more. `again`: it is no longer as it was seen. */
export type WriteResult =
  | { readonly result: 'written'; readonly object: KubeObject | undefined }
  | { readonly result: 'gone' }
  | { readonly result: 'again' }

export const nameOf = (object: {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}): string => `${object.kind} ${keyOf(object)}`

// A null says nothing in an apply but would be judged by the schema of a custom resource.
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(entries.map(([name, item]) => [name, withoutNulls(item)]))
}

function applyBody(object: KubeObject, part: Part): unknown {
  if (part === 'main') return withoutNulls(object)
  const { apiVersion, kind, metadata } = object
  const { name, namespace, uid } = metadata
  return withoutNulls({ apiVersion, kind, metadata: { name, namespace, uid }, status: (object as { status?: unknown }).status })
}

/** The object in a body, or undefined where the server answered something else (a Status). */
export function objectIn(body: unknown): KubeObject | undefined {
  const object = body as Partial<KubeObject> | null | undefined
  return object?.kind === 'Status' || object?.metadata?.name === undefined ? undefined : (object as KubeObject)
}

/**
 * Applies the object, by force: what we state is ours. Where it states `metadata.uid`, nothing is created and no other
 * incarnation is touched; then the result may be `gone`. Throws an ApiError, or what the transport throws.
 */
export async function sendApply(
  sender: Sender,
  resource: Resource,
  object: KubeObject,
  part: Part,
  manager: string,
  stop: AbortSignal,
): Promise<WriteResult> {
  const response = await sender.transport(
    {
      method: 'PATCH',
      path: objectPath(resource, keyOf(object), part === 'status' ? 'status' : undefined),
      query: { fieldManager: manager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: applyBody(object, part),
      deadlineMs: sender.deadlineMs,
    },
    stop,
  )
  if (object.metadata.uid !== undefined && isGone(response)) return { result: 'gone' }
  const { body } = expectSuccess(
    `apply ${part === 'status' ? 'the status of ' : ''}${nameOf(object)}`,
    response,
    sender.clock.nowMs(),
  )
  return { result: 'written', object: objectIn(body) }
}

// With a uid: an apply to nothing is a 409 (decisions.md 4), to a successor a 422 that calls the uid immutable, and one of the
// status of nothing is a 404 (all seen on 1.36, test/real). A successor's status is written: there the server ignores the uid.
function isGone({ status, body }: KubeResponse): boolean {
  if (status === 409 || status === 404) return true
  const causes = (body as { details?: { causes?: readonly { field?: string }[] } } | undefined)?.details?.causes ?? []
  return status === 422 && causes.some(cause => cause.field === 'metadata.uid')
}

/** The managedFields after the fields of the former owners became ours; undefined if they own nothing that passes. */
export function takenOver(
  entries: readonly ManagedFields[],
  manager: string,
  formerOwners: readonly FormerOwner[],
  part: Part,
): readonly ManagedFields[] | undefined {
  const subresource = subresourceOf(part)
  let ours: Fields = {}
  let sample: ManagedFields | undefined
  const others: ManagedFields[] = []
  for (const entry of entries) {
    const { yes, no } = inherited(entry, formerOwners, subresource)
    if (elements(yes).length === 0) {
      others.push(entry)
      continue
    }
    ours = union(ours, yes)
    sample ??= entry
    if (elements(no).length > 0) others.push({ ...entry, fieldsV1: no })
  }
  if (sample === undefined) return undefined
  const isOurs = (entry: ManagedFields) =>
    entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === subresource
  const before = others.find(isOurs)
  const entry: ManagedFields = { ...(before ?? sample), manager, operation: 'Apply', fieldsV1: union(fieldsOf(before), ours) }
  return [...others.filter(other => !isOurs(other)), entry]
}

/**
 * Makes the fields of former owners ours, so that the apply that follows removes those we do not state (a forced apply alone
 * leaves them: decisions.md 5). Reads the object first: the snapshot holds only parts of managedFields.
 */
export async function takeOver(
  sender: Sender,
  resource: Resource,
  seen: KubeObject,
  formerOwners: readonly FormerOwner[],
  part: Part,
  manager: string,
  stop: AbortSignal,
): Promise<WriteResult> {
  const path = objectPath(resource, keyOf(seen))
  const read = await sender.transport({ method: 'GET', path, deadlineMs: sender.deadlineMs }, stop)
  if (read.status === 404) return { result: 'gone' }
  const object = objectIn(expectSuccess(`read ${nameOf(seen)}`, read, sender.clock.nowMs()).body)
  if (object === undefined) throw new ApiError(`read ${nameOf(seen)}`, read.status, { message: 'the body is no object' })
  if (object.metadata.uid !== seen.metadata.uid) return { result: 'gone' }
  const entries = takenOver(object.metadata.managedFields ?? [], manager, formerOwners, part)
  if (entries === undefined) return { result: 'again' }
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
    { op: 'replace', path: '/metadata/managedFields', value: entries },
  ]
  return sendJsonPatch(sender, path, `take over the fields of ${nameOf(seen)}`, patch, stop)
}

/** Sends a JSON patch whose tests say what it rests on: `again` where they fail. */
export async function sendJsonPatch(
  sender: Sender,
  path: string,
  what: string,
  patch: readonly object[],
  stop: AbortSignal,
): Promise<WriteResult> {
  const response = await sender.transport(
    { method: 'PATCH', path, contentType: 'application/json-patch+json', body: patch, deadlineMs: sender.deadlineMs },
    stop,
  )
  if (response.status === 404) return { result: 'gone' }
  if (response.status === 409 || response.status === 422) return { result: 'again' }
  return { result: 'written', object: objectIn(expectSuccess(what, response, sender.clock.nowMs()).body) }
}
