// Whether an object satisfies a schema, in the words of a real server.
// Source: kube-openapi, pkg/validation/validate; apiextensions-apiserver, pkg/apiserver/validation and schema/listtype.
import type { KubeObject } from '../../core/object.ts'
import { invalidValue, notSupported, quoted, required } from './errors.ts'
import { isEqual, isJson, valueAt } from './json.ts'
import { itemSchema, type Schema } from './schema.ts'
import type { FieldProblem, Json } from './types.ts'

const typeOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'object' ? 'object' : typeof value
}

function typeProblem(value: unknown, schema: Schema, path: string): FieldProblem | undefined {
  const wanted =
    schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type]
  if (wanted.length === 0) return undefined
  const found = typeOf(value)
  if (found === 'null' ? schema.nullable === true : wanted.includes(found) || (found === 'integer' && wanted.includes('number')))
    return undefined
  return {
    path,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${quoted(found)}: ${path} in body must be of type ${wanted.join(',')}: ${quoted(found)}`,
  }
}

const bytes = (text: string) => Buffer.byteLength(text)
const letters = (text: string) => Array.from(text).length
const should = (path: string, value: unknown, what: string) => invalidValue(path, value, `${path} in body should ${what}`)

/** Go's RE2 is a subset of what JavaScript understands but for a few spellings. */
const patterns = new Map<string, RegExp>()
function patternOf(text: string): RegExp {
  const found = patterns.get(text)
  if (found !== undefined) return found
  const pattern = new RegExp(text.replaceAll('(?P<', '(?<').replaceAll('\\z', '$').replaceAll('\\A', '^'), 'u')
  patterns.set(text, pattern)
  return pattern
}

const formats: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i,
  date: /^\d{4}-\d\d-\d\d$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  byte: /^[A-Za-z0-9+/]*={0,2}$/,
}

function textProblems(value: string, schema: Schema, path: string): readonly FieldProblem[] {
  const format = schema.format === undefined ? undefined : formats[schema.format]
  return [
    ...(schema.maxLength !== undefined && letters(value) > schema.maxLength
      ? [{ path, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${schema.maxLength} bytes` }]
      : []),
    ...(schema.minLength !== undefined && letters(value) < schema.minLength
      ? [should(path, value, `be at least ${schema.minLength} chars long`)]
      : []),
    ...(schema.pattern !== undefined && !patternOf(schema.pattern).test(value)
      ? [should(path, value, `match '${schema.pattern}'`)]
      : []),
    ...(format !== undefined && bytes(value) > 0 && !format.test(value)
      ? [invalidValue(path, value, `${path} in body must be of type ${schema.format}: ${quoted(value)}`)]
      : []),
  ]
}

function numberProblems(value: number, schema: Schema, path: string): readonly FieldProblem[] {
  const { minimum: min, maximum: max, multipleOf } = schema
  const isBelow = min !== undefined && (schema.exclusiveMinimum === true ? value <= min : value < min)
  const isAbove = max !== undefined && (schema.exclusiveMaximum === true ? value >= max : value > max)
  return [
    ...(isBelow ? [should(path, value, `be greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${min}`)] : []),
    ...(isAbove ? [should(path, value, `be less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${max}`)] : []),
    ...(multipleOf !== undefined && value % multipleOf !== 0 ? [should(path, value, `be a multiple of ${multipleOf}`)] : []),
  ]
}

function listProblems(value: readonly unknown[], schema: Schema, path: string, old: unknown): readonly FieldProblem[] {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  // Only the items of list maps are known again after a change.
  const keyOf = (item: unknown) => quoted(Object.fromEntries(keys.map(name => [name, isJson(item) ? item[name] : undefined])))
  const oldItem = (item: unknown) =>
    listType === 'map' && Array.isArray(old) ? old.find(other => keyOf(other) === keyOf(item)) : undefined
  const twice = (item: unknown, index: number): readonly FieldProblem[] => {
    if (listType !== 'map' && listType !== 'set') return []
    const key = listType === 'set' ? item : Object.fromEntries(keys.map(name => [name, isJson(item) ? item[name] : undefined]))
    const text = quoted(key)
    if (!seen.has(text)) {
      seen.add(text)
      return []
    }
    return [{ path: `${path}[${index}]`, reason: 'FieldValueDuplicate', message: `Duplicate value: ${text}` }]
  }
  return [
    ...(schema.maxItems !== undefined && value.length > schema.maxItems
      ? [{ path, reason: 'FieldValueTooMany', message: `Too many: ${value.length}: must have at most ${schema.maxItems} items` }]
      : []),
    ...(schema.minItems !== undefined && value.length < schema.minItems
      ? [should(path, value.length, `have at least ${schema.minItems} items`)]
      : []),
    ...value.flatMap((item, index) => [
      ...(schema.items === undefined ? [] : problemsOf(item, schema.items, `${path}[${index}]`, oldItem(item))),
      ...twice(item, index),
    ]),
  ]
}

