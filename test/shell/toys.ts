// A small kind and its controller, to see the loop at work: a Toy wants a part (a ConfigMap with a finalizer) for each name in
// spec.parts; parts no longer wanted are removed, and let go when they are being deleted; the status counts the right ones.
import type { Controller, Index, Look, Watch } from '../../src/core/controller.ts'
import { controllerOf, type KubeObject, keyOf, type Labels, parseKey, type Resource } from '../../src/core/object.ts'
import { emptyPlan, type Plan, type Removal } from '../../src/core/plan.ts'

export const toys: Resource = { apiVersion: 'toys.example/v1', kind: 'Toy', plural: 'toys', namespaced: true }
export const configMaps: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }

type ToyStatus = { readonly parts: number; readonly ready: boolean }
export type Toy = KubeObject & {
  readonly spec: { readonly parts?: readonly string[]; readonly colour?: string; readonly size?: number }
  readonly status?: ToyStatus
}
type Part = KubeObject & { readonly data?: Labels }

const hold = 'toys.example/hold'

export const partsOf: Index = {
  name: 'toy',
  resource: configMaps,
  values: part => [`${part.metadata.namespace}/${part.metadata.labels?.['toy']}`],
}

export const toyWatches: readonly Watch[] = [
  { resource: toys },
  { resource: configMaps, labelSelector: 'toy', indexes: [partsOf] },
]

export function toy(name: string, spec: Toy['spec']): Toy {
  return { apiVersion: toys.apiVersion, kind: toys.kind, metadata: { name, namespace: 'default' }, spec }
}

function partOf(owner: Toy, name: string): Part {
  const { name: toyName, namespace = '', uid = '' } = owner.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${toyName}-${name}`,
      namespace,
      labels: { toy: toyName },
      finalizers: [hold],
      ownerReferences: [{ apiVersion: toys.apiVersion, kind: toys.kind, name: toyName, uid, controller: true }],
    },
    data: owner.spec.colour === undefined ? {} : { colour: owner.spec.colour },
  }
}

const removal = (object: KubeObject, because: string, finalizer?: string): Removal => {
  const { name, namespace = '', uid = '', resourceVersion = '' } = object.metadata
  const ref = { apiVersion: object.apiVersion, kind: object.kind, namespace, name }
  return { object: ref, uid, resourceVersion, because, ...(finalizer === undefined ? {} : { finalizer }) }
}

function planToy(look: Look, key: string): Plan {
  const owner = look.get(toys, key) as Toy | undefined
  const seen = look.by(partsOf, key) as readonly Part[]
  const wanted = owner === undefined ? [] : (owner.spec.parts ?? []).map(name => partOf(owner, name))
  const names = new Set(wanted.map(part => part.metadata.name))
  const dying = seen.filter(part => part.metadata.deletionTimestamp !== undefined)
  const apply = wanted.filter(part => !dying.some(other => keyOf(other) === keyOf(part)))
  const remove = [
    ...dying
      .filter(part => part.metadata.finalizers?.includes(hold) === true)
      .map(part => removal(part, 'it is being deleted', hold)),
    ...seen.filter(part => !dying.includes(part) && !names.has(part.metadata.name)).map(part => removal(part, 'nobody wants it')),
  ]
  if (owner === undefined) return { ...emptyPlan, remove }
  const right = seen.filter(
    part => !dying.includes(part) && names.has(part.metadata.name) && part.data?.['colour'] === owner.spec.colour,
  )
  const status: ToyStatus = { parts: right.length, ready: right.length === wanted.length && seen.length === wanted.length }
  const { name, namespace = '', uid = '' } = owner.metadata
  const turnsReady = status.ready && owner.status?.ready !== true
  return {
    ...emptyPlan,
    apply,
    remove,
    status: {
      object: { apiVersion: owner.apiVersion, kind: owner.kind, metadata: { name, namespace, uid }, status },
      urgent: status.ready !== owner.status?.ready,
    },
    events: turnsReady
      ? [
          {
            about: { apiVersion: owner.apiVersion, kind: owner.kind, namespace, name, uid },
            type: 'Normal',
            reason: 'Ready',
            message: `${key} is ready`,
          },
        ]
      : [],
  }
}

export const toyController: Controller = {
  name: 'Toy',
  resource: toys,
  wakes: [
    { resource: toys, keys: object => [keyOf(object)] },
    {
      resource: configMaps,
      keys: part => {
        const owner = controllerOf(part)
        return owner === undefined ? [] : [`${part.metadata.namespace}/${owner.name}`]
      },
    },
  ],
  plan: (look, key) => planToy(look, key),
}

/** What is there, without what differs from run to run. */
export function story(objects: readonly KubeObject[]): unknown {
  return objects
    .map(object => {
      const { name, labels, finalizers, deletionTimestamp } = object.metadata
      const { spec, status, data } = object as { spec?: unknown; status?: unknown; data?: unknown }
      return {
        key: keyOf(object),
        name: parseKey(name).name,
        labels,
        finalizers,
        dying: deletionTimestamp !== undefined,
        spec,
        status,
        data,
      }
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}
