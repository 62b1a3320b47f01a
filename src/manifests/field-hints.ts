// Where an unknown field probably belongs: misspelled here, or known elsewhere in the kind.
import { listed, printPath, type Step } from '../core/module/violation.ts'
import type { Schema } from './schema.ts'

/** `: its spelling is ...` to put behind the sentence about the field; empty when nothing is like it, or too much. */
export function hintForUnknownField(root: Schema, steps: readonly Step[], field: string, here: Schema): string {
  const siblings = Object.keys(here.properties ?? {})
  const recased = siblings.find(name => plain(name) === plain(field))
  if (recased !== undefined) return `: its spelling is ${recased}`
  const longer = siblings.filter(name => plain(field).length >= 4 && plain(name).endsWith(plain(field)))
  if (longer.length === 1) return `: did you mean ${longer[0]}?`
  const places = placesOf(root, field)
  const near = nearest(places, steps)
  if (near.length > 0 && places.length <= 4)
    return `: ${field} belongs at ${listed(near.map(printPath)).replace(/ and (?=[^ ]+$)/, ' or ')}`
  const like = siblings
    .filter(name => distance(plain(name), plain(field)) <= 2)
    .sort((a, b) => distance(a, field) - distance(b, field))[0]
  return like === undefined ? '' : `: did you mean ${like}?`
}

const plain = (name: string) => name.toLowerCase().replace(/[-_]/g, '')

/** All places of fields with this name, in whatever case; lists are entered at their first item. */
function placesOf(schema: Schema, field: string, steps: readonly Step[] = []): (readonly Step[])[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const place = [...steps, name]
    return [...(plain(name) === plain(field) ? [place] : []), ...placesOf(property, field, place)]
  })
  return schema.items === undefined ? inner : [...inner, ...placesOf(schema.items, field, [...steps, 0])]
}

/**
 * At most two: the nearest to where the field was found, and what is hardly farther but less deep; what only the operator writes is out.
 */
function nearest(places: readonly (readonly Step[])[], steps: readonly Step[]): readonly (readonly Step[])[] {
  const open = places.filter(place => place[0] !== 'status' || steps[0] === 'status')
  const shared = (place: readonly Step[]) => {
    const different = place.findIndex((step, index) =>
      typeof step === 'number' ? typeof steps[index] !== 'number' : step !== steps[index],
    )
    return different < 0 ? place.length : different
  }
  const far = (place: readonly Step[]) => place.length + steps.length - 2 * shared(place)
  const least = Math.min(...open.map(far))
  return open
    .filter(place => far(place) === least || (far(place) === least + 1 && place.length < steps.length))
    .toSorted((a, b) => a.length - b.length)
    .slice(0, 2)
    .map(place => place.map((step, index) => (typeof step === 'number' && index < shared(place) ? (steps[index] ?? step) : step)))
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [index, letter] of Array.from(a).entries()) {
    const next = [index + 1]
    for (const [column, other] of Array.from(b).entries()) {
      next.push(Math.min((row[column] ?? 0) + (letter === other ? 0 : 1), (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
