// How the leader kept its Lease, counted in the API server's audit log.
import type { AuditEntry } from '../../test/control-plane/audit.ts'

export type LeaseKept = {
  readonly renewals: number
  /** Between two renewals of one process that succeeded. A leader has 10 s for the next one; after 15 s another would take the Lease. */
  readonly longestSeconds: number
}

/** @param startsMs when each process of the operator was started (milliseconds since the epoch, ascending): between two of them nobody renews. */
export function leaseKept(entries: readonly AuditEntry[], startsMs: readonly number[]): LeaseKept {
  const timesMs = entries
    .filter(({ resource, verb, code }) => resource === 'leases' && (verb === 'update' || verb === 'create') && code < 300)
    .map(({ timeMs }) => timeMs)
    .toSorted((a, b) => a - b)
  const gapsMs = timesMs.slice(1).map((timeMs, index) => {
    const beforeMs = timesMs[index] ?? timeMs
    return startsMs.some(startMs => startMs > beforeMs && startMs <= timeMs) ? 0 : timeMs - beforeMs
  })
  return { renewals: timesMs.length, longestSeconds: Math.max(0, ...gapsMs) / 1000 }
}
