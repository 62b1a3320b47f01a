// Who owns which field: the bookkeeping behind server-side apply. Source: Kubernetes documentation, "Server-Side Apply";
// structured-merge-diff, merge/update.go; apimachinery, util/managedfields.
import type { KubeObject, ManagedFields } from '../../core/object.ts'
import { ApiError, badRequest } from './errors.ts'
import {
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmptySet,
  parseFieldSet,
  printPaths,
  underFields,
  union,
  withoutIdentity,
} from './fields.ts'
import { isEqual, isJson } from './json.ts'
import type { Shape } from './shape.ts'
import { compare, fieldSetOf, merge, removeItems, withStructures } from './typed.ts'

/** One writer: an applier is one whatever its version; an updater is one per version. */
type Owner = { readonly entry: ManagedFields; readonly set: FieldSet }
type Owners = ReadonlyMap<string, Owner>

export type Writer = {
  readonly manager: string
  readonly apiVersion: string
  readonly subresource?: string
  /** Built-in kinds are Go types, those of CRDs are not. */
  readonly typed: 'typed' | 'untyped'
  /** RFC 3339, seconds. */
  readonly time: string
  /** Top fields that this endpoint writes not at all (`status` for the object, everything else for its status). */
  readonly ignores: (set: FieldSet) => FieldSet
}

const ownerKey = (entry: ManagedFields) =>
  JSON.stringify([
    entry.manager ?? '',
    entry.operation,
    entry.operation === 'Apply' ? '' : entry.apiVersion,
    entry.subresource ?? '',
  ])

const isEmptyEntry = (entry: unknown) => isJson(entry) && Object.keys(entry).length === 0

function ownersOf(entries: readonly ManagedFields[] | undefined): Owners {
  const owners = new Map<string, Owner>()
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') continue
    const set = readSet(entry.fieldsV1)
    if (!isEmptySet(set)) owners.set(ownerKey(entry), { entry, set })
  }
  return owners
}

// Thousands of objects share a few field sets; one copy of each keeps large clusters small.
const known = new Map<string, FieldSet>()
const trusted = new WeakSet<FieldSet>()
const maxKnown = 20_000

function shared(set: FieldSet): FieldSet {
  if (trusted.has(set)) return set
  const text = JSON.stringify(set)
  const found = known.get(text)
  if (found !== undefined) return found
  if (known.size >= maxKnown) known.clear()
  known.set(text, set)
  trusted.add(set)
  return set
}

const readSet = (value: object | undefined): FieldSet =>
  value !== undefined && trusted.has(value as FieldSet) ? (value as FieldSet) : parseFieldSet(value)

const seconds = (entry: ManagedFields) => (entry.time === undefined ? 0 : Math.floor(Date.parse(entry.time) / 1000))
const order = (a: string | undefined, b: string | undefined) => ((a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0)

function withOwners(object: KubeObject, owners: Owners): KubeObject {
  const entries = [...owners.values()]
    .filter(owner => !isEmptySet(owner.set))
    .map(({ entry, set }) => (entry.fieldsV1 === set ? entry : { ...entry, fieldsType: 'FieldsV1', fieldsV1: shared(set) }))
    .sort(
      (a, b) =>
        order(a.operation, b.operation) ||
        seconds(a) - seconds(b) ||
        order(a.manager, b.manager) ||
        order(a.apiVersion, b.apiVersion) ||
        order(a.subresource, b.subresource),
    )
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } }
}

const entryOf = (writer: Writer, operation: 'Apply' | 'Update', time: string | undefined): ManagedFields => ({
  manager: writer.manager,
  operation,
  apiVersion: writer.apiVersion,
  ...(time === undefined ? {} : { time }),
  fieldsType: 'FieldsV1',
  ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
})

/** Takes fields away from everybody but `self`; throws 409 when that needs force. */
function settle(
  live: KubeObject,
  next: KubeObject,
  owners: Owners,
  self: string,
  shape: Shape,
  writer: Writer,
  force: 'force' | 'ask',
) {
  const changes = compare(live, next, shape)
  const added = writer.ignores(changes.added)
  const modified = writer.ignores(changes.modified)
  const removed = writer.ignores(changes.removed)
  const touched = union(modified, added)
  const conflicts = new Map<string, FieldSet>()
  const kept = new Map<string, Owner>()
  for (const [key, owner] of owners) {
    if (key === self) {
      kept.set(key, owner)
      continue
    }
    const conflict = intersection(owner.set, touched)
    if (!isEmptySet(conflict)) conflicts.set(key, conflict)
    const lost = union(conflict, intersection(owner.set, removed))
    const set = difference(owner.set, lost)
    if (!isEmptySet(set)) kept.set(key, { entry: owner.entry, set })
  }
  if (force === 'ask' && conflicts.size > 0) throw applyConflict(conflicts, owners)
  return { owners: kept, added, modified, removed }
}

function printOwner(entry: ManagedFields): string {
  const name = `"${entry.manager ?? ''}"${entry.subresource === undefined ? '' : ` with subresource "${entry.subresource}"`}`
  if (entry.operation !== 'Update') return name
  return `${name} using ${entry.apiVersion ?? ''}`
}

