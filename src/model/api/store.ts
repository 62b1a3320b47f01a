// What etcd and the watch cache are to a real server: objects, one global version, the recent history, who listens.
import { createHash } from 'node:crypto'
import type { KubeObject, Resource } from '../../core/object.ts'
import { groupOf } from './errors.ts'
import { freeze, valueAt } from './json.ts'
import { fieldText } from './selectors.ts'
import { Sharing } from './sharing.ts'
import type { ApiResource, Change } from './types.ts'

export type StoredEvent = Change & { readonly version: number }

type Objects = Map<string, KubeObject>

/** The objects of one resource (all its versions), with what finds them quickly. */
type Table = {
  readonly objects: Objects
  readonly byNamespace: Map<string, Objects>
  readonly indexes: ReadonlyMap<string, Map<string, Objects>>
  /** Keys in the order in which lists give them; undefined after a key came or went. */
  sortedKeys: readonly string[] | undefined
  events: StoredEvent[]
  /** Events up to this version are forgotten. */
  forgotten: number
  readonly watchers: Set<(event: StoredEvent | 'closed') => void>
}

export const tableName = (resource: Resource) => `${groupOf(resource.apiVersion)}/${resource.plural}`
const firstVersion = 100
const letters = 'bcdfghjklmnpqrstvwxz2456789'
const empty: ReadonlyMap<string, KubeObject> = new Map()

export class Store {
  /** Starts above zero: versions from before the server began are too old, as on a real one. */
  #version = firstVersion
  #made = 0
  readonly #tables = new Map<string, Table>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #pending: Change[] = []
  #isTelling = false
  readonly #sharing = new Sharing()
  readonly #history: number
  readonly #seed: string
  readonly #reads: 'frozen' | 'shared'

  constructor(options: { readonly history: number; readonly seed: string; readonly reads: 'frozen' | 'shared' }) {
    this.#history = options.history
    this.#seed = options.seed
    this.#reads = options.reads
  }

  get version(): number {
    return this.#version
  }

