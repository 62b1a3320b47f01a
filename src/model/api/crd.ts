// CustomResourceDefinitions: checked, established, and turned into kinds that are served.
// Source: apiextensions-apiserver, pkg/apis/apiextensions/validation and pkg/controller/{establish,status,finalizer}.
import type { KubeObject } from '../../core/object.ts'
import { invalidValue, required } from './errors.ts'
import { isEqual, isJson, jsonOf, listOf, textOf, valueAt, withField, withPath } from './json.ts'
import { withDefaults, withoutEmpty } from './pod-defaults.ts'
import { type Schema, schemaFaults, shapeOfSchema } from './schema.ts'
import { completeBySchema, unknownFields } from './schema-completion.ts'
import { validateBySchema, validateStatus } from './schema-validation.ts'
import type { ApiResource, FieldProblem, Json } from './types.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

const specOf = (crd: KubeObject): Json => jsonOf(valueAt(crd, ['spec']))
const versionsOf = (crd: KubeObject): readonly Json[] => listOf(specOf(crd)['versions']).map(jsonOf)
const schemaOf = (version: Json): Schema => jsonOf(valueAt(version, ['schema', 'openAPIV3Schema']))

export function completeCrd(object: KubeObject, old: KubeObject | undefined): KubeObject {
  if (old !== undefined && valueAt(old, ['spec']) === valueAt(object, ['spec'])) return object
  const names = jsonOf(specOf(object)['names'])
  const kind = textOf(names['kind'])
  const full = withDefaults(names, { singular: kind.toLowerCase(), listKind: `${kind}List` })
  return withField(object, 'spec', withDefaults({ ...specOf(object), names: full }, { conversion: { strategy: 'None' } }))
}

/** A new definition is established at once; its clean-up finalizer keeps it until its objects are gone. */
export function prepareCrd(object: KubeObject, old: KubeObject | undefined, now: string): KubeObject {
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    reason,
    message,
  })
  const stored = versionsOf(object).flatMap(version => (version['storage'] === true ? [textOf(version['name'])] : []))
  if (old !== undefined) {
    return withPath(object, ['status', 'storedVersions'], current => [...new Set([...listOf(current).map(String), ...stored])])
  }
  const finalizers = [...new Set([...(object.metadata.finalizers ?? []), cleanupFinalizer])]
  const status = {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: specOf(object)['names'],
    storedVersions: stored,
  }
  return { ...object, metadata: { ...object.metadata, finalizers }, status } as KubeObject
}

export function crdProblems(object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] {
  const spec = specOf(object)
  const names = jsonOf(spec['names'])
  const name = `${textOf(names['plural'])}.${textOf(spec['group'])}`
  const versions = versionsOf(object)
  const stored = versions.filter(version => version['storage'] === true)
  const changed = (path: readonly string[]) => old !== undefined && !isEqual(valueAt(object, path), valueAt(old, path))
  return [
    ...(object.metadata.name === name
      ? []
      : [invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...['group', 'scope'].filter(field => textOf(spec[field]) === '').map(field => required(`spec.${field}`)),
    ...['plural', 'kind'].filter(field => textOf(names[field]) === '').map(field => required(`spec.names.${field}`)),
    ...(versions.length === 0 ? [required('spec.versions')] : []),
    ...(stored.length === 1
      ? []
      : [
          invalidValue(
            'spec.versions',
            versions.map(version => version['name']),
            'must have exactly one version marked as storage version',
          ),
        ]),
    ...versions.flatMap((version, index) => {
      // The schema of a single version is checked where old definitions had it.
      const home = versions.length === 1 ? 'spec.validation' : `spec.versions[${index}].schema`
      const path = `${home}.openAPIV3Schema`
      if (!isJson(valueAt(version, ['schema', 'openAPIV3Schema']))) return [required(path, 'schemas are required')]
      return schemaFaults(schemaOf(version), path)
    }),
    ...[
      ['spec', 'group'],
      ['spec', 'scope'],
      ['spec', 'names', 'plural'],
      ['spec', 'names', 'kind'],
    ]
      .filter(changed)
      .map(path => invalidValue(path.join('.'), valueAt(object, path), 'field is immutable')),
  ]
}

/** The kinds that a definition serves, one per served version. */
export function resourcesOf(crd: KubeObject): readonly ApiResource[] {
  const spec = specOf(crd)
  const names = jsonOf(spec['names'])
  const texts = (field: string) => listOf(names[field]).map(String)
  return versionsOf(crd)
    .filter(version => version['served'] === true)
    .map(version => {
      const schema = schemaOf(version)
      const hasStatus = isJson(valueAt(version, ['subresources', 'status']))
      const selectable = listOf(version['selectableFields']).map(field => textOf(jsonOf(field)['jsonPath']).replace(/^\./, ''))
      return {
        apiVersion: `${textOf(spec['group'])}/${textOf(version['name'])}`,
        kind: textOf(names['kind']),
        plural: textOf(names['plural']),
        namespaced: spec['scope'] === 'Namespaced',
        singular: textOf(names['singular']),
        shortNames: texts('shortNames'),
        categories: texts('categories'),
        origin: 'crd',
        status: hasStatus ? 'subresource' : 'plain',
        statusMetadata: 'kept',
        generation: 'counted',
        shape: shapeOfSchema(schema),
        selectable,
        complete: (object, _, source) => completeBySchema(cleanMetadata(object), schema, source === 'sent' ? 'dropped' : 'kept'),
        validate: (object, old, endpoint) =>
          endpoint === 'status' ? validateStatus(object, old, schema) : validateBySchema(object, old, schema),
        unknownFields: object => unknownFields(object, schema),
      }
    })
}

/** Metadata is typed for every kind: its empty maps and lists are left out. */
const cleanMetadata = (object: KubeObject): KubeObject => withField(object, 'metadata', withoutEmpty(object.metadata))
