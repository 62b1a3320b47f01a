// Values walked together with the shape of their kind: what they hold, how two differ, how they merge.
// Source: sigs.k8s.io/structured-merge-diff, package typed (tofieldset, compare, merge, remove).
import { emptySet, type FieldSet, hasElement, isEmptySet, nodeOf } from './fields.ts'
import { isEqual, isJson } from './json.ts'
import { plainShape, type Shape } from './shape.ts'
import type { Json } from './types.ts'

type Form = 'leaf' | 'map' | 'list'

function formOf(value: unknown, shape: Shape): Form {
  if (shape.merge === 'atomic') return 'leaf'
  if (Array.isArray(value)) return shape.keys !== undefined || shape.set !== undefined ? 'list' : 'leaf'
  return isJson(value) ? 'map' : 'leaf'
}

/** Fields of a structure are not owned for themselves, keys of a free map are. */
const isStructField = (shape: Shape, field: string) =>
  shape.values === undefined || (shape.fields !== undefined && field in shape.fields)
export const fieldShape = (shape: Shape, field: string): Shape => shape.fields?.[field] ?? shape.values ?? plainShape
const itemShape = (shape: Shape): Shape => shape.items ?? plainShape

/** The path element of a list item: `k:{"name":"a"}` or `v:"a"`. Undefined when a key is missing. */
export function elementOf(item: unknown, shape: Shape): string | undefined {
  if (shape.set !== undefined) return `v:${JSON.stringify(item)}`
  if (!isJson(item)) return undefined
  const keys: Record<string, unknown> = {}
  for (const key of [...(shape.keys ?? [])].sort()) {
    const value = item[key] ?? shape.keyDefaults?.[key]
    if (value !== undefined) keys[key] = value
  }
  return Object.keys(keys).length === 0 ? undefined : `k:${JSON.stringify(keys)}`
}

/** Items by path element; of duplicates the first counts. */
function itemsOf(list: readonly unknown[], shape: Shape): Map<string, unknown> {
  const items = new Map<string, unknown>()
  for (const item of list) {
    const element = elementOf(item, shape)
    if (element !== undefined && !items.has(element)) items.set(element, item)
  }
  return items
}

type Visit = (element: string, child: unknown, shape: Shape) => void

/** Visits the children of a value with their path elements and shapes; leaves have none. */
function eachChild(value: unknown, shape: Shape, visit: Visit): void {
  const form = formOf(value, shape)
  if (form === 'map') {
    const map = value as Json
    for (const field in map) if (map[field] !== undefined) visit(`f:${field}`, map[field], fieldShape(shape, field))
  }
  if (form === 'list') {
    const below = itemShape(shape)
    for (const [element, item] of itemsOf(value as readonly unknown[], shape)) visit(element, item, below)
  }
}

const isHollow = (value: unknown): boolean => value === null || (isJson(value) && Object.keys(value).length === 0)

/** What applying this value owns: leaves, list items, keys of free maps; not the structures around them. */
export function fieldSetOf(value: unknown, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {}
  eachChild(value, shape, (element, child, below) => {
    const isOwned = !element.startsWith('f:') || !isStructField(shape, element.slice(2)) || isHollow(child)
    const node = nodeOf(isOwned || formOf(child, below) === 'leaf', fieldSetOf(child, below))
    if (node !== undefined) result[element] = node
  })
  return result
}

/** Every path of a value, the structures too: what appears or goes as a whole. */
function everyPath(value: unknown, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {}
  eachChild(value, shape, (element, child, below) => {
    result[element] = formOf(child, below) === 'leaf' ? emptySet : (nodeOf(true, everyPath(child, below)) ?? emptySet)
  })
  return result
}

export type Comparison = { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet }
const noDifference: Comparison = { added: emptySet, modified: emptySet, removed: emptySet }

type Difference = Readonly<Record<keyof Comparison, Record<string, FieldSet>>>

/** How `next` differs from `old`. Both must be present; identical references cost nothing. */
export function compare(old: unknown, next: unknown, shape: Shape): Comparison {
  if (old === next) return noDifference
  const found: Difference = { added: {}, modified: {}, removed: {} }
  const isMap = isJson(old) && isJson(next)
  const before = isMap ? undefined : itemsOf(old as readonly unknown[], shape)
  const after = isMap ? undefined : itemsOf(next as readonly unknown[], shape)
  const at = (side: Map<string, unknown> | undefined, value: unknown, element: string) =>
    side === undefined ? (value as Json)[element.slice(2)] : side.get(element)
  eachChild(next, shape, (element, child, below) => {
    const was = at(before, old, element)
    if (was === undefined) found.added[element] = nodeOf(true, everyPath(child, below)) ?? emptySet
    else if (was !== child) compareChild(element, was, child, below, found)
  })
  eachChild(old, shape, (element, child, below) => {
    if (at(after, next, element) === undefined) found.removed[element] = nodeOf(true, everyPath(child, below)) ?? emptySet
  })
  return found
}

