// Thousands of pods of one DaemonSet have the same labels, owners and containers. Each is parsed from a text of its own, so each would
// be kept.
import type { KubeObject } from '../../core/object.ts'

/**
 * Makes the function that gives the first of all equal values it has seen. It forgets them all at `most`: this is only about memory.
 */
export function sharedValues<T extends object>(most: number): (value: T) => T {
  const kept = new Map<string, T>()
  return value => {
    const text = JSON.stringify(value)
    const found = kept.get(text)
    if (found !== undefined) return found
    if (kept.size >= most) kept.clear()
    kept.set(text, value)
    return value
  }
}

const mostKept = 5_000

/** Makes the function that replaces the values at these paths (`metadata.labels`) by equal ones that were seen before. */
export function sharing(paths: readonly string[]): (object: KubeObject) => KubeObject {
  const known = sharedValues(mostKept)
  const split = paths.map(path => path.split('.'))

  function replaced(value: unknown, [name, ...rest]: readonly string[]): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (name === undefined) return known(value)
    const inner = (value as Readonly<Record<string, unknown>>)[name]
    const shared = replaced(inner, rest)
    return shared === inner ? value : { ...value, [name]: shared }
  }
  return object => split.reduce<unknown>(replaced, object) as KubeObject
}
