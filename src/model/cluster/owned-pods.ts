// The pods of each controller, by the uid of their owner and by their node: kept from changes, so that no controller lists all pods.
import { controllerOf, type KubeObject, keyOf } from '../../core/object.ts'
import { asPod, type PodObject, uidOf } from './pod-spec.ts'

export type OwnedPods = {
  /** Call for every change of a pod, in order. */
  note(pod: KubeObject, how: 'there' | 'gone'): void
  /** By the uid of the controller: pods by key. */
  of(ownerUid: string): ReadonlyMap<string, PodObject>
  /** Pods of a namespace that no controller owns. */
  orphans(namespace: string): readonly PodObject[]
}

const none: ReadonlyMap<string, PodObject> = new Map()

export function createOwnedPods(): OwnedPods {
  const byOwner = new Map<string, Map<string, PodObject>>()
  const orphans = new Map<string, Map<string, PodObject>>()
  const placeOf = new Map<string, Map<string, PodObject>>()
  const placeFor = (pod: KubeObject): Map<string, PodObject> => {
    const owner = controllerOf(pod)
    const [index, key] =
      owner === undefined ? ([orphans, pod.metadata.namespace ?? ''] as const) : ([byOwner, owner.uid] as const)
    const found = index.get(key) ?? new Map<string, PodObject>()
    index.set(key, found)
    return found
  }
  return {
    note(pod, how) {
      const uid = uidOf(pod)
      const before = placeOf.get(uid)
      const now = how === 'there' ? placeFor(pod) : undefined
      if (before !== now) before?.delete(keyOf(pod))
      if (now === undefined) placeOf.delete(uid)
      else {
        placeOf.set(uid, now)
        now.set(keyOf(pod), asPod(pod))
      }
    },
    of: ownerUid => byOwner.get(ownerUid) ?? none,
    orphans: namespace => [...(orphans.get(namespace)?.values() ?? [])],
  }
}
