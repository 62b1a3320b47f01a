import { createHash } from 'node:crypto'
import { type KubeObject, keyOf, type Resource } from '../../core/object.ts'
import type { Part } from '../kube/compare.ts'
import { resourceId } from '../kube/paths.ts'

// About memory only: what is forgotten is applied once more, in vain.
const most = 10_000

/**
 * Applies that the server answered with the object as it was, although a difference was seen: a field that it prunes, or a
 * snapshot that does not hold what is stated. Sent once, not on every pass; until the object or what we state changes.
 */
export class KeptWrites {
  #kept = new Map<string, string>()

  has(resource: Resource, stated: KubeObject, part: Part, seen: KubeObject | undefined): boolean {
    const before = this.#kept.get(idOf(resource, stated, part))
    return before !== undefined && before === digest(stated, seen)
  }

  add(resource: Resource, stated: KubeObject, part: Part, seen: KubeObject | undefined): void {
    if (this.#kept.size >= most) this.#kept.clear()
    this.#kept.set(idOf(resource, stated, part), digest(stated, seen))
  }
}

const idOf = (resource: Resource, object: KubeObject, part: Part): string => `${resourceId(resource)} ${keyOf(object)} ${part}`

const digest = (stated: KubeObject, seen: KubeObject | undefined): string =>
  createHash('sha256')
    .update(`${seen?.metadata.uid} ${seen?.metadata.resourceVersion} ${JSON.stringify(stated)}`)
    .digest('base64')
