// What every part of the server needs: the store, the kinds served now, the time.
import type { KubeObject, Resource } from '../../core/object.ts'
import type { Clock } from '../../shell/clock.ts'
import { resourcesOf } from './crd.ts'
import { Store, tableName } from './store.ts'
import type { ApiResource, ApiServerOptions } from './types.ts'

export type Server = {
  readonly store: Store
  readonly clock: Clock
  readonly options: ApiServerOptions
  /** Undefined when the kind is not served. */
  find(apiVersion: string, plural: string): ApiResource | undefined
  served(): readonly ApiResource[]
  /** Warnings for the answer to the request at hand. */
  readonly warnings: string[]
  /** Seconds, as metadata writes times. */
  now(): string
}

/** RFC 3339 with seconds. */
export const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

const kindKey = (resource: Pick<Resource, 'apiVersion' | 'plural'>) => `${resource.apiVersion}/${resource.plural}`

/** Whether two kinds are versions of one resource. */
export const isSameTable = (a: Resource, b: Resource) => tableName(a) === tableName(b)

/** The server without its protocol. Kinds of CustomResourceDefinitions come and go with these. */
export function createServer(options: ApiServerOptions, resources: readonly ApiResource[]): Server {
  const store = new Store({ history: options.history ?? 1000, seed: options.seed ?? 'model', reads: options.reads ?? 'frozen' })
  const kinds = new Map(resources.map(resource => [kindKey(resource), resource]))
  for (const resource of resources) store.serve(resource)
  const withdraw = (crd: KubeObject, keep: readonly ApiResource[]) => {
    for (const resource of resourcesOf(crd)) {
      if (!keep.some(other => kindKey(other) === kindKey(resource))) kinds.delete(kindKey(resource))
      if (!keep.some(other => isSameTable(other, resource))) store.close(resource)
    }
  }
  store.subscribe(change => {
    if (change.resource.kind !== 'CustomResourceDefinition') return
    const now = change.type === 'DELETED' ? [] : resourcesOf(change.object)
    if (change.old !== undefined) withdraw(change.old, now)
    for (const resource of now) {
      kinds.set(kindKey(resource), resource)
      store.serve(resource)
    }
  })
  return {
    store,
    clock: options.clock,
    options,
    find: (apiVersion, plural) => kinds.get(`${apiVersion}/${plural}`),
    served: () => [...kinds.values()],
    warnings: [],
    now: () => timeOf(options.clock.nowMs()),
  }
}

/** The object as a client of this version sees it. Versions differ in their name only (conversion `None`). */
export const viewOf = (resource: Resource, object: KubeObject): KubeObject =>
  object.apiVersion === resource.apiVersion ? object : { ...object, apiVersion: resource.apiVersion }
