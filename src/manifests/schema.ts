// From the zod schema of a kind to the structural schema of its CRD. Source: Kubernetes documentation, "Extend the Kubernetes API with
// CustomResourceDefinitions" (structural schema, pruning, defaulting); apiextensions.k8s.io/v1 JSONSchemaProps.
import { jsonSchemaOf, type KindSchema } from '../api/json-schema.ts'
import kubernetesSchemas from '../api/kubernetes-schemas.json' with { type: 'json' }

/** The part of OpenAPI v3 that a CRD may hold. */
export type Schema = {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly default?: unknown
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
}

type Converted = { readonly [keyword: string]: unknown }

const embedded: Readonly<Record<string, Schema>> = kubernetesSchemas
const root: Schema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string', description: 'Group and version of the kind.' },
    kind: { type: 'string', description: 'Name of the kind.' },
    metadata: { type: 'object' },
  },
}

/** The root schema of a kind, from that of its spec and status. Throws when the zod schema says what a CRD cannot. */
export function structuralSchema(kind: KindSchema): Schema {
  const converted = structural(jsonSchemaOf(kind))
  return { ...converted, properties: { ...root.properties, ...converted.properties } }
}

function structural(schema: Converted): Schema {
  const { kubernetesType, description, $schema: _, ...rest } = schema
  if (typeof kubernetesType === 'string') {
    const found = embedded[kubernetesType]
    if (found === undefined)
      throw new Error(`kubernetes-schemas.json lacks ${kubernetesType}: scripts/extract-kubernetes-schemas.ts`)
    return { ...found, ...(typeof description === 'string' ? { description } : {}) }
  }
  return Object.fromEntries(
    Object.entries({ description, ...rest }).flatMap(([keyword, value]) => keywordOf(keyword, value)),
  ) as Schema
}

function keywordOf(keyword: string, value: unknown): [string, unknown][] {
  if (value === undefined) return []
  // zod bounds every integer by what JavaScript can count; `format` says it for Kubernetes.
  if ((keyword === 'minimum' || keyword === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) return []
  if (keyword === 'properties') {
    const properties = Object.entries(value as Record<string, Converted>)
    return [[keyword, Object.fromEntries(properties.map(([name, inner]) => [name, structural(inner)]))]]
  }
  if (keyword === 'items' || keyword === 'additionalProperties' || keyword === 'not')
    return [[keyword, structural(value as Converted)]]
  if (keyword === 'allOf' || keyword === 'anyOf' || keyword === 'oneOf')
    return [[keyword, (value as Converted[]).map(structural)]]
  return [[keyword, value]]
}
