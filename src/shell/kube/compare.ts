// Would applying an object change anything? Answered without a schema: what we own according to managedFields says how each
// list is merged (items by key, values of a set, or as a whole), and a change by anybody else takes the field from our entry.
// Source: Kubernetes API concepts, "Server-Side Apply"; decisions.md 5.
import type { KubeObject } from '../../core/object.ts'
import { appliedEntry, elements, type Fields, type FormerOwner, fieldsOf, inherited } from './fields.ts'
import { sameQuantity } from './quantity.ts'

type Value = unknown
type Tree = Readonly<Record<string, Value>>
/** Whether numbers and strings here are amounts: `cpu: 1000m` is `cpu: "1"`. */
type Unit = 'plain' | 'amount' | 'amounts'

// Amounts are under these names, or are the value of those. Source: core/v1 (ResourceRequirements, EmptyDirVolumeSource, ...).
const holdAmounts = new Set(['limits', 'requests', 'capacity', 'overhead'])
const areAmounts = new Set(['sizeLimit', 'divisor', 'storage'])

// What the server fills into lists and maps that it merges as a whole: stated or not, it means the same.
// Source: core/v1 defaults (SetDefaults_ObjectFieldSelector, SetDefaults_ResourceFieldSelector ... ).
const filledIn: Readonly<Record<string, Value>> = {
  apiVersion: 'v1',
  divisor: '0',
  expirationSeconds: 3600,
  protocol: 'TCP',
  name: '',
  scheme: 'HTTP',
}

// Maps that the server replaces as a whole, so that stating them empty empties them. Other empty maps are structs, which it may fill.
const replacedMaps = new Set(['nodeSelector', 'matchLabels'])

const isTree = (value: Value): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

/** null, [], {} and what holds nothing else are the same as absent. */
function isEmpty(value: Value): boolean {
  if (value === undefined || value === null) return true
  if (isList(value)) return value.length === 0
  return isTree(value) && Object.values(value).every(isEmpty)
}

const unitOf = (name: string, unit: Unit): Unit => {
  if (unit === 'amounts' || areAmounts.has(name)) return 'amount'
  return holdAmounts.has(name) ? 'amounts' : 'plain'
}

const isScalar = (value: Value): value is string | number => typeof value === 'string' || typeof value === 'number'

function sameScalar(a: Value, b: Value, unit: Unit): boolean {
  if (a === b) return true
  return unit !== 'plain' && isScalar(a) && isScalar(b) && sameQuantity(a, b)
}

/** Equal, but for absent = empty, amounts, and what the server fills in. `extra`: what the right side may have beyond the left. */
function same(stated: Value, seen: Value, unit: Unit, extra: 'filled-in' | 'anything'): boolean {
  if (isEmpty(stated)) return isEmpty(seen) || extra === 'anything'
  if (isList(stated)) {
    if (!isList(seen) || stated.length !== seen.length) return false
    return stated.every((item, index) => same(item, seen[index], unit, extra))
  }
  if (!isTree(stated)) return sameScalar(stated, seen, unit)
  if (!isTree(seen)) return false
  if (Object.keys(stated).some(name => !same(stated[name], seen[name], unitOf(name, unit), extra))) return false
  if (extra === 'anything') return true
  return Object.keys(seen).every(name => !isEmpty(stated[name]) || isEmpty(seen[name]) || seen[name] === filledIn[name])
}

/** First path at which applying `stated` would change a value or an owner; undefined if nothing. */
function difference(stated: Value, seen: Value, owned: Fields, name: string, unit: Unit): string | undefined {
  if (isList(stated)) return listDifference(stated, seen, owned, unit)
  if (!isTree(stated)) return sameScalar(stated, seen, unit) ? undefined : ''
  const leaf = elements(owned).length === 0
  if (!leaf) return treeDifference(stated, seen, owned, unit)
  if (isEmpty(stated)) return replacedMaps.has(name) && !isEmpty(seen) ? '' : undefined
  return same(stated, seen, unit, 'filled-in') ? undefined : ''
}

function treeDifference(stated: Tree, seen: Value, owned: Fields, unit: Unit): string | undefined {
  const there = isTree(seen) ? seen : {}
  for (const [name, value] of Object.entries(stated)) {
    const below = owned[`f:${name}`]
    if (value === null || value === undefined) continue
    if (below === undefined) {
      if (isEmpty(value)) continue
      return `.${name}`
    }
    const found = difference(value, there[name], below, name, unitOf(name, unit))
    if (found !== undefined) return `.${name}${found}`
  }
  const dropped = elements(owned).find(element => (stated[element.slice(2)] ?? null) === null)
  return dropped === undefined ? undefined : `.${dropped.slice(2)}`
}

