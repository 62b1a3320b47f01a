// Makes src/api/kubernetes-schemas.json: the types of core/v1 that a Module embeds, from the OpenAPI document of Kubernetes
// (Apache-2.0), as structural schemas that a CRD may hold. To repeat it:
//   go mod download -json k8s.io/kubernetes@v1.36.3     (prints the Dir of the sources)
//   node scripts/extract-kubernetes-schemas.ts DIR/api/openapi-spec/swagger.json
// Source of the rules: Kubernetes documentation, "Specifying a structural schema".
import { readFileSync, writeFileSync } from 'node:fs'

type Schema = { readonly [keyword: string]: unknown }

/** Each embedded type, and where people know it from: `kubectl explain` of that place describes its fields. */
const roots = {
  'io.k8s.api.core.v1.EnvVar': 'pod.spec.containers.env',
  'io.k8s.api.core.v1.ResourceRequirements': 'pod.spec.containers.resources',
  'io.k8s.api.core.v1.Toleration': 'pod.spec.tolerations',
  'io.k8s.api.core.v1.Volume': 'pod.spec.volumes',
  'io.k8s.api.core.v1.VolumeMount': 'pod.spec.containers.volumeMounts',
} as const

const described = (place: string) => `See \`kubectl explain ${place}\`.`

/** OpenAPI cannot say "int or string"; the grammar is that of resource.Quantity. */
const number = '([0-9]+(\\.[0-9]*)?|\\.[0-9]+)'
const quantity: Schema = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  pattern: `^[+-]?${number}([KMGTPE]i|[numkMGTPE]|[eE][+-]?${number})?$`,
  'x-kubernetes-int-or-string': true,
}

/** An embedded template keeps these of its metadata; a plain `metadata: {type: object}` would lose them. */
const embeddedMetadata = (place: string): Schema => ({
  type: 'object',
  description: described(place),
  properties: {
    name: { type: 'string', description: described(`${place}.name`) },
    namespace: { type: 'string', description: described(`${place}.namespace`) },
    labels: { type: 'object', additionalProperties: { type: 'string' }, description: described(`${place}.labels`) },
    annotations: { type: 'object', additionalProperties: { type: 'string' }, description: described(`${place}.annotations`) },
    finalizers: { type: 'array', items: { type: 'string' }, description: described(`${place}.finalizers`) },
  },
})

const kept = [
  'type',
  'format',
  'enum',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
]

/** `place` is undefined for items, which have no place of their own in `kubectl explain`. */
function structural(definitions: Readonly<Record<string, Schema>>, schema: Schema, place: string, named: boolean): Schema {
  const reference = typeof schema.$ref === 'string' ? schema.$ref.replace('#/definitions/', '') : undefined
  const description = named ? { description: described(place) } : {}
  if (reference === 'io.k8s.apimachinery.pkg.api.resource.Quantity') return { ...quantity, ...description }
  if (reference === 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') return embeddedMetadata(place)
  const target = reference === undefined ? schema : definitions[reference]
  if (target === undefined) throw new Error(`the document has no definition ${reference}`)
  const properties = target.properties as Readonly<Record<string, Schema>> | undefined
  return {
    ...Object.fromEntries(kept.filter(keyword => keyword in target).map(keyword => [keyword, target[keyword]])),
    ...description,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, inner]) => [name, structural(definitions, inner, `${place}.${name}`, true)]),
          ),
        }),
    ...(target.items === undefined ? {} : { items: structural(definitions, target.items as Schema, place, false) }),
    ...(target.additionalProperties === undefined
      ? {}
      : { additionalProperties: structural(definitions, target.additionalProperties as Schema, place, false) }),
  }
}

const file = process.argv[2]
if (file === undefined) throw new Error('which swagger.json? See the top of this script')
const document = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, Schema> }
const schemas = Object.fromEntries(
  Object.entries(roots).map(([type, place]) => [
    type,
    structural(document.definitions, { $ref: `#/definitions/${type}` }, place, false),
  ]),
)
writeFileSync('src/api/kubernetes-schemas.json', `${JSON.stringify(schemas, null, 1)}\n`)