  #table(resource: ApiResource | Resource): Table {
    const name = tableName(resource)
    const found = this.#tables.get(name)
    if (found !== undefined) return found
    const indexed = 'indexed' in resource ? (resource.indexed ?? []) : []
    const table: Table = {
      objects: new Map(),
      byNamespace: new Map(),
      indexes: new Map(indexed.map(field => [field, new Map<string, Objects>()])),
      sortedKeys: [],
      events: [],
      forgotten: this.#version,
      watchers: new Set(),
    }
    this.#tables.set(name, table)
    return table
  }

  /** Makes the table with its indexes; later calls find it. */
  serve(resource: ApiResource): void {
    this.#table(resource)
  }

  /** Ends the watches of a resource that is no longer served. */
  close(resource: Resource): void {
    for (const watcher of this.#table(resource).watchers) watcher('closed')
    this.#tables.delete(tableName(resource))
  }

  get(resource: Resource, key: string): KubeObject | undefined {
    return this.#table(resource).objects.get(key)
  }

  objects(resource: Resource, namespace?: string): ReadonlyMap<string, KubeObject> {
    const table = this.#table(resource)
    return namespace === undefined ? table.objects : (table.byNamespace.get(namespace) ?? empty)
  }

  /** Undefined when there is no such index. */
  indexed(resource: Resource, field: string, value: string): ReadonlyMap<string, KubeObject> | undefined {
    const index = this.#table(resource).indexes.get(field)
    return index === undefined ? undefined : (index.get(value) ?? empty)
  }

  /** All keys, ordered as etcd orders them. */
  sortedKeys(resource: Resource): readonly string[] {
    const table = this.#table(resource)
    table.sortedKeys ??= [...table.objects.keys()].sort()
    return table.sortedKeys
  }

  /** Events after `version`, oldest first; undefined when some of them are forgotten. */
  since(resource: Resource, version: number): readonly StoredEvent[] | undefined {
    const table = this.#table(resource)
    if (version < table.forgotten) return undefined
    return table.events.slice(firstAfter(table.events, version))
  }

  watch(resource: Resource, watcher: (event: StoredEvent | 'closed') => void): () => void {
    const { watchers } = this.#table(resource)
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Forgets all history. */
  compact(): void {
    for (const table of this.#tables.values()) {
      table.events = []
      table.forgotten = this.#version
    }
  }

  /** Stores the object under the next version and tells everybody. Returns it as stored (or as it was last, when deleted). */
  commit(resource: ApiResource, key: string, type: Change['type'], object: KubeObject): KubeObject {
    const table = this.#table(resource)
    const old = table.objects.get(key)
    const version = ++this.#version
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    const stored = resource.shared === undefined ? versioned : this.#sharing.of(versioned, old, resource.shared)
    if (this.#reads === 'frozen') freeze(stored)
    if (type === 'DELETED') this.#drop(table, key, old ?? stored)
    else this.#put(table, key, old, stored)
    const event: StoredEvent = { resource, type, object: stored, version, ...(old === undefined ? {} : { old }) }
    table.events.push(event)
    if (table.events.length > 2 * this.#history) {
      table.forgotten = table.events[table.events.length - this.#history - 1]?.version ?? version
      table.events = table.events.slice(-this.#history)
    }
    for (const watcher of table.watchers) watcher(event)
    this.#tell(event)
    return stored
  }

  #put(table: Table, key: string, old: KubeObject | undefined, object: KubeObject): void {
    table.objects.set(key, object)
    if (old === undefined) table.sortedKeys = undefined
    const { namespace } = object.metadata
    if (namespace !== undefined) {
      const inNamespace = table.byNamespace.get(namespace) ?? new Map<string, KubeObject>()
      table.byNamespace.set(namespace, inNamespace.set(key, object))
    }
    for (const [field, index] of table.indexes) {
      const value = indexText(object, field)
      if (old !== undefined && indexText(old, field) !== value) index.get(indexText(old, field))?.delete(key)
      const found = index.get(value) ?? new Map<string, KubeObject>()
      index.set(value, found.set(key, object))
    }
  }

  #drop(table: Table, key: string, old: KubeObject): void {
    table.objects.delete(key)
    table.sortedKeys = undefined
    if (old.metadata.namespace !== undefined) table.byNamespace.get(old.metadata.namespace)?.delete(key)
    for (const [field, index] of table.indexes) index.get(indexText(old, field))?.delete(key)
  }

  /** A listener that writes is told of its own write after everybody was told of the one before. */
  #tell(change: Change): void {
    this.#pending.push(change)
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      // Not shift(): it moves all the others, and the end of a namespace leaves thousands of them.
      for (let at = 0; at < this.#pending.length; at++) {
        const next = this.#pending[at]
        if (next !== undefined) for (const listener of this.#listeners) listener(next)
      }
    } finally {
      this.#pending.length = 0
      this.#isTelling = false
    }
  }

  /** Unique, and the same in every run with the same seed. */
  newUid(): string {
    const hex = this.#hash().toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  }

  /** The five letters that end a generated name. */
  newSuffix(): string {
    return [...this.#hash().subarray(0, 5)].map(byte => letters[byte % letters.length]).join('')
  }

  #hash(): Buffer {
    return createHash('sha256')
      .update(`${this.#seed}/${++this.#made}`)
      .digest()
  }
}

/** Index of the first event that is newer; events are in the order of their versions. */
function firstAfter(events: readonly StoredEvent[], version: number): number {
  let [low, high] = [0, events.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle]?.version ?? 0) > version) high = middle
    else low = middle + 1
  }
  return low
}

const paths = new Map<string, readonly string[]>()
function indexText(object: KubeObject, field: string): string {
  const path = paths.get(field) ?? field.split('.')
  paths.set(field, path)
  return fieldText(valueAt(object, path))
}