/** Two values of one field or item that are not the same reference. */
function compareChild(element: string, was: unknown, child: unknown, shape: Shape, found: Difference): void {
  const forms = [formOf(was, shape), formOf(child, shape)] as const
  if (forms[0] === forms[1] && forms[0] !== 'leaf' && was !== null) {
    const inner = compare(was, child, shape)
    if (!isEmptySet(inner.added)) found.added[element] = inner.added
    if (!isEmptySet(inner.modified)) found.modified[element] = inner.modified
    if (!isEmptySet(inner.removed)) found.removed[element] = inner.removed
    return
  }
  if (isEqual(was, child)) return
  const gone = everyPath(was, shape)
  const come = everyPath(child, shape)
  if (!isEmptySet(gone)) found.removed[element] = gone
  if (!isEmptySet(come)) found.added[element] = come
  // Null is an empty container beside a filled one: items come or go, the container was there and stays. Otherwise the value itself
  // is another one.
  const isContent = (was === null || child === null) && (!isEmptySet(gone) || !isEmptySet(come))
  if (!isContent) found.modified[element] = emptySet
}

/** The live value with the applied one laid over it; the live reference where nothing changes. */
export function merge(live: unknown, applied: unknown, shape: Shape): unknown {
  if (applied === undefined || live === applied) return live
  if (live === undefined || live === null) return applied
  const form = formOf(live, shape)
  if (form === 'leaf' || form !== formOf(applied, shape)) return isEqual(live, applied) ? live : applied
  if (form === 'list') return mergeList(live as readonly unknown[], applied as readonly unknown[], shape)
  let copy: Record<string, unknown> | undefined
  for (const [field, value] of Object.entries(applied as Json)) {
    const before = (live as Json)[field]
    const merged = merge(before, value, fieldShape(shape, field))
    if (merged !== before) (copy ??= { ...(live as Json) })[field] = merged
  }
  return copy ?? live
}

/** Applied items take the applied order; live items that are not applied keep their place relative to their neighbours. */
function mergeList(live: readonly unknown[], applied: readonly unknown[], shape: Shape): readonly unknown[] {
  const left = itemsOf(live, shape)
  const right = itemsOf(applied, shape)
  const leftOrder = [...left.keys()]
  const rightOrder = [...right.keys()]
  const shared = rightOrder.filter(element => left.has(element))
  const done = new Set<string>()
  const out: unknown[] = []
  const put = (element: string) => {
    out.push(right.has(element) ? merge(left.get(element), right.get(element), itemShape(shape)) : left.get(element))
    done.add(element)
    if (shared[0] === element) shared.shift()
  }
  let l = 0
  let r = 0
  while (l < leftOrder.length || r < rightOrder.length) {
    const fromLeft = leftOrder[l]
    const fromRight = rightOrder[r]
    if (fromLeft !== undefined && fromLeft === fromRight) {
      put(fromLeft)
      l++
      r++
    } else if (
      fromLeft !== undefined &&
      fromRight !== undefined &&
      right.has(fromLeft) &&
      shared[0] !== undefined &&
      shared[0] !== fromLeft
    ) {
      l++
    } else if (fromLeft !== undefined && !right.has(fromLeft)) {
      put(fromLeft)
      l++
    } else {
      if (fromLeft !== undefined && done.has(fromLeft)) l++
      if (fromRight !== undefined) {
        put(fromRight)
        r++
      }
    }
  }
  return isEqual(out, live) ? live : out
}

/**
 * Without the members of the set. A container that loses its last item but stays for its own sake becomes null: harmless in built-in
 * kinds, refused by most CRD schemas. That is what structured-merge-diff 6.3.3 (Kubernetes 1.36.3) does.
 */
export function removeItems(value: unknown, set: FieldSet, shape: Shape): unknown {
  const form = formOf(value, shape)
  if (form === 'leaf' || isEmptySet(set)) return value
  if (form === 'list') {
    const items = (value as readonly unknown[]).flatMap(item => {
      const element = elementOf(item, shape)
      const found = element === undefined ? 'no' : hasElement(set, element)
      if (found === 'member') return []
      return [found === 'below' ? removeItems(item, set[element ?? ''] ?? emptySet, itemShape(shape)) : item]
    })
    return items.length === 0 ? null : isEqual(items, value) ? value : items
  }
  const result: Record<string, unknown> = {}
  for (const [field, child] of Object.entries(value as Json)) {
    const found = hasElement(set, `f:${field}`)
    if (found === 'member') continue
    result[field] = found === 'below' ? removeItems(child, set[`f:${field}`] ?? emptySet, fieldShape(shape, field)) : child
  }
  if (Object.keys(result).length === 0) return null
  return isEqual(result, value) ? value : result
}

/** Adds the structures on the way to each member, so that removing all of one's fields removes the structure too. */
export function withStructures(set: FieldSet, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const [element, node] of Object.entries(set)) {
    if (element === '.') continue
    const isField = element.startsWith('f:')
    const field = element.slice(2)
    const below = isField ? fieldShape(shape, field) : itemShape(shape)
    const member = hasElement(set, element) === 'member' || (isField && isStructField(shape, field))
    result[element] = nodeOf(member, withStructures(node, below)) ?? emptySet
  }
  return result
}
