// OpenAPI v3, as far as kubectl reads it: which kinds there are, that the server checks fields itself (kubectl then leaves it to us), and
// for CustomResourceDefinitions their schema (`kubectl explain`). Source: Kubernetes documentation, "The Kubernetes API", OpenAPI V3.
import { jsonOf, listOf, valueAt } from '../api/json.ts'
import type { ApiResource, Json } from '../api/types.ts'
import type { ModelApi } from '../api-server.ts'

const folderOf = (apiVersion: string) => (apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`)

function gvkOf({ apiVersion, kind }: ApiResource): Json {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { group, version, kind }
}

const componentOf = ({ apiVersion, kind }: ApiResource) => `model.${apiVersion.replaceAll('/', '.')}.${kind}`

const parameter = (name: string, description: string): Json => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', uniqueItems: true },
})
/** kubectl looks for these: they say that dry runs and strict field checks are the server's. */
const writeParameters = [
  parameter('dryRun', 'All: the request is checked and answered, and nothing is stored.'),
  parameter('fieldManager', 'Name of the writer, to which its fields are attributed.'),
  parameter('fieldValidation', 'What is done with unknown and doubled fields: Ignore, Warn or Strict.'),
]

function pathsOf(resource: ApiResource): readonly (readonly [string, Json])[] {
  const gvk = { 'x-kubernetes-group-version-kind': gvkOf(resource) }
  const answer = { content: { 'application/json': { schema: { $ref: `#/components/schemas/${componentOf(resource)}` } } } }
  const responses = { 200: { description: 'OK', ...answer } }
  const does = (action: string): Json => ({ ...gvk, 'x-kubernetes-action': action, responses })
  const writes = (action: string, ...types: readonly string[]): Json => ({
    ...does(action),
    parameters: writeParameters,
    requestBody: { content: Object.fromEntries(types.map(type => [type, { schema: { type: 'object' } }])) },
  })
  const patches = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
  const collection = `/${folderOf(resource.apiVersion)}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`
  return [
    [collection, { get: does('list'), post: writes('post', 'application/json') }],
    [
      `${collection}/{name}`,
      { get: does('get'), put: writes('put', 'application/json'), patch: writes('patch', ...patches), delete: does('delete') },
    ],
  ]
}

const definitions = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}
const standardFields: Json = {
  apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
  kind: { type: 'string', description: 'Kind of this object.' },
  metadata: { type: 'object', description: "Standard object's metadata." },
}

function schemaOf(api: ModelApi, resource: ApiResource): Json {
  const [group = '', version = ''] = resource.apiVersion.split('/')
  const crd = resource.origin === 'crd' ? api.get(definitions, `${resource.plural}.${group}`) : undefined
  const served = listOf(valueAt(crd, ['spec', 'versions']))
    .map(jsonOf)
    .find(one => one['name'] === version)
  const schema = jsonOf(valueAt(served, ['schema', 'openAPIV3Schema']))
  const rest = crd === undefined ? { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } : {}
  return {
    type: 'object',
    description: `${resource.kind} of the simulated server.`,
    ...schema,
    properties: { ...standardFields, ...rest, ...jsonOf(schema['properties']) },
    'x-kubernetes-group-version-kind': [gvkOf(resource)],
  }
}

/**
 * All that `/openapi/v2` holds is its own version (field 1, `2.0`): kubectl 1.28 and older ask for it in protobuf, and then go on without
 * the kinds that it does not know.
 */
export const openApiV2 = {
  // Asked for with an @, answered with a dot: an @ is no character of a media type.
  headers: { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' },
  document: Buffer.from('\n\x032.0', 'latin1'),
} as const

/** The document for `/openapi/v3` and below; undefined for other paths. */
export function openApiDocument(api: ModelApi, path: string): Json | undefined {
  const resources = api.resources()
  if (path === '/openapi/v3') {
    const folders = new Set(resources.map(({ apiVersion }) => folderOf(apiVersion)))
    return { paths: Object.fromEntries([...folders].map(folder => [folder, { serverRelativeURL: `/openapi/v3/${folder}` }])) }
  }
  const served = resources.filter(({ apiVersion }) => path === `/openapi/v3/${folderOf(apiVersion)}`)
  if (served.length === 0) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Simulated Kubernetes', version: 'v1' },
    paths: Object.fromEntries(served.flatMap(pathsOf)),
    components: { schemas: Object.fromEntries(served.map(resource => [componentOf(resource), schemaOf(api, resource)])) },
  }
}
