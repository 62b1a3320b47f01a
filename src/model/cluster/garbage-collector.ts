// The garbage collector: objects whose owners are all gone are deleted; foreground and orphan deletion (kubernetes,
// pkg/controller/garbagecollector). It indexes owners by uid: a new owner of an old name owns nothing.
import { type KubeObject, keyOf, type OwnerReference, type Resource } from '../../core/object.ts'
import type { Clock } from '../../shell/clock.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { attempt } from './events.ts'
import { uidOf } from './pod-spec.ts'
import { createWorkQueue } from './work-queue.ts'

type Place = { readonly resource: Resource; readonly key: string }

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

export function createGarbageCollector(context: { readonly api: ModelApi; readonly clock: Clock; readonly latencyMs: number }): {
  changed(change: Change): void
} {
  const { api, clock } = context
  const places = new Map<string, Place>()
  const dependents = new Map<string, Set<string>>()
  const queue = createWorkQueue(clock, context.latencyMs, uid => lookAt(uid))

  const objectOf = (uid: string): KubeObject | undefined => {
    const place = places.get(uid)
    const object = place === undefined ? undefined : api.get(place.resource, place.key)
    return object !== undefined && uidOf(object) === uid ? object : undefined
  }

  /** An owner in another namespace is none. */
  const ownerObject = (object: KubeObject, owner: OwnerReference): KubeObject | undefined => {
    const found = objectOf(owner.uid)
    if (found === undefined) return undefined
    return found.metadata.namespace === undefined || found.metadata.namespace === object.metadata.namespace ? found : undefined
  }

  const lookAt = (uid: string) => {
    const place = places.get(uid)
    const object = objectOf(uid)
    if (place === undefined || object === undefined) return
    if (object.metadata.deletionTimestamp !== undefined) return lookAtDeleted(uid, object, place)
    const owners = object.metadata.ownerReferences ?? []
    if (owners.length === 0) return
    const alive = owners.filter(owner => ownerObject(object, owner) !== undefined)
    const waiting = alive.filter(owner => isWaiting(ownerObject(object, owner)) && owner.blockOwnerDeletion === true)
    if (alive.length > waiting.length) {
      // Somebody still needs it: only the dangling references go.
      if (alive.length < owners.length) setOwners(place, alive)
      return
    }
    const hasDependents = [...(dependents.get(uid) ?? [])].some(child => objectOf(child) !== undefined)
    const propagation = waiting.length > 0 && hasDependents ? 'Foreground' : 'Background'
    attempt(() => api.remove(place.resource, place.key, { uid, propagation }))
  }

  const isWaiting = (owner: KubeObject | undefined): boolean =>
    owner?.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes(foreground) === true

  const lookAtDeleted = (uid: string, object: KubeObject, place: Place) => {
    const children = [...(dependents.get(uid) ?? [])].flatMap(child => {
      const found = objectOf(child)
      return found === undefined ? [] : [{ uid: child, object: found }]
    })
    if (object.metadata.finalizers?.includes(orphan) === true) {
      for (const child of children) {
        const childPlace = places.get(child.uid)
        if (childPlace !== undefined)
          setOwners(
            childPlace,
            (child.object.metadata.ownerReferences ?? []).filter(owner => owner.uid !== uid),
          )
      }
      return dropFinalizer(place, orphan)
    }
    if (object.metadata.finalizers?.includes(foreground) !== true) return
    const blocking = children.filter(child =>
      child.object.metadata.ownerReferences?.some(owner => owner.uid === uid && owner.blockOwnerDeletion === true),
    )
    for (const child of children) queue.add(child.uid)
    if (blocking.length === 0) dropFinalizer(place, foreground)
  }

  const setOwners = (place: Place, ownerReferences: readonly OwnerReference[]) =>
    attempt(() =>
      api.update(
        place.resource,
        place.key,
        object => ({ ...object, metadata: { ...object.metadata, ownerReferences } }),
        'garbage-collector',
      ),
    )

  const dropFinalizer = (place: Place, name: string): void => {
    const without = (object: KubeObject) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: (object.metadata.finalizers ?? []).filter(finalizer => finalizer !== name) },
    })
    attempt(() => api.update(place.resource, place.key, without, 'garbage-collector'))
  }

  const noteOwners = (uid: string, before: readonly OwnerReference[], after: readonly OwnerReference[]) => {
    for (const owner of before) if (!after.some(other => other.uid === owner.uid)) dependents.get(owner.uid)?.delete(uid)
    for (const owner of after) {
      const known = dependents.get(owner.uid) ?? new Set<string>()
      known.add(uid)
      dependents.set(owner.uid, known)
    }
  }

  return {
    changed({ resource, type, object, old }) {
      if (resource.kind === 'Event') return
      const uid = uidOf(object)
      const before = old?.metadata.ownerReferences ?? []
      const after = type === 'DELETED' ? [] : (object.metadata.ownerReferences ?? [])
      if (before !== after) noteOwners(uid, type === 'DELETED' ? (object.metadata.ownerReferences ?? []) : before, after)
      if (type === 'DELETED') {
        places.delete(uid)
        for (const child of dependents.get(uid) ?? []) queue.add(child)
        dependents.delete(uid)
        for (const owner of object.metadata.ownerReferences ?? []) if (isWaiting(objectOf(owner.uid))) queue.add(owner.uid)
        return
      }
      places.set(uid, { resource, key: keyOf(object) })
      const isFirst = old === undefined
      if (after.length > 0 && (isFirst || before !== after)) queue.add(uid)
      const isDeleted = object.metadata.deletionTimestamp !== undefined
      const holds = object.metadata.finalizers?.some(finalizer => finalizer === foreground || finalizer === orphan) === true
      if (isDeleted && holds) queue.add(uid)
    },
  }
}
