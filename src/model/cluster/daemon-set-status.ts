// The numbers in a DaemonSet's status: each node's share is kept, the status is their sum.
export type Share = { desired: number; current: number; misscheduled: number; ready: number; available: number; updated: number }

export const noShare: Readonly<Share> = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }

/** The share of a node with one pod: there are eight of them, for any number of nodes. */
export function shareOfPod(isReady: boolean, isAvailable: boolean, isUpdated: boolean): Share {
  const share = podShares[(isReady ? 1 : 0) + (isAvailable ? 2 : 0) + (isUpdated ? 4 : 0)]
  if (share === undefined) throw new Error('there is a share for each of three bits')
  return share
}
const podShares: readonly Share[] = Array.from({ length: 8 }, (_, bits) => ({
  desired: 1,
  current: 1,
  misscheduled: 0,
  ready: bits & 1,
  available: (bits >> 1) & 1,
  updated: (bits >> 2) & 1,
}))

/** As the API server stores it: counters with `omitempty` are absent when 0. */
export function statusOf(sum: Readonly<Share>, observedGeneration: number | undefined): object {
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
