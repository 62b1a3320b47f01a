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

/** The children of a value with their path elements and shapes; nothing for leaves. */
function* childrenOf(
  value: unknown,
  shape: Shape,
): Generator<readonly [element: string, child: unknown, shape: Shape, owned: boolean]> {
  const form = formOf(value, shape)
  if (form === 'map') {
    for (const field of Object.keys(value as Json)) {
      const child = (value as Json)[field]
      if (child === undefined) continue
      const isHollow = child === null || (isJson(child) && Object.keys(child).length === 0)
      yield [`f:${field}`, child, fieldShape(shape, field), isHollow || !isStructField(shape, field)]
    }
  }
  if (form === 'list') {
    for (const [element, item] of itemsOf(value as readonly unknown[], shape)) yield [element, item, itemShape(shape), true]
  }
}

/** What applying this value owns: leaves, list items, keys of free maps; not the structures around them. */
export function fieldSetOf(value: unknown, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const [element, child, below, owned] of childrenOf(value, shape)) {
    const node = nodeOf(owned || formOf(child, below) === 'leaf', fieldSetOf(child, below))
    if (node !== undefined) result[element] = node
  }
  return result
}

/** Every path of a value, the structures too: what appears or goes as a whole. */
function everyPath(value: unknown, shape: Shape): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const [element, child, below] of childrenOf(value, shape)) {
    const node = nodeOf(true, everyPath(child, below))
    if (node !== undefined) result[element] = node
  }
  return result
}

export type Comparison = { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet }
const noDifference: Comparison = { added: emptySet, modified: emptySet, removed: emptySet }

/** How `next` differs from `old`. Both must be present; identical references cost nothing. */
export function compare(old: unknown, next: unknown, shape: Shape): Comparison {
  if (old === next) return noDifference
  const left = new Map([...childrenOf(old, shape)].map(child => [child[0], child]))
  const added: Record<string, FieldSet> = {}
  const modified: Record<string, FieldSet> = {}
  const removed: Record<string, FieldSet> = {}
  for (const [element, child, below] of childrenOf(next, shape)) {
    const before = left.get(element)
    left.delete(element)
    if (before === undefined) {
      added[element] = nodeOf(true, everyPath(child, below)) ?? emptySet
      continue
    }
    if (before[1] === child) continue
    if (child === null || before[1] === null) {
      // Null is an empty container beside a filled one: items come or go, the container was there and stays.
      const gone = everyPath(before[1], below)
      const come = everyPath(child, below)
      if (isEmptySet(gone) && isEmptySet(come)) modified[element] = emptySet
      if (!isEmptySet(gone)) removed[element] = gone
      if (!isEmptySet(come)) added[element] = come
      continue
    }
    if (formOf(before[1], below) !== formOf(child, below)) {
      // Another kind of value: what was in the old one goes, what is in the new one comes.
      modified[element] = emptySet
      const gone = everyPath(before[1], below)
      const come = everyPath(child, below)
      if (!isEmptySet(gone)) removed[element] = gone
      if (!isEmptySet(come)) added[element] = come
      continue
    }
    if (formOf(child, below) === 'leaf') {
      if (!isEqual(before[1], child)) modified[element] = emptySet
      continue
    }
    const inner = compare(before[1], child, below)
    if (!isEmptySet(inner.added)) added[element] = inner.added
    if (!isEmptySet(inner.modified)) modified[element] = inner.modified
    if (!isEmptySet(inner.removed)) removed[element] = inner.removed
  }
  for (const [element, child, below] of left.values()) removed[element] = nodeOf(true, everyPath(child, below)) ?? emptySet
  return { added, modified, removed }
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
