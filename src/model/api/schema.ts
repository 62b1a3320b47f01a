// The structural schemas of CustomResourceDefinitions. Source: Kubernetes documentation, "Extend the Kubernetes API with
// CustomResourceDefinitions", section "Specifying a structural schema".
import { forbiddenField, notSupported, required } from './errors.ts'
import { atomicShape, plainShape, type Shape } from './shape.ts'
import { metadataShape } from './shapes.ts'
import type { FieldProblem } from './types.ts'

export type Schema = {
  readonly type?: string
  readonly format?: string
  readonly nullable?: boolean
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular'
}

export const itemSchema = (schema: Schema, field: string): Schema | undefined =>
  schema.properties?.[field] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)

function shapeBelow(schema: Schema): Shape {
  if (schema['x-kubernetes-map-type'] === 'atomic') return atomicShape
  if (schema.items !== undefined) {
    const items = shapeBelow(schema.items)
    const listType = schema['x-kubernetes-list-type']
    if (listType === 'set') return { set: 'set' }
    if (listType !== 'map') return atomicShape
    const keys = schema['x-kubernetes-list-map-keys'] ?? []
    const defaults = Object.fromEntries(
      keys.flatMap(key =>
        schema.items?.properties?.[key]?.default === undefined ? [] : [[key, schema.items.properties[key].default]],
      ),
    )
    return { keys, items, keyDefaults: defaults }
  }
  const isFree = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  const values =
    typeof schema.additionalProperties === 'object' ? shapeBelow(schema.additionalProperties) : isFree ? deduced : undefined
  const fields = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, property]) => [name, shapeBelow(property)]),
  )
  const embedded = schema['x-kubernetes-embedded-resource'] === true ? { ...fields, metadata: metadataShape } : fields
  return { fields: embedded, ...(values === undefined ? {} : { values }) }
}

/** Values without a schema: objects merge key by key and each key is owned, lists are atomic. */
const deduced: Shape = { values: plainShape }

export function shapeOfSchema(schema: Schema): Shape {
  const { fields } = shapeBelow(schema)
  return { fields: { ...fields, metadata: metadataShape } }
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

/** What keeps a schema from being structural. `inLogic`: below anyOf, allOf, oneOf or not, where only value checks may stand. */
export function schemaFaults(schema: Schema, path: string, inLogic: 'inside' | 'outside' = 'outside'): readonly FieldProblem[] {
  const logic = (['anyOf', 'allOf', 'oneOf'] as const).flatMap(word =>
    (schema[word] ?? []).flatMap((part, index) => schemaFaults(part, `${path}.${word}[${index}]`, 'inside')),
  )
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
      schemaFaults(part, `${path}.properties[${name}]`, inLogic),
    ),
    ...(schema.items === undefined ? [] : schemaFaults(schema.items, `${path}.items`, inLogic)),
    ...(typeof schema.additionalProperties === 'object'
      ? schemaFaults(schema.additionalProperties, `${path}.additionalProperties`, inLogic)
      : []),
    ...(schema.not === undefined ? [] : schemaFaults(schema.not, `${path}.not`, 'inside')),
  ]
  return [...(inLogic === 'inside' ? logicFaults(schema, path) : ownFaults(schema, path)), ...logic, ...below]
}

/** Fields that may not stand below logic, because defaulting and pruning would depend on values. */
const notInLogic = [
  'type',
  'default',
  'additionalProperties',
  'nullable',
  'title',
  'description',
  'x-kubernetes-preserve-unknown-fields',
] as const

function logicFaults(schema: Schema, path: string): readonly FieldProblem[] {
  const fields: Readonly<Record<string, unknown>> = schema
  return notInLogic
    .filter(
      field => fields[field] !== undefined && !(field === 'type' && (schema.type === 'integer' || schema.type === 'string')),
    )
    .map(field => forbiddenField(`${path}.${field}`, 'must not be set to be structural'))
}

function ownFaults(schema: Schema, path: string): readonly FieldProblem[] {
  const isFree = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return [
    ...(schema.type === undefined && !isFree ? [required(`${path}.type`, 'must not be empty for specified object fields')] : []),
    ...(schema.type !== undefined && !types.includes(schema.type) ? [notSupported(`${path}.type`, schema.type, types)] : []),
    ...(schema.type === 'array' && schema.items === undefined ? [required(`${path}.items`, 'must be specified')] : []),
    ...(schema.uniqueItems === true
      ? [
          forbiddenField(
            `${path}.uniqueItems`,
            'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
          ),
        ]
      : []),
    ...(schema.additionalProperties !== undefined && schema.properties !== undefined
      ? [forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')]
      : []),
    ...(schema['x-kubernetes-list-type'] === 'map' && keys.length === 0
      ? [required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')]
      : []),
    ...keys
      .filter(key => schema.items?.required?.includes(key) !== true && schema.items?.properties?.[key]?.default === undefined)
      .map(key =>
        required(
          `${path}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      ),
  ]
}
