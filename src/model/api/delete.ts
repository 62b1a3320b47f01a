// Deletion: grace periods, finalizers, preconditions. Source: apiserver, pkg/registry/rest/delete.go and
// pkg/registry/generic/registry/store.go.
import type { KubeObject } from '../../core/object.ts'
import { admit } from './admission.ts'
import { conflict, notFound } from './errors.ts'
import { isEqual, withField } from './json.ts'
import { type Server, timeOf, viewOf } from './server.ts'
import type { ApiResource, Propagation, RemoveOptions } from './types.ts'

const orphan = 'orphan'
const foreground = 'foregroundDeletion'

export type Deletion = {
  readonly object: KubeObject
  readonly is: 'removed' | 'pending'
}

type Grace = { readonly object: KubeObject; readonly seconds: number; readonly is: 'graceful' | 'pending' | 'none' }

/** Marks the object as being deleted; for pods the first delete and every shorter one set a new end. */
function gracePeriod(server: Server, resource: ApiResource, live: KubeObject, asked: number | undefined): Grace {
  if (resource.graceSeconds === undefined) return { object: live, seconds: 0, is: 'none' }
  const nowMs = server.clock.nowMs()
  const { deletionTimestamp, deletionGracePeriodSeconds: current = 0, generation } = live.metadata
  if (deletionTimestamp === undefined) {
    const seconds = resource.graceSeconds(live, asked)
    const metadata = {
      ...live.metadata,
      deletionTimestamp: timeOf(nowMs + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    }
    return { object: { ...live, metadata }, seconds, is: 'graceful' }
  }
  if (current === 0) return { object: live, seconds: 0, is: 'none' }
  if (asked === undefined || asked >= current) return { object: live, seconds: current, is: 'pending' }
  const endMs = Date.parse(deletionTimestamp) + (asked - current) * 1000
  const seconds = endMs < nowMs && asked !== 0 ? 1 : asked
  const metadata = { ...live.metadata, deletionTimestamp: timeOf(Math.max(endMs, nowMs)), deletionGracePeriodSeconds: seconds }
  return { object: { ...live, metadata }, seconds, is: 'graceful' }
}

/** Finalizers for the garbage collector, as the propagation policy asks for. */
function finalizersFor(resource: ApiResource, live: KubeObject, propagation: Propagation | undefined): readonly string[] {
  const current = live.metadata.finalizers ?? []
  const stated = current.includes(orphan) ? 'Orphan' : current.includes(foreground) ? 'Foreground' : undefined
  const policy = propagation ?? stated ?? resource.defaultPropagation ?? 'Background'
  const others = current.filter(finalizer => finalizer !== orphan && finalizer !== foreground)
  if (policy === 'Orphan') return [...others, orphan]
  return policy === 'Foreground' ? [...others, foreground] : others
}

/** For kinds without a grace period, when finalizers hold the object. */
function marked(server: Server, object: KubeObject): KubeObject {
  const { deletionTimestamp, generation } = object.metadata
  if (deletionTimestamp !== undefined)
    return withField(object, 'metadata', withField(object.metadata, 'deletionGracePeriodSeconds', 0))
  const metadata = {
    ...object.metadata,
    deletionTimestamp: server.now(),
    deletionGracePeriodSeconds: 0,
    ...(generation === undefined || generation === 0 ? {} : { generation: generation + 1 }),
  }
  return { ...object, metadata }
}

function checkPreconditions(resource: ApiResource, live: KubeObject, options: RemoveOptions): void {
  const { name, uid = '', resourceVersion = '' } = live.metadata
  if (options.uid !== undefined && options.uid !== uid) {
    const hint = 'The object might have been deleted and then recreated'
    throw conflict(
      resource,
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). ${hint}`,
    )
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const versions = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion})`
    throw conflict(resource, name, `${versions}. The object might have been modified`)
  }
}

/** Deletes, or marks for deletion. Throws 404 when there is no such object, 409 when a precondition fails. */
export function deleteObject(
  server: Server,
  resource: ApiResource,
  key: string,
  options: RemoveOptions,
  how: { readonly dryRun: boolean },
): Deletion {
  const live = server.store.get(resource, key)
  if (live === undefined) throw notFound(resource, key.slice(key.indexOf('/') + 1))
  checkPreconditions(resource, live, options)
  admit(server, { operation: 'DELETE', resource, oldObject: viewOf(resource, live), dryRun: how.dryRun })
  const grace = gracePeriod(server, resource, live, options.gracePeriodSeconds)
  if (grace.is === 'pending') return { object: live, is: 'pending' }
  const finalizers = isNamespace(resource) ? (live.metadata.finalizers ?? []) : finalizersFor(resource, live, options.propagation)
  const isSame = isEqual(finalizers, live.metadata.finalizers ?? [])
  const held = isSame ? grace.object : withMetadata(grace.object, { finalizers })
  const isHeld = finalizers.length > 0 || isNamespace(resource)
  const next = grace.is === 'none' && isHeld ? marked(server, terminating(resource, held)) : held
  if (how.dryRun) return { object: next, is: isHeld || grace.seconds > 0 ? 'pending' : 'removed' }
  const stored = isEqual(next, live) ? live : commitChange(server, resource, key, next, grace.is === 'graceful' || isHeld)
  if (isHeld || grace.seconds > 0) return { object: stored, is: 'pending' }
  return { object: server.store.commit(resource, key, 'DELETED', stored), is: 'removed' }
}

const commitChange = (server: Server, resource: ApiResource, key: string, next: KubeObject, isStored: boolean): KubeObject =>
  isStored ? server.store.commit(resource, key, 'MODIFIED', next) : next

const withMetadata = (object: KubeObject, fields: Partial<KubeObject['metadata']>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...fields },
})

const isNamespace = (resource: ApiResource) => resource.kind === 'Namespace' && resource.apiVersion === 'v1'

/** A namespace says in its status that it ends. */
const terminating = (resource: ApiResource, object: KubeObject): KubeObject =>
  isNamespace(resource) ? withField(object, 'status', { phase: 'Terminating' }) : object

/** Removes an object whose last finalizer an update took off; undefined when it stays. */
export function finishIfReleased(
  server: Server,
  resource: ApiResource,
  key: string,
  live: KubeObject,
  next: KubeObject,
): KubeObject | undefined {
  if (live.metadata.deletionTimestamp === undefined || (next.metadata.finalizers ?? []).length > 0) return undefined
  if ((live.metadata.deletionGracePeriodSeconds ?? 0) !== 0 || isNamespace(resource)) return undefined
  server.store.commit(resource, key, 'DELETED', live)
  return next
}