function applyConflict(conflicts: ReadonlyMap<string, FieldSet>, owners: Owners): ApiError {
  const found = [...conflicts]
    .sort(([a], [b]) => order(a, b))
    .flatMap(([key, set]) => {
      const entry = owners.get(key)?.entry
      return entry === undefined ? [] : [{ by: printOwner(entry), paths: printPaths(set) }]
    })
  const causes = found.flatMap(({ by, paths }) =>
    paths.map(field => ({ reason: 'FieldManagerConflict', message: `conflict with ${by}`, field })),
  )
  const [first] = found
  const message =
    causes.length === 1 && first !== undefined
      ? `Apply failed with 1 conflict: conflict with ${first.by}: ${first.paths[0] ?? ''}`
      : `Apply failed with ${causes.length} conflicts: ${found
          .map(({ by, paths }) => [`conflicts with ${by}:`, ...paths.map(path => `- ${path}`)].join('\n'))
          .join('\n')}`
  return new ApiError(409, 'Conflict', message, { causes })
}

/** The owners to start from: those that the request states, else the live ones. A request can reset or rewrite them. */
function startingOwners(live: KubeObject | undefined, next: KubeObject, writer: Writer): Owners | 'untracked' {
  const stated = next.metadata.managedFields
  if (writer.subresource === undefined && Array.isArray(stated)) {
    // An empty list is not seen in the untyped objects of CRD kinds.
    const isReset = (stated.length === 0 && writer.typed === 'typed') || (stated.length === 1 && isEmptyEntry(stated[0]))
    if (isReset) return live === undefined ? new Map() : 'untracked'
    const owners = ownersOf(stated)
    if (owners.size > 0) return owners
  }
  const owners = ownersOf(live?.metadata.managedFields)
  return owners.size === 0 && live !== undefined ? 'untracked' : owners
}

/**
 * The object with the owners after a create, update or patch: the writer owns what it changed.
 * `empty` is the object before its creation; objects without any managedFields stay without.
 */
export function trackUpdate(
  live: KubeObject | undefined,
  empty: KubeObject,
  next: KubeObject,
  shape: Shape,
  writer: Writer,
): KubeObject {
  const owners = startingOwners(live, next, writer)
  if (owners === 'untracked') return withOwners(next, new Map())
  const { owners: kept, added, modified } = settle(live ?? empty, next, owners, 'this operation', shape, writer, 'force')
  const taken = withoutIdentity(union(modified, added))
  if (isEmptySet(taken)) return withOwners(next, kept)
  const entry = entryOf(writer, 'Update', writer.time)
  const key = ownerKey(entry)
  return withOwners(next, new Map([...kept, [key, { entry, set: union(kept.get(key)?.set ?? emptySet, taken) }]]))
}

export type ApplyInput = {
  readonly live: KubeObject | undefined
  readonly empty: KubeObject
  readonly applied: KubeObject
  readonly shape: Shape
  readonly writer: Writer
  readonly force: 'force' | 'ask'
}

/** The live object with the applied one merged in, what it no longer states taken out, and the owners kept. Throws 409 on conflicts. */
export function applyFields({ live, empty, applied, shape, writer, force }: ApplyInput): KubeObject {
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  const base = live ?? empty
  const entry = entryOf(writer, 'Apply', undefined)
  const self = ownerKey(entry)
  const before = ownersBeforeApply(live, empty, shape, writer)
  const last = before.get(self)
  const merged = merge(base, applied, shape) as KubeObject
  const set = writer.ignores(fieldSetOf(applied, shape))
  const stated = new Map(before).set(self, { entry, set })
  const next = last === undefined ? merged : prune(merged, stated, last.set, shape)
  const { owners } = settle(base, next, stated, self, shape, writer, force)
  const isChanged = !isEqual(base, next)
  const time = isChanged ? writer.time : last?.entry.time
  const mine = withoutIdentity(set)
  const result = new Map(owners)
  if (isEmptySet(mine)) result.delete(self)
  else result.set(self, { entry: { ...entry, ...(time === undefined ? {} : { time }) }, set: mine })
  return withOwners(next, result)
}

/** What an object without managedFields holds belongs to `before-first-apply`. */
function ownersBeforeApply(live: KubeObject | undefined, empty: KubeObject, shape: Shape, writer: Writer): Owners {
  if (live === undefined) return new Map()
  const owners = ownersOf(live.metadata.managedFields)
  if (owners.size > 0) return owners
  const entry = entryOf({ ...writer, manager: 'before-first-apply' }, 'Update', writer.time)
  const set = withoutIdentity(writer.ignores(compare(empty, live, shape).added))
  return isEmptySet(set) ? new Map() : new Map([[ownerKey(entry), { entry, set }]])
}

/** Takes out what the applier stated last time but not now, unless somebody else owns it. */
function prune(merged: KubeObject, owners: Owners, lastSet: FieldSet, shape: Shape): KubeObject {
  const last = withStructures(lastSet, shape)
  const all = withStructures(fieldSetOf(merged, shape), shape)
  let managed: FieldSet = emptySet
  for (const owner of owners.values()) managed = union(managed, owner.set)
  if (isEmptySet(difference(lastSet, managed))) return merged
  const bare = removeItems(merged, last, shape)
  const keep = union(withStructures(fieldSetOf(bare, shape), shape), withStructures(managed, shape))
  const withOwned = removeItems(merged, difference(all, keep), shape)
  const gone = intersection(difference(all, withStructures(fieldSetOf(withOwned, shape), shape)), last)
  return removeItems(merged, gone, shape) as KubeObject
}

/** What an endpoint with a status of its own owns nothing of. */
export const ignoring = {
  nothing: (set: FieldSet) => set,
  status: (set: FieldSet) => underFields(set, ['status'], 'without'),
  allButStatus: (set: FieldSet) => underFields(set, ['status'], 'only'),
  spec: (set: FieldSet) => underFields(set, ['spec'], 'without'),
}
