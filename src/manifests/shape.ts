// Whether an object has the form that the CRD asks for. `kmm validate` tells it before the API server does, and tells more: the API
// server silently drops unknown fields, so a field in the wrong place looks accepted and does nothing.
import { moduleObject } from '../api/module.ts'
import { listed, printPath, quoted, type Step, type Violation } from '../core/module/violation.ts'
import { modules } from '../core/resources.ts'
import { hintForUnknownField } from './field-hints.ts'
import { type Schema, structuralSchema } from './schema.ts'

const texts: Schema = { type: 'object', additionalProperties: { type: 'string' } }
/** Source: meta/v1 ObjectMeta. Fields that only the server writes are let through as they come out of `kubectl get -o yaml`. */
const metadata: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    generateName: { type: 'string' },
    namespace: { type: 'string' },
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: { type: 'string' } },
    uid: { type: 'string' },
    resourceVersion: { type: 'string' },
    generation: { type: 'integer' },
    creationTimestamp: { type: 'string' },
    deletionTimestamp: { type: 'string' },
    deletionGracePeriodSeconds: { type: 'integer' },
    selfLink: { type: 'string' },
    ownerReferences: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    managedFields: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  },
}

const structural = structuralSchema(moduleObject)
const moduleSchema: Schema = {
  ...structural,
  required: ['apiVersion', 'kind', 'metadata', ...(structural.required ?? [])],
  properties: { ...structural.properties, metadata },
}

type Finding = { readonly code: string; readonly steps: readonly Step[]; readonly message: string }

/**
 * Everything that the API server would refuse or silently drop in a Module, in the order of the fields. The code `UnknownField` alone
 * leaves an object that the rules (core/module/rules.ts) can judge. All missing fields are one violation, at the nearest field above
 * them.
 */
export function checkModuleShape(value: unknown): Violation[] {
  const missing: Step[][] = []
  const found = check(value, moduleSchema, [], missing)
  const judged = [...found, ...wrongKind(value), ...(missing.length === 0 ? [] : [missingFields(missing)])]
  return judged.map(({ code, steps, message }) => ({ code, path: printPath(steps), message }))
}

function wrongKind(value: unknown): Finding[] {
  if (!isMap(value)) return []
  return (['apiVersion', 'kind'] as const)
    .filter(field => typeof value[field] === 'string' && value[field] !== modules[field])
    .map(field => ({ code: 'WrongKind', steps: [field], message: `${field} of a Module must be ${modules[field]}` }))
}

function missingFields(missing: readonly (readonly Step[])[]): Finding {
  const shortest = missing.reduce((a, b) => (b.length < a.length ? b : a))
  const different = shortest.findIndex((step, index) => missing.some(path => path[index] !== step))
  const steps = shortest.slice(0, different < 0 ? -1 : different)
  const names = listed(missing.map(printPath))
  return { code: 'MissingField', steps, message: `${names} ${missing.length === 1 ? 'is' : 'are'} required but missing` }
}

function check(value: unknown, schema: Schema, steps: readonly Step[], missing: Step[][]): Finding[] {
  const misfit = wrongType(value, schema)
  if (misfit !== undefined) return [{ code: 'WrongType', steps, message: `${nameOf(steps)} ${misfit}` }]
  if (Array.isArray(value)) return checkList(value, schema, steps, missing)
  if (isMap(value)) return checkMap(value, schema, steps, missing)
  return checkScalar(value, schema, steps)
}

/** The last field with its places in lists; the key of a label as it was written. */
function nameOf(steps: readonly Step[]): string {
  const [field, ...places] = steps.slice(steps.findLastIndex(step => typeof step === 'string'))
  return field === undefined ? 'the object' : `${field}${printPath(places)}`
}

