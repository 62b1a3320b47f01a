// The numbers in a DaemonSet's status: each node's share is kept, the status is their sum.
export type Share = { desired: number; current: number; misscheduled: number; ready: number; available: number; updated: number }

export const noShare: Share = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }

export function sumOf(shares: ReadonlyMap<string, Share>): Share {
  const sum = { ...noShare }
  for (const share of shares.values()) {
    sum.desired += share.desired
    sum.current += share.current
    sum.misscheduled += share.misscheduled
    sum.ready += share.ready
    sum.available += share.available
    sum.updated += share.updated
  }
  return sum
}

/** As the API server stores it: counters with `omitempty` are absent when 0. */
export function statusOf(sum: Share, observedGeneration: number | undefined): object {
  const unavailable = sum.desired - sum.available
  return {
    currentNumberScheduled: sum.current,
    numberMisscheduled: sum.misscheduled,
    desiredNumberScheduled: sum.desired,
    numberReady: sum.ready,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(sum.updated === 0 ? {} : { updatedNumberScheduled: sum.updated }),
    ...(sum.available === 0 ? {} : { numberAvailable: sum.available }),
    ...(unavailable === 0 ? {} : { numberUnavailable: unavailable }),
  }
}
