// The Lease that the replicas of an operator take turns to hold. Source: coordination/v1 API reference; client-go leaderelection, whose
// fields and words we keep, so that an older operator and this one exclude each other during an upgrade.
import type { KubeObject, Resource } from '../../core/object.ts'

export type LeaseSpec = {
  /** Absent or empty: nobody holds it. */
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  /** RFC 3339 with microseconds, by the holder's wall clock: for people. Nobody judges by it. */
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}
export type Lease = KubeObject & { readonly spec?: LeaseSpec }

export const leases: Resource = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true }

/** `MicroTime` of apimachinery: six digits after the point, always. */
export const microTimeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`

export const holderOf = (lease: Lease | undefined): string => lease?.spec?.holderIdentity ?? ''

/** A Lease as one process saw it, and since when (monotonic clock) it has been this very version. */
export type Sight = { readonly lease: Lease; readonly sinceMs: number }

const versionOf = ({ metadata }: Lease) => `${metadata.uid ?? ''} ${metadata.resourceVersion ?? ''}`

/** What is known after the Lease was read at `nowMs`: the same version is as old as it was, another one begins now. */
export const seenAt = (before: Sight | undefined, lease: Lease, nowMs: number): Sight =>
  before !== undefined && versionOf(before.lease) === versionOf(lease)
    ? { lease, sinceMs: before.sinceMs }
    : { lease, sinceMs: nowMs }

/**
 * Whether its holder may still lead: it was seen to change less than its own duration ago. The time written in it is not asked, because
 * the clocks of two machines differ; so a Lease seen for the first time is waited for in full, however old it says it is.
 */
export function isHeld({ lease, sinceMs }: Sight, fallbackMs: number, nowMs: number): boolean {
  const seconds = lease.spec?.leaseDurationSeconds
  return holderOf(lease) !== '' && nowMs - sinceMs < (seconds === undefined ? fallbackMs : seconds * 1000)
}

export type Claim = { readonly identity: string; readonly durationMs: number; readonly nowMs: number }

/** The Lease held by `identity`. Whatever else stands in it is kept; a change of the holder counts as a transition. */
export function claimed(lease: Lease, { identity, durationMs, nowMs }: Claim): Lease {
  const now = microTimeOf(nowMs)
  const isChange = holderOf(lease) !== identity
  const transitions = lease.spec?.leaseTransitions ?? 0
  const spec: LeaseSpec = {
    ...lease.spec,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: isChange ? now : (lease.spec?.acquireTime ?? now),
    renewTime: now,
    leaseTransitions: isChange ? transitions + 1 : transitions,
  }
  return { ...lease, spec }
}

/** The Lease with nobody holding it. Its duration of one second is what client-go writes: older operators read it. */
export function released(lease: Lease, nowMs: number): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTimeOf(nowMs) } }
}

/** The first Lease of this name. */
export function firstLease(namespace: string, name: string, claim: Claim): Lease {
  const { spec } = claimed({ apiVersion: leases.apiVersion, kind: leases.kind, metadata: { name, namespace } }, claim)
  return {
    apiVersion: leases.apiVersion,
    kind: leases.kind,
    metadata: { name, namespace },
    spec: { ...spec, leaseTransitions: 0 },
  }
}
