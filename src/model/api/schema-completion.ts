// What a schema does to an object on the way in: unknown fields go, nulls go where nothing may be null, defaults come.
// Source: apiextensions-apiserver, pkg/apiserver/schema/{pruning,defaulting}.
import type { KubeObject } from '../../core/object.ts'
import { isJson, mapItems, withField } from './json.ts'
import { itemSchema, type Schema } from './schema.ts'
import type { Json } from './types.ts'

const identity = new Set(['apiVersion', 'kind', 'metadata'])
/** Collects the paths of the fields that were dropped. */
type Dropped = (path: string) => void

function prune(value: unknown, schema: Schema | undefined, path: string, dropped: Dropped): unknown {
  const keepsUnknown = schema?.['x-kubernetes-preserve-unknown-fields'] === true
  if (Array.isArray(value)) {
    return mapItems(value as readonly unknown[], (item, index) => prune(item, schema?.items, `${path}[${index}]`, dropped))
  }
  if (!isJson(value)) return value
  let result: Json = value
  for (const [field, child] of Object.entries(value)) {
    if (identity.has(field) && schema?.['x-kubernetes-embedded-resource'] === true) continue
    const below = schema === undefined ? undefined : itemSchema(schema, field)
    const at = path === '' ? field : `${path}.${field}`
    if (below !== undefined) result = withField(result, field, prune(child, below, at, dropped))
    else if (!keepsUnknown && schema?.additionalProperties !== true) {
      if (path !== '' || !identity.has(field)) dropped(at)
      result = withField(result, field, undefined)
    }
  }
  return result
}

type Nulls = 'dropped' | 'kept'

/** A null where null is not allowed counts as absent. */
function complete(value: unknown, schema: Schema | undefined, nulls: Nulls): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) return mapItems(value as readonly unknown[], item => complete(item, schema.items, nulls))
  if (!isJson(value)) return value
  let result: Json = value
  for (const [field, child] of Object.entries(value)) {
    const property = schema.properties?.[field]
    if (child !== null || property === undefined || property.nullable === true) continue
    if (nulls === 'dropped' || property.default !== undefined) result = withField(result, field, undefined)
  }
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined && result[field] === undefined) result = withField(result, field, property.default)
  }
  for (const [field, child] of Object.entries(result)) {
    const below = itemSchema(schema, field)
    if (below !== undefined) result = withField(result, field, complete(child, below, nulls))
  }
  return result
}

const asResource = (schema: Schema): Schema => ({ ...schema, 'x-kubernetes-embedded-resource': true })

/** The object as it is stored. */
export const completeBySchema = (object: KubeObject, schema: Schema, nulls: Nulls): KubeObject =>
  complete(
    prune(object, asResource(schema), '', () => {}),
    schema,
    nulls,
  ) as KubeObject

/** Paths of the fields that the schema does not know, sorted: `spec.typo`, `spec.list[0].typo`. */
export function unknownFields(object: KubeObject, schema: Schema): readonly string[] {
  const paths: string[] = []
  prune(object, asResource(schema), '', path => paths.push(path))
  return paths.sort()
}
