// A very small language for "this field must be a map of strings", so that a planner never meets a value of the wrong type.
// Only types are checked, and only of fields that are there: everything else is the business of the schema and of the rules.

/**
 * `string` ... are JSON types, `time` is an RFC 3339 string; `[shape]` is a list of it; `{ '*': shape }` is a map with any keys;
 * `{ field: shape }` are known fields of a map, others are let through; a field written `name!` must be there and not be empty.
 */
export type Shape = 'string' | 'integer' | 'boolean' | 'time' | 'map' | readonly [Shape] | { readonly [field: string]: Shape }

export type Path = readonly (string | number)[]
export type Misfit = { readonly path: Path; readonly error: string }

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

export const isTime = (text: string): boolean => rfc3339.test(text) && !Number.isNaN(Date.parse(text))
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fit: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: value => typeof value === 'string',
  integer: value => Number.isInteger(value),
  boolean: value => typeof value === 'boolean',
  time: value => typeof value === 'string' && isTime(value),
  map: isMap,
}

const named: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  boolean: 'true or false',
  time: 'a time such as 2024-05-01T12:00:00Z',
  map: 'a map',
}

/** What a person calls the value, for example `the number 8`. */
export function describe(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `the string "${value.length > 40 ? `${value.slice(0, 40)}...` : value}"`
  return `the ${typeof value} ${JSON.stringify(value)}`
}

/** `spec.taints[0].key`; keys with dots or slashes are written `["a.b/c"]`. */
export function printPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    if (!/^[A-Za-z_$*][\w$*-]*$/.test(part)) return `${text}["${part}"]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

/** The first place where the value has another type than the shape says. Absent and null fields fit unless they are required. */
export function findMisfit(value: unknown, shape: Shape, path: Path = []): Misfit | undefined {
  if (typeof shape === 'string') {
    if (fit[shape]?.(value) === true) return undefined
    const hint =
      shape === 'string' && (typeof value === 'number' || typeof value === 'boolean')
        ? `; write it in quotes: "${String(value)}"`
        : ''
    return { path, error: `must be ${named[shape]}, but is ${describe(value)}${hint}` }
  }
  if (isListShape(shape)) {
    if (!Array.isArray(value)) return { path, error: `must be a list, but is ${describe(value)}` }
    return firstOf(
      value.map((item: unknown, index) => [index, item, shape[0]] as const),
      path,
    )
  }
  if (!isMap(value)) return { path, error: `must be a map, but is ${describe(value)}` }
  const every = shape['*']
  if (every !== undefined)
    return firstOf(
      Object.keys(value).map(key => [key, value[key], every] as const),
      path,
    )
  for (const field of Object.keys(shape)) {
    if (!field.endsWith('!')) continue
    const required = value[field.slice(0, -1)]
    if (required === undefined || required === null || required === '')
      return { path: [...path, field.slice(0, -1)], error: `is missing${otherSpelling(value, field.slice(0, -1))}` }
  }
  const given = Object.entries(shape).map(([field, inner]) => [field.replace(/!$/, ''), inner] as const)
  return firstOf(
    given
      .filter(([field]) => value[field] !== undefined && value[field] !== null)
      .map(([field, inner]) => [field, value[field], inner] as const),
    path,
  )
}

/** To put behind `is missing`: the field as it was written, in another case. */
export function otherSpelling(value: Readonly<Record<string, unknown>>, field: string): string {
  const written = Object.keys(value).find(key => key !== field && key.toLowerCase() === field.toLowerCase())
  return written === undefined ? '' : `: "${written}" is another field, write it "${field}"`
}

const isListShape = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape)

function firstOf(
  parts: readonly (readonly [key: string | number, value: unknown, shape: Shape])[],
  path: Path,
): Misfit | undefined {
  for (const [key, value, shape] of parts) {
    const misfit = findMisfit(value, shape, [...path, key])
    if (misfit !== undefined) return misfit
  }
  return undefined
}

/** The inverse of printPath. */
export function pathOf(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, plain]) =>
    index === undefined ? (quoted ?? plain ?? '') : Number(index),
  )
}