function objectProblems(value: Json, schema: Schema, path: string, old: unknown): readonly FieldProblem[] {
  const at = (field: string) => (path === '' ? field : `${path}.${field}`)
  const size = Object.keys(value).length
  return [
    ...(schema.maxProperties !== undefined && size > schema.maxProperties
      ? [{ path, reason: 'FieldValueTooMany', message: `Too many: ${size}: must have at most ${schema.maxProperties} items` }]
      : []),
    ...(schema.minProperties !== undefined && size < schema.minProperties
      ? [should(path, size, `have at least ${schema.minProperties} properties`)]
      : []),
    ...(schema.required ?? []).filter(field => value[field] === undefined).map(field => required(at(field))),
    ...Object.entries(value).flatMap(([field, child]) => {
      const below = itemSchema(schema, field)
      return below === undefined ? [] : problemsOf(child, below, at(field), isJson(old) ? old[field] : undefined)
    }),
  ]
}

/** Logic errors name their place in the sentence, not as a field: that is how the real server says them. */
const logicProblem = (path: string, what: string): FieldProblem => invalidValue('<nil>', '', `${quoted(path)} must ${what}`)

function logicProblems(value: unknown, schema: Schema, path: string, old: unknown): readonly FieldProblem[] {
  const check = (part: Schema) => problemsOf(value, part, path, old)
  const problems: FieldProblem[] = []
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map(check)
    if (!tries.some(found => found.length === 0))
      problems.push(logicProblem(path, 'validate at least one schema (anyOf)'), ...(tries[0] ?? []))
  }
  if (schema.oneOf !== undefined) {
    const tries = schema.oneOf.map(check)
    const valid = tries.filter(found => found.length === 0).length
    if (valid !== 1) {
      const how = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
      problems.push(
        logicProblem(path, `validate one and only one schema (oneOf). ${how}`),
        ...(valid === 0 ? (tries[0] ?? []) : []),
      )
    }
  }
  if (schema.allOf !== undefined) {
    const tries = schema.allOf.map(check)
    const valid = tries.filter(found => found.length === 0).length
    problems.push(...tries.flat())
    if (valid !== tries.length)
      problems.push(logicProblem(path, `validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
  }
  if (schema.not !== undefined && check(schema.not).length === 0)
    problems.push(logicProblem(path, 'not validate the schema (not)'))
  return problems
}

/** What did not change since `old` is not judged again (ratcheting). */
function problemsOf(value: unknown, schema: Schema, path: string, old: unknown): readonly FieldProblem[] {
  if (old !== undefined && isEqual(old, value)) return []
  const wrongType = typeProblem(value, schema, path)
  if (wrongType !== undefined) return [wrongType]
  if (value === null || value === undefined) return []
  return [
    ...logicProblems(value, schema, path, old),
    ...(schema.enum !== undefined && !schema.enum.some(item => isEqual(item, value))
      ? [notSupported(path, value, schema.enum)]
      : []),
    ...(typeof value === 'string' ? textProblems(value, schema, path) : []),
    ...(typeof value === 'number' ? numberProblems(value, schema, path) : []),
    ...(Array.isArray(value) ? listProblems(value, schema, path, old) : []),
    ...(isJson(value) ? objectProblems(value, schema, path, old) : []),
  ]
}

/** Everything wrong with the object; paths are relative to it. */
export const validateBySchema = (object: KubeObject, old: KubeObject | undefined, schema: Schema): readonly FieldProblem[] =>
  problemsOf(object, schema, '', old)

/** A write to `/status` is judged by the schema of the status alone, and its sentences count from there. */
export function validateStatus(object: KubeObject, old: KubeObject | undefined, schema: Schema): readonly FieldProblem[] {
  const status = valueAt(object, ['status'])
  const statusSchema = schema.properties?.['status']
  if (status === undefined || statusSchema === undefined) return []
  return problemsOf(status, statusSchema, '', valueAt(old, ['status'])).map(problem =>
    problem.path === '<nil>' ? problem : { ...problem, path: problem.path === '' ? 'status' : `status.${problem.path}` },
  )
}
