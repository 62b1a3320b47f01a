// Plain JSON values: compared, cleaned, frozen and changed without touching what others hold (structural sharing).
import type { Json } from './types.ts'

export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value as an object; anything else counts as an empty one. */
export const jsonOf = (value: unknown): Json => (isJson(value) ? value : {})
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Deep equality; the same reference is found equal at once, which structural sharing makes common. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]))
  }
  if (Array.isArray(b)) return false
  const left = a as Json
  const right = b as Json
  let fields = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    fields++
    if (!isEqual(left[key], right[key])) return false
  }
  for (const key in right) if (right[key] !== undefined) fields--
  return fields === 0
}

/** Without fields whose value is undefined, as a wire would carry it; the same reference when there are none. */
export function withoutUndefined<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const clean: unknown = withoutUndefined(value[index] === undefined ? null : value[index])
      if (clean !== value[index]) (copy ??= [...value])[index] = clean
    }
    return (copy ?? value) as T
  }
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const field = (value as Json)[key]
    const clean = withoutUndefined(field)
    if (clean === field && field !== undefined) continue
    copy ??= { ...(value as Json) }
    if (clean === undefined) delete copy[key]
    else copy[key] = clean
  }
  return (copy ?? value) as T
}

/** Freezes deeply; stops at what is frozen already, so that a changed object costs only its change. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const key in value) freeze(value[key])
  return value
}

/** The same object when the field has this value already; `undefined` removes the field. */
export function withField<T extends object>(object: T, field: string, value: unknown): T {
  const current = (object as Json)[field]
  if (current === value && (value !== undefined || !(field in object))) return object
  const { [field]: _, ...rest } = object as Json
  if (value === undefined) return rest as T
  return field in object ? { ...object, [field]: value } : ({ ...rest, [field]: value } as T)
}

/** Changes the value at a path of fields, making objects on the way when `change` returns something. */
export function withPath<T extends object>(object: T, path: readonly string[], change: (value: unknown) => unknown): T {
  const [field, ...rest] = path
  if (field === undefined) return object
  const current = (object as Json)[field]
  if (rest.length === 0) return withField(object, field, change(current))
  if (current !== undefined && !isJson(current)) return object
  const inner = withPath(current ?? {}, rest, change)
  if (current === undefined && Object.keys(inner).length === 0) return object
  return withField(object, field, inner)
}

export function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value
  for (const field of path) {
    if (!isJson(current)) return undefined
    current = current[field]
  }
  return current
}

/** The same list when no item changed. */
export function mapItems<T>(items: readonly T[], change: (item: T, index: number) => T): readonly T[] {
  let copy: T[] | undefined
  for (const [index, item] of items.entries()) {
    const next = change(item, index)
    if (next !== item) (copy ??= [...items])[index] = next
  }
  return copy ?? items
}
