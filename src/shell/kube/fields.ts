// Who owns which field: metadata.managedFields with its FieldsV1 sets. A set is a tree; its keys are path elements:
// `f:name` a field, `k:{"name":"x"}` an item of a list-map, `v:"x"` a value of a set, `i:0` a place, `.` the thing itself.
// Source: sigs.k8s.io/structured-merge-diff, fieldpath/serialize-pe.go.
import type { KubeObject, ManagedFields } from '../../core/object.ts'

export type Fields = { readonly [element: string]: Fields }

/** Field managers of an older operator whose fields become ours when we apply (decisions.md 5). */
export type FormerOwner = {
  readonly manager: string
  /** Of this path only; every field of the manager if absent. Elements as in FieldsV1: `f:metadata`, `f:labels`, `f:key`. */
  readonly owns?: (path: readonly string[]) => boolean
}

export const fieldsOf = (entry: ManagedFields | undefined): Fields => (entry?.fieldsV1 ?? {}) as Fields

/** Elements below a node of the tree, without the node itself. */
export const elements = (fields: Fields): readonly string[] => Object.keys(fields).filter(element => element !== '.')

/** The entry of what `manager` has applied, in the main resource or in one subresource. */
export function appliedEntry(object: KubeObject, manager: string, subresource = ''): ManagedFields | undefined {
  return object.metadata.managedFields?.find(
    entry => entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === subresource,
  )
}

/** Both sets in one. */
export function union(a: Fields, b: Fields): Fields {
  const result: Record<string, Fields> = { ...a }
  for (const [element, below] of Object.entries(b)) {
    const other = result[element]
    result[element] = other === undefined ? below : union(other, below)
  }
  return result
}

/** The fields whose path passes, and the others. Only leaves are asked about. */
export function split(
  fields: Fields,
  passes: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): { readonly yes: Fields; readonly no: Fields } {
  const yes: Record<string, Fields> = {}
  const no: Record<string, Fields> = {}
  for (const element of elements(fields)) {
    const below = fields[element] ?? {}
    const here = [...path, element]
    if (elements(below).length === 0) {
      ;(passes(here) ? yes : no)[element] = below
      continue
    }
    const parts = split(below, passes, here)
    if (elements(parts.yes).length > 0) yes[element] = parts.yes
    if (elements(parts.no).length > 0) no[element] = parts.no
  }
  // An item or map that lost all of its fields is owned by nobody of us; one that kept some stays owned itself.
  if (fields['.'] !== undefined && elements(no).length > 0) no['.'] = fields['.']
  if (fields['.'] !== undefined && elements(yes).length > 0) yes['.'] = fields['.']
  return { yes, no }
}

const everything = () => true

/** Of an entry: what would become ours. Empty where the entry's manager is no former owner, or we are the manager ourselves. */
export function inherited(
  entry: ManagedFields,
  formerOwners: readonly FormerOwner[],
  subresource = '',
): { readonly yes: Fields; readonly no: Fields } {
  const former = formerOwners.find(owner => owner.manager === entry.manager)
  if (former === undefined || (entry.subresource ?? '') !== subresource) return { yes: {}, no: fieldsOf(entry) }
  return split(fieldsOf(entry), former.owns ?? everything)
}
