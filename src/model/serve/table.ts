// Objects as the rows that `kubectl get` prints. Source: meta/v1 API reference, Table; apiextensions-apiserver, tableconvertor.
import type { KubeObject } from '../../core/object.ts'
import { jsonOf, listOf, textOf, valueAt } from '../api/json.ts'
import type { ApiResource, Json } from '../api/types.ts'
import type { ModelApi } from '../api-server.ts'
import { printAge } from './age.ts'
import { builtInColumns, type Column, nameColumn } from './columns.ts'
import { compileJsonPath } from './json-path.ts'

/** What goes along with each row: nothing, the metadata (default), or the object. */
type Included = 'None' | 'Metadata' | 'Object'

export type TableForm = { readonly resource: ApiResource; readonly columns: readonly Column[]; readonly included: Included }

const definitions = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** How objects of this kind are shown; the printer columns of a CustomResourceDefinition count. */
export function tableForm(api: ModelApi, resource: ApiResource, query: Readonly<Record<string, string>>): TableForm {
  const includeObject = query['includeObject']
  const included = includeObject === 'None' || includeObject === 'Object' ? includeObject : 'Metadata'
  const columns = resource.origin === 'crd' ? customColumns(api, resource) : builtInColumns(resource.apiVersion, resource.plural)
  return { resource, columns, included }
}

function customColumns(api: ModelApi, { apiVersion, plural }: ApiResource): readonly Column[] {
  const [group = '', version = ''] = apiVersion.split('/')
  const crd = api.get(definitions, `${plural}.${group}`)
  const served = listOf(valueAt(crd, ['spec', 'versions']))
    .map(jsonOf)
    .find(one => one['name'] === version)
  const printed = listOf(served?.['additionalPrinterColumns']).map(jsonOf)
  const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }
  return [nameColumn, ...(printed.length === 0 ? [age] : printed).map(customColumn)]
}

function customColumn(printed: Json): Column {
  const type = textOf(printed['type']) as Column['type']
  const find = compileJsonPath(textOf(printed['jsonPath'])) ?? (() => [])
  const description = textOf(printed['description'])
  const format = textOf(printed['format'])
  return {
    name: textOf(printed['name']),
    type,
    priority: Number(printed['priority'] ?? 0),
    ...(description === '' ? {} : { description }),
    ...(format === '' ? {} : { format }),
    cell: (object, nowMs) => cellOf(type, find([object])[0], nowMs),
  }
}

function cellOf(type: Column['type'], value: unknown, nowMs: number): unknown {
  if (value === undefined || value === null) return null
  if (type === 'date') return printAge(value, nowMs)
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value)
  return typeof value === (type === 'boolean' ? 'boolean' : 'number') ? value : null
}

export const metadataOnly = (object: unknown): Json => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: jsonOf(object)['metadata'],
})

function rowOf({ resource, columns, included }: TableForm, object: KubeObject, nowMs: number): Json {
  const cells = columns.map(column => column.cell(object, nowMs))
  if (included === 'None') return { cells, object: null }
  const whole = { ...object, apiVersion: resource.apiVersion, kind: resource.kind }
  return { cells, object: included === 'Object' ? whole : metadataOnly(object) }
}

export function columnDefinitions(columns: readonly Column[]): readonly Json[] {
  return columns.map(({ name, type, format = '', description = '', priority }) => ({ name, type, format, description, priority }))
}

/** The table of one object, or of the items of a list. `headings`: watches send them with their first event only. */
export function tableOf(
  form: TableForm,
  body: unknown,
  nowMs: number,
  headings: 'with headings' | 'rows only' = 'with headings',
): Json {
  const { items, metadata } = jsonOf(body)
  const objects = (Array.isArray(items) ? items : [body]) as readonly KubeObject[]
  const { resourceVersion, continue: more, remainingItemCount } = jsonOf(metadata)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      resourceVersion,
      ...(Array.isArray(items) && more !== undefined ? { continue: more } : {}),
      ...(Array.isArray(items) && remainingItemCount !== undefined ? { remainingItemCount } : {}),
    },
    columnDefinitions: headings === 'with headings' ? columnDefinitions(form.columns) : null,
    rows: objects.map(object => rowOf(form, object, nowMs)),
  }
}
