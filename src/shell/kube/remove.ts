// Removals: of an object, or of one finalizer of it; never of anything but the very incarnation and version that was seen.
// Sources: meta/v1 DeleteOptions (preconditions); RFC 6902; decisions.md 3.
import { type KubeObject, keyOf, type Resource } from '../../core/object.ts'
import type { Removal } from '../../core/plan.ts'
import { objectIn, type Sender, sendJsonPatch, type WriteResult } from './apply.ts'
import { expectSuccess } from './errors.ts'
import { objectPath } from './paths.ts'

/** Tests that fail unless the finalizer is still at this place of the very object that was seen, then the removal of this entry. */
function finalizerPatch(removal: Removal, place: number): readonly object[] {
  return [
    { op: 'test', path: '/metadata/uid', value: removal.uid },
    { op: 'test', path: '/metadata/resourceVersion', value: removal.resourceVersion },
    { op: 'test', path: `/metadata/finalizers/${place}`, value: removal.finalizer },
    { op: 'remove', path: `/metadata/finalizers/${place}` },
  ]
}

/**
 * Carries out a removal. `seen` is the object in the snapshot, for the place of its finalizer. `gone`: there is nothing left to
 * remove; `again`: the object changed since. Throws an ApiError, or what the transport throws.
 */
export async function sendRemoval(
  sender: Sender,
  resource: Resource,
  removal: Removal,
  seen: KubeObject | undefined,
  stop: AbortSignal,
): Promise<WriteResult> {
  const { object, uid, resourceVersion, finalizer } = removal
  const key = keyOf({ metadata: object })
  const path = objectPath(resource, key)
  if (finalizer !== undefined) {
    const place = seen?.metadata.uid === uid ? (seen.metadata.finalizers?.indexOf(finalizer) ?? -1) : -1
    if (place < 0) return { result: 'gone' }
    return sendJsonPatch(
      sender,
      path,
      `take the finalizer ${finalizer} off ${object.kind} ${key}`,
      finalizerPatch(removal, place),
      stop,
    )
  }
  const response = await sender.transport(
    {
      method: 'DELETE',
      path,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion }, propagationPolicy: 'Background' },
      deadlineMs: sender.deadlineMs,
    },
    stop,
  )
  if (response.status === 404) return { result: 'gone' }
  if (response.status === 409 || response.status === 422) return { result: 'again' }
  return {
    result: 'written',
    object: objectIn(expectSuccess(`remove ${object.kind} ${key}`, response, sender.clock.nowMs()).body),
  }
}
