// The world of a plan: the objects in the files, seen as the operator's snapshot would show them.
import type { Index, Look, Watch } from '../../core/controller.ts'
import { type KubeObject, keyOf, type Resource } from '../../core/object.ts'
import type { Answer, Question } from '../../core/plan.ts'

const idOf = (thing: Pick<Resource, 'apiVersion' | 'kind'>) => `${thing.apiVersion} ${thing.kind}`

/**
 * A Look at sorted, completed objects. A resource that is watched is trimmed and selected as its watch says; what is not watched is not
 * seen, as in the operator.
 */
export function createLook(
  objects: readonly KubeObject[],
  watches: readonly Watch[],
  answer: (question: Question) => Answer | undefined,
): Look {
  const seen = new Map<string, Map<string, KubeObject>>()
  for (const object of objects) {
    for (const watch of watches) {
      if (idOf(watch.resource) !== idOf(object) || !isSelected(object, watch)) continue
      const kept = seen.get(idOf(object)) ?? new Map<string, KubeObject>()
      kept.set(keyOf(object), watch.trim === undefined ? object : watch.trim(object))
      seen.set(idOf(object), kept)
    }
  }
  const list = (resource: Resource) => [...(seen.get(idOf(resource))?.values() ?? [])]
  const indexed = new Map<Index, Map<string, KubeObject[]>>()
  return {
    list,
    get: (resource, key) => seen.get(idOf(resource))?.get(key),
    by: (index, value) => {
      const found = indexed.get(index) ?? byValue(index, list(index.resource))
      indexed.set(index, found)
      return found.get(value) ?? []
    },
    answer,
  }
}

function byValue(index: Index, objects: readonly KubeObject[]): Map<string, KubeObject[]> {
  const found = new Map<string, KubeObject[]>()
  for (const object of objects) {
    for (const value of new Set(index.values(object))) found.set(value, [...(found.get(value) ?? []), object])
  }
  return found
}

function isSelected(object: KubeObject, watch: Watch): boolean {
  const byLabel = termsOf(watch.labelSelector).every(term => fits(term, object.metadata.labels ?? {}))
  return byLabel && termsOf(watch.fieldSelector).every(term => fits(term, fieldsOf(object, term.name)))
}

type Term = { readonly name: string; readonly operator: 'exists' | '=' | '!='; readonly value: string }

/** The requirements of a selector as our watches write them: `a`, `a=b`, `a!=b`, separated by commas. */
function termsOf(selector: string | undefined): readonly Term[] {
  return (selector ?? '')
    .split(',')
    .filter(term => term !== '')
    .map(term => {
      const [, name = '', operator = '', value = ''] = /^([^=!]+)(==|=|!=)?(.*)$/.exec(term) ?? []
      return { name, operator: operator === '' ? 'exists' : operator === '!=' ? '!=' : '=', value }
    })
}

function fits(term: Term, fields: Readonly<Record<string, string>>): boolean {
  const given = fields[term.name]
  if (term.operator === 'exists') return given !== undefined
  return (given === term.value) === (term.operator === '=')
}

/** The field behind a name such as `spec.nodeName`, as a map with this one name; an absent field is empty. */
function fieldsOf(object: KubeObject, name: string): Readonly<Record<string, string>> {
  const value = name
    .split('.')
    .reduce<unknown>(
      (at, part) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined),
      object,
    )
  return { [name]: typeof value === 'string' ? value : '' }
}
