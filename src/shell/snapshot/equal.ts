// Is an update news? The API server sends one for every heartbeat and for every change of what we do not keep.

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  return names.every(name => name in right && same(left[name], right[name]))
}

/** Deep equality of JSON values. The order of fields means nothing, the order of items does. */
export const sameJson = (a: unknown, b: unknown): boolean => same(a, b)

/** Whether two versions of an object differ in nothing but their resourceVersion. */
export function sameButVersion(a: { readonly metadata: object }, b: { readonly metadata: object }): boolean {
  const { metadata: left, ...restOfA } = a
  const { metadata: right, ...restOfB } = b
  return same({ ...left, resourceVersion: '' }, { ...right, resourceVersion: '' }) && same(restOfA, restOfB)
}