function checkList(value: readonly unknown[], schema: Schema, steps: readonly Step[], missing: Step[][]): Finding[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items = {} } = schema
  const wrong = (message: string) => [{ code: 'WrongLength', steps, message: `${nameOf(steps)} ${message}` }]
  return [
    ...(value.length < minItems ? wrong(`needs at least ${minItems} item${minItems === 1 ? '' : 's'}`) : []),
    ...(value.length > maxItems ? wrong(`may have at most ${maxItems} items, but has ${value.length}`) : []),
    ...value.flatMap((item, index) => check(item, items, [...steps, index], missing)),
  ]
}

function checkMap(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  steps: readonly Step[],
  missing: Step[][],
): Finding[] {
  // The API server drops a null where the schema does not allow it, so it is as good as absent.
  const given = Object.keys(value).filter(field => value[field] !== null && value[field] !== undefined)
  const absent = [schema, ...(schema.allOf ?? [])].flatMap(part => absentOf(part, given))
  missing.push(...absent.map(field => [...steps, field]))
  const twice = [schema, ...(schema.allOf ?? [])].flatMap(part =>
    (part.not?.required ?? []).every(field => given.includes(field)) ? [part.not?.required ?? []] : [],
  )
  return [
    ...twice
      .filter(fields => fields.length > 0)
      .map(fields => ({
        code: 'BothSpellings',
        steps: [...steps, fields[1] ?? ''],
        message: `${listed(fields)} are two spellings of one field: keep ${fields[0]}`,
      })),
    ...given.flatMap(field => {
      const inner = Object.hasOwn(schema.properties ?? {}, field) ? schema.properties?.[field] : schema.additionalProperties
      if (inner !== undefined) return check(value[field], inner, [...steps, field], missing)
      if (schema['x-kubernetes-preserve-unknown-fields'] === true) return []
      const hint = hintForUnknownField(moduleSchema, steps, field, schema)
      return [
        {
          code: 'UnknownField',
          steps: [...steps, field],
          message: `${nameOf(steps)} has no field ${quoted(field)}, so it would be ignored${hint}`,
        },
      ]
    }),
  ]
}

/** Of alternatives (`anyOf`) the first is named: it is the canonical spelling. */
function absentOf(schema: Schema, given: readonly string[]): readonly string[] {
  const required = (schema.required ?? []).filter(field => !given.includes(field))
  const alternatives = (schema.anyOf ?? []).flatMap(part => part.required ?? [])
  return alternatives.length === 0 || alternatives.some(field => given.includes(field))
    ? required
    : [...required, ...alternatives.slice(0, 1)]
}

function checkScalar(value: unknown, schema: Schema, steps: readonly Step[]): Finding[] {
  const wrong = (message: string) => [{ code: 'WrongValue', steps, message: `${nameOf(steps)} ${message}` }]
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return wrong(`must be one of ${listed(schema.enum.map(String))}, but is ${describe(value)}`)
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) {
    return wrong(`must be a quantity such as 500m or 2Gi, but is ${describe(value)}`)
  }
  return []
}

function wrongType(value: unknown, schema: Schema): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' || Number.isInteger(value)
      ? undefined
      : `must be a whole number or a string, but is ${describe(value)}`
  }
  if (schema.type === undefined) return undefined
  const right = {
    string: typeof value === 'string',
    integer: Number.isInteger(value),
    number: typeof value === 'number',
    boolean: typeof value === 'boolean',
    array: Array.isArray(value),
    object: isMap(value),
  }[schema.type]
  return right === false ? `must be ${words[schema.type]}, but is ${describe(value)}${wayOut(value, schema)}` : undefined
}

const words: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
}

function wayOut(value: unknown, { type, items }: Schema): string {
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `: put it in quotes, "${String(value)}"`
  if (type === 'array' && items?.type === 'string' && typeof value === 'string')
    return `: write it as a list, [${JSON.stringify(value)}]`
  if (type === 'array' && isMap(value)) return ': put "- " before its first field'
  if (type === 'object' && Array.isArray(value)) return ': leave out the "- "'
  return ''
}

function describe(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string')
    return value === '' ? 'an empty string' : `the string ${quoted(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`
  return `the ${typeof value} ${JSON.stringify(value)}`
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
