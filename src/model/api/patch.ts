// The patches that clients send besides server-side apply: JSON patch (RFC 6902), JSON merge patch (RFC 7386) and
// strategic merge patch (Kubernetes documentation, "Update API Objects in Place Using kubectl patch").
import { badRequest, unprocessable } from './errors.ts'
import { isEqual, isJson, jsonOf } from './json.ts'
import { plainShape, type Shape } from './shape.ts'
import { fieldShape } from './typed.ts'
import type { Json } from './types.ts'

const pointerOf = (pointer: unknown): readonly string[] => {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/')))
    throw badRequest(`invalid JSON pointer: ${String(pointer)}`)
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

type Change = (container: Json | readonly unknown[], key: string) => unknown

/** The value with the container at the end of the path replaced by what `change` returns. */
function atPointer(value: unknown, path: readonly string[], change: Change): unknown {
  const [key, ...rest] = path
  if (key === undefined || (!isJson(value) && !Array.isArray(value))) throw unprocessable()
  if (rest.length === 0) return change(value as Json, key)
  if (Array.isArray(value)) {
    const index = indexOf(value, key, 'existing')
    return value.map((item, at) => (at === index ? atPointer(item, rest, change) : item))
  }
  const record = value
  if (record[key] === undefined) throw unprocessable()
  return { ...record, [key]: atPointer(record[key], rest, change) }
}

function indexOf(list: readonly unknown[], key: string, place: 'existing' | 'new'): number {
  if (key === '-' && place === 'new') return list.length
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : -1
  if (index < 0 || index > list.length || (place === 'existing' && index === list.length)) throw unprocessable()
  return index
}

function read(value: unknown, pointer: unknown): unknown {
  let current = value
  for (const key of pointerOf(pointer)) {
    if (Array.isArray(current)) current = current[indexOf(current, key, 'existing')]
    else if (isJson(current) && key in current) current = current[key]
    else throw unprocessable()
  }
  return current
}

function put(document: unknown, pointer: unknown, value: unknown, how: 'insert' | 'replace'): unknown {
  const path = pointerOf(pointer)
  if (path.length === 0) return value
  return atPointer(document, path, (container, key) => {
    if (Array.isArray(container)) {
      const index = indexOf(container, key, how === 'insert' ? 'new' : 'existing')
      return how === 'insert' ? container.toSpliced(index, 0, value) : container.with(index, value)
    }
    // To replace a field that is not there sets it, as in the real server's library.
    return { ...(container as Json), [key]: value }
  })
}

const take = (document: unknown, pointer: unknown): unknown =>
  atPointer(document, pointerOf(pointer), (container, key) => {
    if (Array.isArray(container)) return container.toSpliced(indexOf(container, key, 'existing'), 1)
    const { [key]: gone, ...rest } = container as Json
    if (gone === undefined) throw unprocessable()
    return rest
  })

/** A test for null also holds where a field is absent (but not its container), as in the real server's library. */
function holds(document: unknown, step: Json): boolean {
  const path = pointerOf(step['path'])
  const wanted = step['value'] ?? null
  if (wanted !== null || path.length === 0) return isEqual(read(document, step['path']), wanted)
  const container = path
    .slice(0, -1)
    .reduce<unknown>((value, key) => read(value, `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`), document)
  return !isJson(container) || (container[path.at(-1) ?? ''] ?? null) === null
}

/** Throws 400 for what is no patch, 422 where an operation does not apply or a `test` fails. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  return patch.reduce<unknown>((current, step: unknown) => {
    if (!isJson(step)) throw badRequest('error decoding patch: an operation of a JSON patch is an object')
    switch (step['op']) {
      case 'test':
        if (!holds(current, step)) throw unprocessable()
        return current
      case 'add':
        return put(current, step['path'], step['value'], 'insert')
      case 'replace':
        return put(current, step['path'], step['value'], 'replace')
      case 'remove':
        return take(current, step['path'])
      case 'copy':
        return put(current, step['path'], read(current, step['from']), 'insert')
      case 'move':
        return put(take(current, step['from']), step['path'], read(current, step['from']), 'insert')
      default:
        throw badRequest(`Unexpected kind: ${String(step['op'])}`)
    }
  }, document)
}

/** Fields that are null in the patch go; objects merge; everything else is replaced. */
export function mergePatch(document: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch
  const result: Record<string, unknown> = isJson(document) ? { ...document } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** Built-in lists that a strategic patch merges although server-side apply takes them as one value. */
const strategicKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  ports: 'containerPort',
  secrets: 'name',
  addresses: 'type',
  ownerReferences: 'uid',
}

/** As kubectl sends it: lists with a merge key merge item by item, finalizers as a set, `$patch`, `$deleteFromPrimitiveList`. */
export function strategicMergePatch(document: unknown, patch: unknown, shape: Shape = plainShape): unknown {
  if (!isJson(patch)) return patch
  if (patch['$patch'] === 'replace') return withoutDirectives(patch)
  const result: Record<string, unknown> = isJson(document) ? { ...document } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const field = key.slice('$deleteFromPrimitiveList/'.length)
      const gone = Array.isArray(value) ? value : []
      const current = result[field]
      if (Array.isArray(current)) result[field] = current.filter(item => !gone.some(other => isEqual(item, other)))
    } else if (key === '$retainKeys' && Array.isArray(value)) {
      for (const field of Object.keys(result)) if (!value.includes(field)) delete result[field]
    } else if (key.startsWith('$')) {
      continue
    } else if (value === null) delete result[key]
    else if (Array.isArray(value)) result[key] = strategicList(result[key], value, key, fieldShape(shape, key))
    else result[key] = isJson(value) ? strategicMergePatch(result[key], value, fieldShape(shape, key)) : value
  }
  return result
}

function strategicList(current: unknown, patch: readonly unknown[], field: string, shape: Shape): unknown {
  const live: readonly unknown[] = Array.isArray(current) ? current : []
  if (shape.set !== undefined) return [...live, ...patch.filter(item => !live.some(other => isEqual(item, other)))]
  const key = strategicKeys[field] ?? shape.keys?.[0]
  if (key === undefined || !patch.every(isJson)) return patch
  const isReplaced = patch.some(item => item['$patch'] === 'replace' && Object.keys(item).length === 1)
  const before = isReplaced ? [] : live.map(jsonOf)
  const find = (items: readonly Json[], item: Json) => items.find(other => isEqual(other[key], item[key]))
  const gone = patch.filter(item => item['$patch'] === 'delete')
  const stated = patch.filter(item => item['$patch'] !== 'delete' && item['$patch'] !== 'replace')
  const merged = stated.map(item => {
    const old = find(before, item)
    return old === undefined ? withoutDirectives(item) : jsonOf(strategicMergePatch(old, item, shape.items ?? plainShape))
  })
  const kept = before.filter(item => find(stated, item) === undefined && find(gone, item) === undefined)
  return interleaved(merged, kept, item => before.findIndex(other => isEqual(other[key], item[key])))
}

/** Patched items keep the order of the patch, the others their place in the live list relative to these. */
function interleaved(patched: readonly Json[], kept: readonly Json[], placeOf: (item: Json) => number): readonly Json[] {
  const result: Json[] = []
  const left = [...patched]
  const right = [...kept]
  for (let l = left[0], r = right[0]; l !== undefined || r !== undefined; l = left[0], r = right[0]) {
    const isLeft = r === undefined || (l !== undefined && placeOf(l) <= placeOf(r))
    const next = isLeft ? left.shift() : right.shift()
    if (next !== undefined) result.push(next)
  }
  return result
}

const withoutDirectives = (value: Json): Json => Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')))
