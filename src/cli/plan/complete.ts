// Fills in what an API server would have filled in, so that a planner can be asked about objects that were never in a cluster.
import { createHash } from 'node:crypto'
import { type KubeObject, keyOf, type ObjectMeta, type OwnerReference } from '../../core/object.ts'

/**
 * The objects with uid, resourceVersion, generation and creationTimestamp where they are missing, sorted by kind and key. The same
 * objects give the same result in whatever order they come. An owner reference without uid gets that of the owner, and an owner without
 * uid the one that its dependents know it by.
 */
export function completeObjects(objects: readonly KubeObject[], now: string): readonly KubeObject[] {
  const sorted = [...objects].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  const claimed = claimedUids(sorted)
  const uids = new Map(
    sorted.map(object => [idOf(object), object.metadata.uid ?? claimed.get(idOf(object)) ?? inventedUid(idOf(object))]),
  )
  return sorted.map(object => ({ ...object, metadata: completeMetadata(object, uids, now) }))
}

function completeMetadata(object: KubeObject, uids: ReadonlyMap<string, string>, now: string): ObjectMeta {
  const { metadata } = object
  const observed = (object as { status?: { observedGeneration?: unknown } }).status?.observedGeneration
  const owners = metadata.ownerReferences?.map(owner => ({
    ...owner,
    uid: owner.uid ?? uids.get(ownerId(owner, metadata)) ?? '',
  }))
  return {
    ...metadata,
    uid: uids.get(idOf(object)) ?? '',
    resourceVersion: metadata.resourceVersion ?? '1',
    // A status that was seen speaks of the object as it is, unless the generation says otherwise.
    generation: metadata.generation ?? (typeof observed === 'number' ? observed : 1),
    creationTimestamp: metadata.creationTimestamp ?? now,
    ...(owners === undefined ? {} : { ownerReferences: owners }),
  }
}

/** Identity without the version of the API group, which owner references may have written differently. */
const idOf = (object: KubeObject): string => `${groupOf(object.apiVersion)} ${object.kind} ${keyOf(object)}`
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '')

/** An owner lives in the namespace of its dependent, or in none. */
const ownerId = (owner: OwnerReference, dependent: ObjectMeta): string =>
  `${groupOf(owner.apiVersion)} ${owner.kind} ${keyOf({ metadata: { name: owner.name, ...(dependent.namespace === undefined || owner.kind === 'Node' ? {} : { namespace: dependent.namespace }) } })}`

function claimedUids(objects: readonly KubeObject[]): ReadonlyMap<string, string> {
  const claims = new Map<string, string>()
  for (const { metadata } of objects) {
    for (const owner of metadata.ownerReferences ?? []) {
      const id = ownerId(owner, metadata)
      if (owner.uid !== undefined && !claims.has(id)) claims.set(id, owner.uid)
    }
  }
  return claims
}

/** Shaped like a uid, and always the same for the same object. */
function inventedUid(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

const epoch = '1970-01-01T00:00:00Z'
const timeField = /(Time|Timestamp|At)$|^(time|since)$/

/** The newest RFC 3339 time in any field that is a time by its name, else the epoch (decisions.md 31). */
export function newestTime(objects: readonly KubeObject[]): string {
  let newest = epoch
  const visit = (value: unknown, field: string): void => {
    if (typeof value === 'string') {
      if (timeField.test(field) && Date.parse(value) > Date.parse(newest)) newest = value
    } else if (Array.isArray(value)) {
      for (const item of value) visit(item, field)
    } else if (typeof value === 'object' && value !== null) {
      for (const [inner, child] of Object.entries(value)) if (!freeText.has(inner)) visit(child, inner)
    }
  }
  for (const object of objects) visit(object, '')
  return new Date(newest).toISOString().replace('.000Z', 'Z')
}

/** Keys in these maps are the user's. */
const freeText: ReadonlySet<string> = new Set([
  'labels',
  'annotations',
  'data',
  'stringData',
  'binaryData',
  'matchLabels',
  'nodeSelector',
])
