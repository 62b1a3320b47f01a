// The rules that the API server has for the schema of a CRD. Source: Kubernetes documentation, "Specifying a structural schema",
// "Defaulting"; apiextensions.k8s.io/v1 JSONSchemaProps; "Merge strategy" for x-kubernetes-list-type.
import type { Schema } from '../../src/manifests/schema.ts'

const keywords = new Set([
  'type',
  'format',
  'description',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'enum',
  'pattern',
  'default',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
])
const inJunctors = new Set([
  'properties',
  'items',
  'required',
  'enum',
  'pattern',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
])
const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean'])

/** Sentences about everything that is wrong with a schema, each with its place. */
export function findNotStructural(schema: Schema, place = 'root'): readonly string[] {
  const wrong = (why: string) => [`${place}: ${why}`]
  const intOrString = schema['x-kubernetes-int-or-string'] === true
  const listType = schema['x-kubernetes-list-type']
  return [
    ...Object.keys(schema).flatMap(keyword => (keywords.has(keyword) ? [] : wrong(`has the keyword ${keyword}`))),
    ...(place === 'root' && schema.type !== 'object' ? wrong('is no object') : []),
    ...(intOrString && schema.type !== undefined ? wrong('has a type beside int-or-string') : []),
    ...(!intOrString && !types.has(schema.type ?? '') && schema['x-kubernetes-preserve-unknown-fields'] !== true
      ? wrong('has no type')
      : []),
    ...(schema.properties !== undefined && schema.additionalProperties !== undefined
      ? wrong('has properties and additionalProperties')
      : []),
    ...(schema.properties !== undefined && schema.type !== 'object' ? wrong('has properties and is no object') : []),
    ...(schema.type === 'array' && schema.items === undefined ? wrong('is an array without items') : []),
    ...(schema.items !== undefined && schema.type !== 'array' ? wrong('has items and is no array') : []),
    ...(schema.required ?? []).flatMap(field =>
      schema.properties?.[field] === undefined ? wrong(`requires ${field}, which it lacks`) : [],
    ),
    ...(listType !== undefined && (schema.type !== 'array' || !['atomic', 'set', 'map'].includes(listType))
      ? wrong('has a wrong list type')
      : []),
    ...(listType === 'map' ? findWrongKeys(schema, wrong) : []),
    ...(listType !== 'map' && schema['x-kubernetes-list-map-keys'] !== undefined ? wrong('has keys and is no list map') : []),
    ...(schema['x-kubernetes-map-type'] !== undefined && schema.type !== 'object'
      ? wrong('has a map type and is no object')
      : []),
    ...('default' in schema && !isFitting(schema.default, schema) ? wrong('has a default of another type') : []),
    ...[
      ...(schema.allOf ?? []),
      ...(schema.anyOf ?? []),
      ...(schema.oneOf ?? []),
      ...(schema.not === undefined ? [] : [schema.not]),
    ].flatMap(part => findWrongInJunctor(part, schema, `${place} (junctor)`, intOrString)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => findNotStructural(inner, `${place}.${name}`)),
    ...(schema.items === undefined ? [] : findNotStructural(schema.items, `${place}[]`)),
    ...(schema.additionalProperties === undefined ? [] : findNotStructural(schema.additionalProperties, `${place}.*`)),
  ]
}

function findWrongKeys(schema: Schema, wrong: (why: string) => readonly string[]): readonly string[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (keys.length === 0) return wrong('is a list map without keys')
  return keys.flatMap(key => {
    const property = schema.items?.properties?.[key]
    if (property === undefined || ['object', 'array'].includes(property.type ?? ''))
      return wrong(`has the key ${key}, which is no scalar of its items`)
    return schema.items?.required?.includes(key) === true || 'default' in property
      ? []
      : wrong(`has the key ${key}, which is neither required nor defaulted`)
  })
}

function findWrongInJunctor(part: Schema, outside: Schema | undefined, place: string, typed: boolean): readonly string[] {
  const wrong = (why: string) => [`${place}: ${why}`]
  const nested = [
    ...(part.allOf ?? []),
    ...(part.anyOf ?? []),
    ...(part.oneOf ?? []),
    ...(part.not === undefined ? [] : [part.not]),
  ]
  return [
    ...Object.keys(part).flatMap(keyword =>
      inJunctors.has(keyword) || (typed && keyword === 'type') ? [] : wrong(`has ${keyword}`),
    ),
    ...(part.required ?? []).flatMap(field =>
      outside?.properties?.[field] === undefined ? wrong(`requires ${field}, which is not outside`) : [],
    ),
    ...Object.entries(part.properties ?? {}).flatMap(([name, inner]) =>
      outside?.properties?.[name] === undefined
        ? wrong(`has ${name}, which is not outside`)
        : findWrongInJunctor(inner, outside.properties[name], `${place}.${name}`, typed),
    ),
    ...nested.flatMap(inner => findWrongInJunctor(inner, outside, place, typed)),
  ]
}

function isFitting(value: unknown, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return Number.isInteger(value) || typeof value === 'string'
  return schema.type === 'integer' ? Number.isInteger(value) : typeof value === schema.type
}

/** Places of properties that `kubectl explain` has nothing to say about. */
export function findUndescribed(schema: Schema, place = 'root'): readonly string[] {
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    ...(inner.description === undefined && !(place === 'root' && name === 'metadata') ? [`${place}.${name}`] : []),
    ...findUndescribed(inner, `${place}.${name}`),
  ])
  return [
    ...named,
    ...(schema.items === undefined ? [] : findUndescribed(schema.items, `${place}[]`)),
    ...(schema.additionalProperties === undefined ? [] : findUndescribed(schema.additionalProperties, `${place}.*`)),
  ]
}
