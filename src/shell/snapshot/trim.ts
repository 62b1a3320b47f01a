// Of metadata.managedFields the snapshot keeps what the comparison before an apply reads: our own entries, and of former owners
// what would become ours. The rest is the larger half of many objects (dependencies.md 1.3).
import type { KubeObject, ManagedFields } from '../../core/object.ts'
import { elements, type FormerOwner, inherited } from '../kube/fields.ts'
import { sharedValues } from './share.ts'

// The sets are few and equal on thousands of objects: one copy of each is enough.
const mostShared = 2_000

/** Makes the function that trims managedFields for one resource. The result has managedFields always, if only an empty list. */
export function managedFieldsTrim(
  manager: string,
  formerOwners: readonly FormerOwner[],
): (object: KubeObject) => readonly ManagedFields[] {
  const share = sharedValues<ManagedFields>(mostShared)

  // Without its time: an apply that changed nothing else is no news.
  function kept(entry: ManagedFields): ManagedFields | undefined {
    const { time: _, ...rest } = entry
    if (entry.manager === manager) return entry.operation === 'Apply' ? share(rest) : undefined
    const { yes } = inherited(entry, formerOwners, entry.subresource ?? '')
    return elements(yes).length === 0 ? undefined : share({ ...rest, fieldsV1: yes })
  }

  return object => (object.metadata.managedFields ?? []).map(kept).filter(entry => entry !== undefined)
}