function listDifference(stated: readonly Value[], seen: Value, owned: Fields, unit: Unit): string | undefined {
  const there = isList(seen) ? seen : []
  const mine = elements(owned)
  if (mine.some(element => element.startsWith('k:'))) return itemsDifference(stated, there, owned, mine, unit)
  if (!mine.some(element => element.startsWith('v:'))) return same(stated, there, unit, 'filled-in') ? undefined : ''
  const missing = stated.find(value => !there.includes(value) || !mine.includes(`v:${JSON.stringify(value)}`))
  if (missing !== undefined) return `[${JSON.stringify(missing)}]`
  const dropped = mine.find(element => !stated.some(value => `v:${JSON.stringify(value)}` === element))
  return dropped === undefined ? undefined : `[${dropped.slice(2)}]`
}

/** Whether the item has these keys. Keys that the item leaves out are defaults of the server (`protocol: TCP` of a port). */
const hasKeys = (item: Value, keys: Tree): boolean =>
  isTree(item) && Object.entries(keys).every(([name, value]) => item[name] === undefined || item[name] === value)

function itemsDifference(
  stated: readonly Value[],
  there: readonly Value[],
  owned: Fields,
  mine: readonly string[],
  unit: Unit,
): string | undefined {
  const left = new Set(mine)
  let last = -1
  for (const item of stated) {
    const element = mine.find(candidate => left.has(candidate) && hasKeys(item, JSON.parse(candidate.slice(2)) as Tree))
    if (element === undefined) return `[${JSON.stringify(item)}]`
    left.delete(element)
    const keys = JSON.parse(element.slice(2)) as Tree
    const place = there.findIndex(candidate => isTree(candidate) && hasKeys(candidate, keys))
    const found = difference(item, there[place], owned[element] ?? {}, '', unit)
    if (found !== undefined) return `[${element.slice(2)}]${found}`
    // The order means something for some lists (environment variables refer to earlier ones, init containers run in order).
    if (place < last) return `[${element.slice(2)}] is at another place`
    last = place
  }
  const [dropped] = left
  return dropped === undefined ? undefined : `[${dropped.slice(2)}]`
}

/** Which part of an object is written: the main resource without its status, or the status alone. */
export type Part = 'main' | 'status'

/** As managedFields names it; the main resource has none. */
export const subresourceOf = (part: Part): string => (part === 'status' ? 'status' : '')

const identity = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** The fields of an apply that have owners: not what only names the object. */
function statedFields(object: KubeObject, part: Part): Tree {
  if (part === 'status') return { status: (object as { status?: Value }).status }
  const { labels, annotations, finalizers, ownerReferences } = object.metadata
  const rest = Object.entries(object).filter(([name]) => !identity.has(name))
  return { ...Object.fromEntries(rest), metadata: { labels, annotations, finalizers, ownerReferences } }
}

/**
 * Says where applying `stated` as `manager` would change the object as it was seen: a path such as `.spec.template`, or undefined.
 * An object seen without managedFields (from a file) is compared by its values only.
 */
export function firstDifference(
  stated: KubeObject,
  seen: KubeObject | undefined,
  manager: string,
  part: Part = 'main',
  formerOwners: readonly FormerOwner[] = [],
): string | undefined {
  if (seen === undefined) return 'absent'
  const wanted = statedFields(stated, part)
  const entries = seen.metadata.managedFields
  if (entries === undefined) return same(wanted, seen, 'plain', 'anything') ? undefined : 'values'
  const former = formerOwner(seen, formerOwners, part)
  if (former !== undefined) return `owned by ${former}`
  return treeDifference(wanted, seen, fieldsOf(appliedEntry(seen, manager, subresourceOf(part))), 'plain')
}

/** The manager among the former owners that still owns something of this part of the object which is to become ours. */
export function formerOwner(seen: KubeObject, formerOwners: readonly FormerOwner[], part: Part): string | undefined {
  const entries = seen.metadata.managedFields ?? []
  return entries.find(entry => elements(inherited(entry, formerOwners, subresourceOf(part)).yes).length > 0)?.manager
}

/** Whether applying `stated` as `manager` would change anything: a value, or which fields are ours. */
export function needsApply(
  stated: KubeObject,
  seen: KubeObject | undefined,
  manager: string,
  part: Part = 'main',
  formerOwners: readonly FormerOwner[] = [],
): boolean {
  return firstDifference(stated, seen, manager, part, formerOwners) !== undefined
}
