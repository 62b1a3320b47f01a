import type { Index } from '../../core/controller.ts'
import { type KubeObject, keyOf } from '../../core/object.ts'
import { sameButVersion } from './equal.ts'

const none: readonly KubeObject[] = []

/** What a new version of an object changed. */
export type StoreChange = { readonly news: 'nothing' } | { readonly news: 'changed'; readonly old: KubeObject | undefined }

/**
 * The objects of one resource, by key and by index.
 * Invariant: an object is under exactly those values of each index that `values` gives for its present version.
 */
export class Store {
  #objects = new Map<string, KubeObject>()
  #indexes = new Map<string, { readonly index: Index; readonly keys: Map<string, Set<string>> }>()
  // Asked for by every pass of some controllers, changed only by events.
  #list: readonly KubeObject[] | undefined
  /** Everything up to this version was seen. */
  resourceVersion: string | undefined

  constructor(indexes: readonly Index[]) {
    for (const index of indexes) this.#indexes.set(index.name, { index, keys: new Map() })
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key)
  }

  list(): readonly KubeObject[] {
    this.#list ??= [...this.#objects.values()]
    return this.#list
  }

  /** Objects under a value of an index. Throws for an index that the watch does not declare: a mistake in the program. */
  by(name: string, value: string): readonly KubeObject[] {
    const entry = this.#indexes.get(name)
    if (entry === undefined) throw new Error(`index ${name} is not among the indexes of its watch: declare it there`)
    const keys = entry.keys.get(value)
    if (keys === undefined) return none
    const found: KubeObject[] = []
    for (const key of keys) {
      const object = this.#objects.get(key)
      if (object !== undefined) found.push(object)
    }
    return found
  }

  /** Stores a version. One that brings no news only moves the resourceVersion; the rest stays the same value in memory. */
  upsert(object: KubeObject): StoreChange {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    if (old !== undefined && sameButVersion(old, object)) {
      const { resourceVersion } = object.metadata
      if (resourceVersion === old.metadata.resourceVersion) return { news: 'nothing' }
      const metadata = resourceVersion === undefined ? old.metadata : { ...old.metadata, resourceVersion }
      this.#put(key, { ...old, metadata })
      return { news: 'nothing' }
    }
    if (old !== undefined) this.#unindex(key, old)
    this.#put(key, object)
    for (const { index, keys } of this.#indexes.values()) {
      for (const value of index.values(object)) {
        const under = keys.get(value)
        if (under === undefined) keys.set(value, new Set([key]))
        else under.add(key)
      }
    }
    return { news: 'changed', old }
  }

  remove(key: string): KubeObject | undefined {
    const old = this.#objects.get(key)
    if (old === undefined) return undefined
    this.#unindex(key, old)
    this.#objects.delete(key)
    this.#list = undefined
    return old
  }

  #put(key: string, object: KubeObject): void {
    this.#objects.set(key, object)
    this.#list = undefined
  }

  #unindex(key: string, object: KubeObject): void {
    for (const { index, keys } of this.#indexes.values()) {
      for (const value of index.values(object)) {
        const under = keys.get(value)
        under?.delete(key)
        if (under?.size === 0) keys.delete(value)
      }
    }
  }
}
