import type { Index, Look, Watch } from '../../core/controller.ts'
import { type KubeObject, keyOf, type ObjectRef, type Resource } from '../../core/object.ts'
import { errorText } from '../kube/errors.ts'
import type { Sink } from '../kube/list-watch.ts'
import { resourceId } from '../kube/paths.ts'
import type { Log } from '../observe.ts'
import { sharing } from './share.ts'
import { Store } from './store.ts'
import { managedFieldsTrim } from './trim.ts'

export type SnapshotListener = {
  /** An object appeared (no `old`), changed, or went (no `object`). Called after the snapshot has it. */
  changed(resource: Resource, old: KubeObject | undefined, object: KubeObject | undefined): void
  /** A version of this object arrived, news or not. */
  touched(resource: Resource, key: string): void
  /** A list or bookmark says that everything up to the store's resourceVersion was heard. */
  reached(resource: Resource): void
}

const noObjects: readonly KubeObject[] = []

/**
 * The watched part of the cluster in memory. Objects are trimmed on arrival and never changed afterwards.
 * Since planning is synchronous, what a planner reads belongs to one moment although nothing is copied.
 */
export class Snapshot implements Omit<Look, 'answer'> {
  #stores = new Map<string, Store>()
  #watches = new Map<string, Watch>()
  #byKind = new Map<string, Watch>()
  #manager: string
  #log: Log

  /** Throws if two watches are of the same resource: their lists would remove each other's objects. */
  constructor(watches: readonly Watch[], options: { readonly fieldManager: string; readonly log: Log }) {
    this.#manager = options.fieldManager
    this.#log = options.log
    for (const watch of watches) {
      const id = resourceId(watch.resource)
      if (this.#stores.has(id)) throw new Error(`two watches of ${id}: make it one`)
      this.#stores.set(id, new Store((watch.indexes ?? []).map(index => this.#safe(index))))
      this.#watches.set(id, watch)
      this.#byKind.set(`${watch.resource.apiVersion} ${watch.resource.kind}`, watch)
    }
  }

  list(resource: Resource): readonly KubeObject[] {
    return this.#stores.get(resourceId(resource))?.list() ?? noObjects
  }

  get(resource: Resource, key: string): KubeObject | undefined {
    return this.#stores.get(resourceId(resource))?.get(key)
  }

  by(index: Index, value: string): readonly KubeObject[] {
    return this.#stores.get(resourceId(index.resource))?.by(index.name, value) ?? noObjects
  }

  /** How the kind is watched; undefined if it is not. */
  watchOf(object: Pick<ObjectRef, 'apiVersion' | 'kind'>): Watch | undefined {
    return this.#byKind.get(`${object.apiVersion} ${object.kind}`)
  }

  /** Up to which version the resource was seen; undefined before its first list, or if it is not watched. */
  resourceVersion(resource: Resource): string | undefined {
    return this.#stores.get(resourceId(resource))?.resourceVersion
  }

  /** Where the list-watch of this resource puts what it hears. */
  sink(watch: Watch, listener: SnapshotListener): Sink {
    const { resource } = watch
    const store = this.#stores.get(resourceId(resource)) ?? new Store([])
    const trim = this.#trimOf(watch)
    const remove = (key: string) => {
      const old = store.remove(key)
      if (old !== undefined) listener.changed(resource, old, undefined)
      listener.touched(resource, key)
    }
    return {
      upsert: object => {
        const trimmed = trim(object)
        const change = store.upsert(trimmed)
        if (change.news === 'changed') listener.changed(resource, change.old, trimmed)
        listener.touched(resource, keyOf(trimmed))
      },
      remove: object => remove(keyOf(object)),
      listed: (seen, resourceVersion) => {
        store.resourceVersion = resourceVersion
        for (const object of store.list()) if (!seen(object)) remove(keyOf(object))
        listener.reached(resource)
      },
      reached: (resourceVersion, by) => {
        store.resourceVersion = resourceVersion
        if (by === 'bookmark') listener.reached(resource)
      },
    }
  }

  #trimOf(watch: Watch): (object: KubeObject) => KubeObject {
    const managedFieldsOf = managedFieldsTrim(this.#manager, watch.takeOver ?? [])
    const share = sharing(watch.shared ?? [])
    return object => {
      const managedFields = managedFieldsOf(object)
      const whole = { ...object, metadata: { ...object.metadata, managedFields } }
      const trimmed = share(this.#tryTrim(watch, whole))
      if (trimmed.metadata.managedFields === managedFields) return trimmed
      return { ...trimmed, metadata: { ...trimmed.metadata, managedFields } }
    }
  }

  #safe(index: Index): Index {
    const values = (object: KubeObject) => {
      try {
        return index.values(object)
      } catch (error) {
        this.#log('error', `cannot index ${object.kind} ${keyOf(object)} by ${index.name}: ${errorText(error)}`, {})
        return []
      }
    }
    return { ...index, values }
  }

  // One odd object must not end the watch of its kind: it is kept whole.
  #tryTrim(watch: Watch, object: KubeObject): KubeObject {
    try {
      return watch.trim?.(object) ?? object
    } catch (error) {
      this.#log('error', `cannot trim ${object.kind} ${keyOf(object)}: ${errorText(error)}`, {
        resource: resourceId(watch.resource),
      })
      return object
    }
  }
}
