// Server-side apply on the store. Source: Kubernetes documentation, "Server-Side Apply"; apiserver, pkg/endpoints/handlers/patch.go.
import type { KubeObject } from '../../core/object.ts'
import { ApiError, badRequest, conflict, notFound, staleVersion } from './errors.ts'
import { listOf } from './json.ts'
import { applyFields } from './managed-fields.ts'
import { type Server, viewOf } from './server.ts'
import { plainShape } from './shape.ts'
import type { ApiResource } from './types.ts'
import { type Actor, born, completed, type Endpoint, emptyOf, restore, storeChanged, storeNew, writerOf } from './write.ts'

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
    const object = completed(
      resource,
      born(server, resource, { ...merged, metadata: { ...metadata, name } }, namespace),
      undefined,
    )
    return { object: storeNew(server, resource, { ...object, metadata: { ...object.metadata, ...owned } }, actor), created: true }
  }
  const restored = restore(resource, live, { ...merged, metadata }, endpoint)
  const object = completed(resource, restored, live)
  const next = { ...object, metadata: { ...object.metadata, ...owned } }
  const stale = storeChanged(server, { resource, key, live, next, endpoint, actor, by: 'patch' }, next)
  return { object: stale, created: false }
}

function checkApplied(resource: ApiResource, name: string, live: KubeObject | undefined, applied: KubeObject): void {
  const { uid, resourceVersion } = applied.metadata
  if (live === undefined && uid !== undefined) {
    throw conflict(resource, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
  }
  if (resourceVersion !== undefined && resourceVersion !== live?.metadata.resourceVersion) throw staleVersion(resource, name)
  const finalizers = listOf(applied.metadata.finalizers)
  if (new Set(finalizers).size === finalizers.length) return
  throw new ApiError(500, 'InternalError', `failed to create typed patch object: .metadata.finalizers: duplicate entries for key`)
}
