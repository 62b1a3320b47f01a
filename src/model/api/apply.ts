// Server-side apply on the store. Source: Kubernetes documentation, "Server-Side Apply"; apiserver, pkg/endpoints/handlers/patch.go.
import type { KubeObject } from '../../core/object.ts'
import { born, storeNew } from './create.ts'
import { ApiError, badRequest, conflict, notFound, staleVersion } from './errors.ts'
import { applyFields } from './managed-fields.ts'
import { type Server, viewOf } from './server.ts'
import { plainShape } from './shape.ts'
import type { ApiResource } from './types.ts'
import { restore, storeChanged } from './update.ts'
import { type Actor, completed, type Endpoint, emptyOf, writerOf } from './write.ts'

export type ApplyRequest = {
  readonly resource: ApiResource
  readonly key: string
  readonly name: string
  readonly namespace: string | undefined
  readonly applied: KubeObject
  readonly endpoint: Endpoint
  readonly actor: Actor
  readonly force: 'force' | 'ask'
}

/** Server-side apply: creates, or merges into what is there. Throws 409 on conflicts and for a uid that is not there any more. */
export function applyObject(server: Server, request: ApplyRequest): { readonly object: KubeObject; readonly created: boolean } {
  const { resource, key, name, namespace, applied, endpoint, actor, force } = request
  if (applied.metadata.name !== undefined && applied.metadata.name !== name) {
    throw badRequest(`the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`)
  }
  const stored = server.store.get(resource, key)
  const live = stored === undefined ? undefined : viewOf(resource, stored)
  if (live === undefined && endpoint === 'status') throw notFound(resource, name)
  checkApplied(resource, name, live, applied)
  const shape = resource.shape ?? plainShape
  const writer = writerOf(server, resource, actor, endpoint)
  const merged = applyFields({ live, empty: emptyOf(resource), applied, shape, writer, force })
  const { managedFields, ...metadata } = merged.metadata
  const owned = managedFields === undefined ? {} : { managedFields }
  if (live === undefined) {
    const begun = born(server, resource, { ...merged, metadata: { ...metadata, name } }, namespace)
    const object = completed(resource, begun, undefined, 'merged')
    return { object: storeNew(server, resource, { ...object, metadata: { ...object.metadata, ...owned } }, actor), created: true }
  }
  const restored = restore(resource, live, { ...merged, metadata }, endpoint)
  const object = completed(resource, restored, live, 'merged')
  const next = { ...object, metadata: { ...object.metadata, ...owned } }
  const updated = storeChanged(server, { resource, key, live, next, endpoint, actor, by: 'patch' }, next)
  return { object: updated, created: false }
}

const duplicates = (items: readonly string[] | undefined) => (items ?? []).filter((item, index, all) => all.indexOf(item) < index)

/** What cannot be merged: another incarnation, an old version, fields that the schema does not know (apply has no pruning). */
function checkApplied(resource: ApiResource, name: string, live: KubeObject | undefined, applied: KubeObject): void {
  const { uid, resourceVersion } = applied.metadata
  if (live === undefined && uid !== undefined) {
    throw conflict(resource, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
  }
  if (resourceVersion !== undefined && resourceVersion !== live?.metadata.resourceVersion) throw staleVersion(resource, name)
  const faults = [
    ...(resource.unknownFields?.(applied) ?? []).map(path => `.${path}: field not declared in schema`),
    ...duplicates(applied.metadata.finalizers).map(item => `.metadata.finalizers: duplicate entries for key [="${item}"]`),
  ]
  if (faults.length === 0) return
  const text = faults.length === 1 ? faults[0] : `errors:\n${faults.map(fault => `  ${fault}`).join('\n')}`
  const id = `${applied.metadata.namespace ?? ''}/${name}; ${resource.apiVersion}, Kind=${resource.kind}`
  throw new ApiError(500, '', `failed to create typed patch object (${id}): ${text}`)
}
