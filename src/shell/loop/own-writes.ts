import type { KubeObject, Resource } from '../../core/object.ts'
import type { Clock } from '../clock.ts'
import { resourceId } from '../kube/paths.ts'
import { includes } from '../kube/versions.ts'

/** What we did to an object, as the server's answer tells it. */
export type OwnWrite = {
  readonly resource: Resource
  /** `namespace/name` or `name`. */
  readonly object: string
  readonly uid: string | undefined
  /** Of the answer; undefined where a removal was answered without the object. */
  readonly resourceVersion: string | undefined
  readonly did: 'write' | 'remove'
}

/** What the snapshot knows of one object and its resource. */
export type Sight = { readonly object: KubeObject | undefined; readonly resourceVersion: string | undefined }

/** Whether the snapshot includes the write, or something newer. */
export function isSeen(write: OwnWrite, sight: Sight): boolean {
  const { object } = sight
  const version = write.resourceVersion
  if (write.did === 'remove') {
    if (object === undefined || object.metadata.uid !== write.uid) return true
    return (
      version !== undefined &&
      object.metadata.deletionTimestamp !== undefined &&
      includes(object.metadata.resourceVersion, version)
    )
  }
  if (version === undefined) return true
  if (object !== undefined && includes(object.metadata.resourceVersion, version)) return true
  // Gone since, or not selected by our watch.
  return object === undefined && includes(sight.resourceVersion, version)
}

export type OwnWritesOptions = {
  readonly clock: Clock
  /** After this time a key is freed even though a write of it was not seen. */
  readonly deadlineMs: number
  look(resource: Resource, object: string): Sight
  /** The key has no unseen writes any more. `late`: those that were given up. */
  onFree(key: string, late: readonly OwnWrite[]): void
}

/**
 * Which keys have written what the snapshot has not shown yet: planning them again would plan from the past.
 * Invariant: a write is under its key and under its object, or under neither.
 */
export class OwnWrites {
  #byKey = new Map<string, { readonly writes: Set<OwnWrite>; readonly cancel: () => void }>()
  #byObject = new Map<string, Map<OwnWrite, string>>()
  #options: OwnWritesOptions

  constructor(options: OwnWritesOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byKey.size
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Remembers a write of a key, unless it was seen before its answer came. */
  add(key: string, write: OwnWrite): void {
    if (isSeen(write, this.#options.look(write.resource, write.object))) return
    const id = idOf(write.resource, write.object)
    const under = this.#byObject.get(id)
    if (under === undefined) this.#byObject.set(id, new Map([[write, key]]))
    else under.set(write, key)
    const entry = this.#byKey.get(key)
    if (entry !== undefined) {
      entry.writes.add(write)
      return
    }
    const cancel = this.#options.clock.after(this.#options.deadlineMs, () => this.#giveUp(key))
    this.#byKey.set(key, { writes: new Set([write]), cancel })
  }

  /** To be called when a version of the object arrived. */
  touched(resource: Resource, object: string): void {
    const under = this.#byObject.get(idOf(resource, object))
    if (under === undefined) return
    const sight = this.#options.look(resource, object)
    for (const [write, key] of under) if (isSeen(write, sight)) this.#seen(write, key)
  }

  /** To be called when a list or bookmark moved the version of the whole resource. */
  reached(resource: Resource): void {
    const prefix = idOf(resource, '')
    for (const id of this.#byObject.keys()) if (id.startsWith(prefix)) this.touched(resource, id.slice(prefix.length))
  }

  close(): void {
    for (const { cancel } of this.#byKey.values()) cancel()
    this.#byKey.clear()
    this.#byObject.clear()
  }

  #seen(write: OwnWrite, key: string): void {
    this.#forget(write)
    const entry = this.#byKey.get(key)
    entry?.writes.delete(write)
    if (entry === undefined || entry.writes.size > 0) return
    entry.cancel()
    this.#byKey.delete(key)
    this.#options.onFree(key, [])
  }

  #giveUp(key: string): void {
    const late = [...(this.#byKey.get(key)?.writes ?? [])]
    for (const write of late) this.#forget(write)
    this.#byKey.delete(key)
    this.#options.onFree(key, late)
  }

  #forget(write: OwnWrite): void {
    const id = idOf(write.resource, write.object)
    const under = this.#byObject.get(id)
    under?.delete(write)
    if (under?.size === 0) this.#byObject.delete(id)
  }
}

const idOf = (resource: Resource, object: string): string => `${resourceId(resource)} ${object}`
