// The only use of zod beside the schemas themselves: turning them into JSON Schema for src/manifests.
import { z } from 'zod'

export type KindSchema = z.ZodType

/** OpenAPI 3.0 as zod prints it, with the keys of `meta` among the keywords. Throws when the schema says what JSON Schema cannot. */
export function jsonSchemaOf(kind: KindSchema): { readonly [keyword: string]: unknown } {
  return z.toJSONSchema(kind, { target: 'openapi-3.0', io: 'input', reused: 'inline', unrepresentable: 'throw' })
}
