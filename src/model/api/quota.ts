// What a ResourceQuota refuses. Source: k8s.io/apiserver, pkg/admission/plugin/resourcequota (CheckRequest); words as a real server says them
// (test/contract/quota-cases.ts). Of what a quota can limit, pods are counted here, not what they request.
import { type KubeObject, keyOf, type Resource } from '../../core/object.ts'
import { forbidden } from './errors.ts'
import { canonicalQuantity, countOf } from './quantity.ts'
import type { Server } from './server.ts'
import type { ApiResource, Json } from './types.ts'
import { updateObject } from './update.ts'

export const quotaKind: Resource = { apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true }

type Amounts = Readonly<Record<string, string>>
export type QuotaObject = KubeObject & {
  readonly spec?: { readonly hard?: Amounts }
  readonly status?: { readonly hard?: Amounts; readonly used?: Amounts }
}
type PodObject = KubeObject & { readonly status?: { readonly phase?: string } }

/** `pods`: those that have not ended; `count/pods`: all that are there. Quota names that count something else are not in it. */
const counts: Readonly<Record<string, (pod: PodObject, nowMs: number) => boolean>> = {
  pods: isCharged,
  'count/pods': () => true,
}

/** A pod that should be gone by now is not charged either (QuotaV1Pod). */
function isCharged({ metadata, status }: PodObject, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return nowMs <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** What these pods use of what the quota limits. */
export function usedOf({ spec }: QuotaObject, pods: readonly KubeObject[], nowMs: number): Amounts {
  const names = Object.keys(spec?.hard ?? {}).filter(name => counts[name] !== undefined)
  return Object.fromEntries(names.map(name => [name, amountOf(pods.filter(pod => counts[name]?.(pod, nowMs)).length)]))
}

const amountOf = (count: number): string => String(canonicalQuantity(count))
const printed = (names: readonly string[], amounts: (name: string) => string) =>
  names.map(name => `${name}=${amounts(name)}`).join(',')

/**
 * Throws 403 for a new pod that a quota of its namespace has no room for. What a quota has not counted yet (its status is the
 * quota controller's) it does not limit. The returned function charges the pod, once it is sure to be stored.
 */
export function checkQuota(server: Server, resource: ApiResource, object: KubeObject): () => void {
  const { namespace, name } = object.metadata
  const quotas = server.find(quotaKind.apiVersion, quotaKind.plural)
  if (resource.kind !== 'Pod' || namespace === undefined || quotas === undefined) return () => {}
  const nowMs = server.clock.nowMs()
  const charges: (() => void)[] = []
  for (const quota of server.store.objects(quotas, namespace).values() as Iterable<QuotaObject>) {
    const { hard = {}, used = {} } = quota.status ?? {}
    const names = Object.keys(hard)
      .filter(counted => counts[counted]?.(object, nowMs) === true)
      .sort()
    if (names.length === 0) continue
    const refuse = (why: string) => forbidden(resource, name, why)
    if (names.some(counted => used[counted] === undefined))
      throw refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${names.join(',')}`)
    const exceeded = names.filter(counted => countOf(used[counted] ?? '') + 1 > countOf(hard[counted] ?? ''))
    if (exceeded.length > 0) {
      const amounts = `requested: ${printed(exceeded, () => '1')}, used: ${printed(exceeded, one => used[one] ?? '')}, limited: ${printed(exceeded, one => hard[one] ?? '')}`
      throw refuse(`exceeded quota: ${quota.metadata.name}, ${amounts}`)
    }
    const next = Object.fromEntries(names.map(counted => [counted, amountOf(countOf(used[counted] ?? '') + 1)]))
    charges.push(() => charge(server, quotas, quota, { ...used, ...next }))
  }
  return () => {
    for (const one of charges) one()
  }
}

function charge(server: Server, resource: ApiResource, live: QuotaObject, used: Json): void {
  const next = { ...live, status: { ...live.status, used } } as KubeObject
  const actor = { manager: 'kube-apiserver', is: 'component', dryRun: false } as const
  updateObject(server, { resource, key: keyOf(live), live, next, endpoint: 'status', actor, by: 'patch' })
}
