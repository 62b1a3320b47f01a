// Label and field selectors of list and watch. Source: Kubernetes documentation, "Labels and Selectors", "Field Selectors".
import type { KubeObject } from '../../core/object.ts'
import { badRequest } from './errors.ts'
import { valueAt } from './json.ts'
import type { ApiResource } from './types.ts'

export type Matcher = {
  matches(object: KubeObject): boolean
  /** A field that must have this one value: lets a list use an index. */
  readonly equals?: { readonly field: string; readonly value: string }
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean

const setBased = /^(!)?\s*([^\s!=(),<>]+)\s*(?:(in|notin)\s*\(([^)]*)\)|(==?|!=|>|<)\s*([^\s,()]*))?$/

/** Booleans that are left out of the JSON when false. */
const absent: Readonly<Record<string, string>> = { 'spec.unschedulable': 'false', 'spec.hostNetwork': 'false' }

/** Splits at commas outside parentheses. */
function termsOf(selector: string): readonly string[] {
  const terms: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index <= selector.length; index++) {
    const letter = selector[index]
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (letter === undefined || (letter === ',' && depth === 0)) {
      terms.push(selector.slice(start, index).trim())
      start = index + 1
    }
  }
  return terms.filter(term => term !== '')
}

function requirementOf(term: string): Requirement {
  const [, not, key = '', set, values = '', operator, value = ''] = setBased.exec(term) ?? []
  if (key === '' || (not !== undefined && (set !== undefined || operator !== undefined))) {
    throw badRequest(
      `unable to parse requirement: found '${term.split(/\s+/).at(-1) ?? ''}', expected: a key with ==, =, !=, in, notin, > or <`,
    )
  }
  if (not !== undefined) return labels => labels[key] === undefined
  if (set !== undefined) {
    const allowed = new Set(values.split(',').map(item => item.trim()))
    return set === 'in' ? labels => allowed.has(labels[key] ?? '\0') : labels => !allowed.has(labels[key] ?? '\0')
  }
  if (operator === undefined) return labels => labels[key] !== undefined
  if (operator === '!=') return labels => labels[key] !== value
  if (operator === '>') return labels => Number.parseInt(labels[key] ?? '', 10) > Number.parseInt(value, 10)
  if (operator === '<') return labels => Number.parseInt(labels[key] ?? '', 10) < Number.parseInt(value, 10)
  return labels => labels[key] === value
}

/** Kinds that offer fields of their own say it differently. */
function unknownField(resource: ApiResource, field: string): Error {
  if (resource.selectable !== undefined) return badRequest(`field label not supported: ${field}`)
  return badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`)
}

function fieldTermsOf(selector: string, resource: ApiResource) {
  const known = ['metadata.name', ...(resource.namespaced ? ['metadata.namespace'] : []), ...(resource.selectable ?? [])]
  return termsOf(selector).map(term => {
    const match = /^([^=!]+)(==?|!=)(.*)$/.exec(term)
    const field = match?.[1]?.trim() ?? ''
    if (match === null || field === '') throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`)
    if (!known.includes(field)) throw unknownField(resource, field)
    return { field, path: field.split('.'), isEqual: match[2] !== '!=', value: match[3]?.trim() ?? '' }
  })
}

/** Undefined selectors match everything. Throws 400 on syntax errors and on fields that the kind does not offer. */
export function matcherOf(
  resource: ApiResource,
  labelSelector: string | undefined,
  fieldSelector: string | undefined,
): Matcher | undefined {
  const requirements = termsOf(labelSelector ?? '').map(requirementOf)
  const fields = fieldTermsOf(fieldSelector ?? '', resource)
  if (requirements.length === 0 && fields.length === 0) return undefined
  const none = {}
  const equals = fields.find(term => term.isEqual)
  return {
    matches: object => {
      const labels = object.metadata.labels ?? none
      return (
        requirements.every(requirement => requirement(labels)) &&
        fields.every(term => (fieldText(valueAt(object, term.path) ?? absent[term.field]) === term.value) === term.isEqual)
      )
    },
    ...(equals === undefined ? {} : { equals: { field: equals.field, value: equals.value } }),
  }
}

/** Field selectors compare text; an absent field is the empty text. */
export const fieldText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'boolean' || typeof value === 'number' ? String(value) : ''
