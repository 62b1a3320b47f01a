// Thousands of pods of one template differ in their names only. What is equal in them is kept once, so that large clusters stay small.
// Stored objects never change, so nobody can tell.
import type { KubeObject } from '../../core/object.ts'
import { isJson, valueAt } from './json.ts'

/** Parts kept for those that come next; all are forgotten when there are more. */
const mostParts = 20_000

export class Sharing {
  readonly #known = new Map<string, object>()
  /** All that was kept, to know it without a look at what is in it. */
  readonly #kept = new WeakSet<object>()

  /** The object with equal parts at these paths (field names, outermost first) taken from objects before it. */
  of(object: KubeObject, old: KubeObject | undefined, paths: readonly (readonly string[])[]): KubeObject {
    return paths.reduce((result, path) => {
      const value = valueAt(result, path)
      if (typeof value !== 'object' || value === null || value === valueAt(old, path)) return result
      const kept = this.#keep(value)
      return kept === value ? result : (withPart(result, path, kept) as KubeObject)
    }, object)
  }

  #keep(value: object): object {
    if (this.#kept.has(value)) return value
    const text = JSON.stringify(value)
    const found = this.#known.get(text)
    if (found !== undefined) return found
    if (this.#known.size >= mostParts) this.#known.clear()
    this.#known.set(text, value)
    this.#kept.add(value)
    return value
  }
}

function withPart(value: unknown, [field, ...rest]: readonly string[], part: object): unknown {
  if (field === undefined) return part
  return isJson(value) ? { ...value, [field]: withPart(value[field], rest, part) } : value
}
