// What holds for the metadata of every kind: names, labels, annotations, finalizers, owners.
// Source: apimachinery, pkg/api/validation/objectmeta.go and pkg/util/validation.
import type { KubeObject, OwnerReference } from '../../core/object.ts'
import { forbiddenField, invalidValue, required } from './errors.ts'
import { isEqual, isJson, listOf } from './json.ts'
import type { ApiResource, FieldProblem } from './types.ts'

const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const subdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const qualifiedPattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const valuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

const labelSyntax =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const subdomainSyntax =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const nameSyntax =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const valueSyntax =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

export function nameFaults(name: string, syntax: 'subdomain' | 'label' | 'path'): readonly string[] {
  if (syntax === 'path') return /^\.{1,2}$|[/%]/.test(name) ? ["may not be '.' or '..' or contain '/' or '%'"] : []
  const max = syntax === 'label' ? 63 : 253
  const pattern = syntax === 'label' ? labelPattern : subdomainPattern
  return [
    ...(name.length > max ? [`must be no more than ${max} characters`] : []),
    ...(pattern.test(name) ? [] : [syntax === 'label' ? labelSyntax : subdomainSyntax]),
  ]
}

/** Faults of a label key, annotation key or finalizer: `[prefix/]name`. */
function qualifiedNameFaults(text: string): readonly string[] {
  const parts = text.split('/')
  const name = parts.length === 2 ? (parts[1] ?? '') : text
  if (parts.length > 2) {
    return [
      `a qualified name ${nameSyntax.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  return [
    ...(parts.length === 2 && parts[0] === '' ? ['prefix part must be non-empty'] : []),
    ...(parts.length === 2 && parts[0] !== ''
      ? nameFaults(parts[0] ?? '', 'subdomain').map(fault => `prefix part ${fault}`)
      : []),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > 63 ? ['name part must be no more than 63 characters'] : []),
    ...(qualifiedPattern.test(name) ? [] : [nameSyntax]),
  ]
}

export const labelValueFaults = (value: string): readonly string[] => [
  ...(value.length > 63 ? ['must be no more than 63 characters'] : []),
  ...(valuePattern.test(value) ? [] : [valueSyntax]),
]

/** Keys and values of a map of labels, wherever it stands (metadata, pod template, selector). */
export function labelProblems(labels: unknown, path: string): readonly FieldProblem[] {
  if (!isJson(labels)) return []
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameFaults(key).map(fault => invalidValue(path, key, fault)),
    ...labelValueFaults(String(value)).map(fault => invalidValue(path, value, fault)),
  ])
}

function ownerProblems(owners: readonly OwnerReference[]): readonly FieldProblem[] {
  const path = 'metadata.ownerReferences'
  const controllers = owners.filter(owner => owner.controller === true)
  return [
    ...owners.flatMap(owner => [
      ...((owner.apiVersion ?? '') === '' ? [invalidValue(`${path}.apiVersion`, '', 'version must not be empty')] : []),
      ...((owner.kind ?? '') === '' ? [invalidValue(`${path}.kind`, '', 'must not be empty')] : []),
      ...((owner.name ?? '') === '' ? [invalidValue(`${path}.name`, '', 'must not be empty')] : []),
      ...((owner.uid ?? '') === '' ? [invalidValue(`${path}.uid`, '', 'must not be empty')] : []),
    ]),
    ...(controllers.length > 1
      ? [
          invalidValue(
            path,
            owners,
            `Only one reference can have Controller set to true. Found "true" in references for ${controllers.map(owner => owner.name).join(' and ')}`,
          ),
        ]
      : []),
  ]
}

export function metadataProblems(
  resource: ApiResource,
  object: KubeObject,
  old: KubeObject | undefined,
): readonly FieldProblem[] {
  const { metadata } = object
  const problems: FieldProblem[] = []
  if (metadata.name === undefined || metadata.name === '')
    problems.push(required('metadata.name', 'name or generateName is required'))
  else if (old === undefined) {
    for (const fault of nameFaults(metadata.name, resource.nameSyntax ?? 'subdomain')) {
      problems.push(invalidValue('metadata.name', metadata.name, fault))
    }
  }
  if (old === undefined || old.metadata.labels !== metadata.labels)
    problems.push(...labelProblems(metadata.labels, 'metadata.labels'))
  if (old === undefined || old.metadata.annotations !== metadata.annotations) {
    for (const key of Object.keys(metadata.annotations ?? {})) {
      for (const fault of qualifiedNameFaults(key.toLowerCase())) problems.push(invalidValue('metadata.annotations', key, fault))
    }
  }
  for (const finalizer of metadata.finalizers ?? []) {
    for (const fault of qualifiedNameFaults(finalizer)) problems.push(invalidValue('metadata.finalizers', finalizer, fault))
  }
  problems.push(...ownerProblems(metadata.ownerReferences ?? []))
  if (old === undefined) return problems
  // Updates are checked twice: by the kind and by what all kinds share. The causes show it.
  const all = [...problems, ...changeProblems(object, old)]
  return [...all, ...all]
}

function changeProblems(object: KubeObject, old: KubeObject): readonly FieldProblem[] {
  const problems: FieldProblem[] = []
  if (old.metadata.deletionTimestamp !== undefined) {
    const extra = listOf(object.metadata.finalizers).filter(finalizer => !old.metadata.finalizers?.includes(String(finalizer)))
    if (extra.length > 0) {
      const names = extra.map(finalizer => JSON.stringify(finalizer)).join(', ')
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`
      problems.push(forbiddenField('metadata.finalizers', why))
    }
  }
  for (const field of ['name', 'namespace', 'uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (isEqual(object.metadata[field], old.metadata[field])) continue
    problems.push(invalidValue(`metadata.${field}`, object.metadata[field] ?? null, 'field is immutable'))
  }
  return problems
}
