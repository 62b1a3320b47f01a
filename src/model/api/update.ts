// A changed object, from what a client sent to what is stored. The order of the steps is that of a real server: check the version,
// take back what this endpoint does not write, complete, note who owns what, validate, ask admission, store.
import type { KubeObject } from '../../core/object.ts'
import { admit } from './admission.ts'
import { finishIfReleased } from './delete.ts'
import { badRequest, conflict, invalid, invalidValue, staleVersion } from './errors.ts'
import { isEqual, valueAt, withField } from './json.ts'
import { trackUpdate } from './managed-fields.ts'
import { type Server, viewOf } from './server.ts'
import { plainShape } from './shape.ts'
import type { ApiResource } from './types.ts'
import { type Actor, checkValid, completed, type Endpoint, emptyOf, writerOf } from './write.ts'

export type UpdateInput = {
  readonly resource: ApiResource
  readonly key: string
  /** As stored, seen in the request's version. */
  readonly live: KubeObject
  readonly next: KubeObject
  readonly endpoint: Endpoint
  readonly actor: Actor
  /** `replace` (PUT) needs a resourceVersion for CRD kinds and takes a foreign uid for a failed precondition. */
  readonly by: 'replace' | 'patch'
}

/** Stores a changed object; a change that changes nothing is no write. Throws 409 for stale versions, 422 for invalid objects. */
export function updateObject(server: Server, input: UpdateInput): KubeObject {
  const { resource, live, next, actor, endpoint } = input
  checkVersion(input)
  const restored = restore(resource, live, next, endpoint)
  const { managedFields, ...metadata } = restored.metadata
  const object = completed(resource, { ...restored, metadata }, live, 'sent')
  const stated = managedFields === undefined ? object : { ...object, metadata: { ...object.metadata, managedFields } }
  const tracked = trackUpdate(
    live,
    emptyOf(resource),
    stated,
    resource.shape ?? plainShape,
    writerOf(server, resource, actor, endpoint),
  )
  return storeChanged(server, input, tracked)
}

function checkVersion({ resource, live, next, by }: UpdateInput): void {
  const { name } = live.metadata
  if (next.metadata.name !== undefined && next.metadata.name !== name) {
    throw badRequest(`the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`)
  }
  const { uid, resourceVersion } = next.metadata
  if (by === 'replace' && uid !== undefined && uid !== live.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ''}`
    throw conflict(resource, name, why)
  }
  if (resourceVersion === undefined || resourceVersion === '') {
    if (by === 'patch' || resource.origin !== 'crd') return
    // This one names the kind by its plural.
    throw invalid({ ...resource, kind: resource.plural }, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (resourceVersion !== live.metadata.resourceVersion) throw staleVersion(resource, name)
}

/** What no request may change, and what this endpoint does not write, is taken from the live object. */
export function restore(resource: ApiResource, live: KubeObject, next: KubeObject, endpoint: Endpoint): KubeObject {
  const kept = [
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
    'name',
  ] as const
  let metadata: KubeObject['metadata'] =
    next.metadata.uid === undefined ? withField(next.metadata, 'uid', live.metadata.uid) : next.metadata
  for (const field of kept) metadata = withField(metadata, field, live.metadata[field])
  if (resource.namespaced) metadata = withField(metadata, 'namespace', live.metadata.namespace)
  if (isEqual(metadata, live.metadata)) metadata = live.metadata
  const restored = withField(next, 'metadata', metadata)
  if (endpoint === 'status') return statusOnly(resource, live, restored)
  return resource.status === 'subresource' ? withField(restored, 'status', valueAt(live, ['status'])) : restored
}

/** A write to `/status` takes the status, and for built-in kinds the metadata, from the request. */
function statusOnly(resource: ApiResource, live: KubeObject, next: KubeObject): KubeObject {
  const metadata =
    resource.statusMetadata === 'written' ? next.metadata : withField(live.metadata, 'managedFields', next.metadata.managedFields)
  return withField(withField(live, 'metadata', metadata), 'status', valueAt(next, ['status']))
}

/** `metadata.generation` counts changes of what is wanted. */
function withGeneration(resource: ApiResource, live: KubeObject, next: KubeObject): KubeObject {
  if (resource.generation !== 'counted') return next
  const fields = [...new Set([...Object.keys(live), ...Object.keys(next)])]
  const watched = fields.filter(field => field !== 'metadata' && (field !== 'status' || resource.status !== 'subresource'))
  const isChanged = watched.some(field => !isEqual(valueAt(live, [field]), valueAt(next, [field])))
  if (!isChanged) return next
  return { ...next, metadata: { ...next.metadata, generation: (live.metadata.generation ?? 0) + 1 } }
}

export function storeChanged(server: Server, input: UpdateInput, tracked: KubeObject): KubeObject {
  const { resource, key, live, endpoint, actor } = input
  const prepared = endpoint === 'object' ? (resource.prepare?.(tracked, live) ?? tracked) : tracked
  const counted = endpoint === 'object' ? withGeneration(resource, live, prepared) : prepared
  checkValid(resource, counted, live, actor, endpoint)
  const final = withOldTimes(counted, live)
  admit(server, { operation: 'UPDATE', resource, object: final, oldObject: live, endpoint, dryRun: actor.dryRun })
  if (isEqual(final, live)) return live
  if (actor.dryRun) return final
  const finished = finishIfReleased(server, resource, key, live, final)
  return viewOf(resource, finished ?? server.store.commit(resource, key, 'MODIFIED', final))
}

/** A write that changes only the times in managedFields changes nothing. */
function withOldTimes(next: KubeObject, live: KubeObject): KubeObject {
  const before = live.metadata.managedFields ?? []
  const after = next.metadata.managedFields ?? []
  const untimed = (entries: typeof before) => entries.map(entry => withField(entry, 'time', undefined))
  if (before.length !== after.length || !isEqual(untimed(before), untimed(after))) return next
  const restored = withField(next, 'metadata', withField(next.metadata, 'managedFields', live.metadata.managedFields))
  return isEqual(restored, live) ? live : next
}
