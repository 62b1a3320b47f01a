// One process's tries to get, keep and give back the Lease, and what it has learned by them.
import type { Clock } from '../clock.ts'
import { claimed, firstLease, holderOf, isHeld, type Lease, released, type Sight, seenAt } from './lease.ts'
import type { LeaseRequests, Limit } from './requests.ts'

/** `theirs`: somebody else holds it; `changed`: somebody wrote at the same time, so look again. */
export type BidResult = 'ours' | 'theirs' | 'changed'

export type Bidder = {
  /** Rejects when the API server does not answer in time, or refuses. */
  bid(as: 'candidate' | 'leader', limit: () => Limit): Promise<BidResult>
  /** Gives back what is ours. `nothing` when the Lease is not. */
  release(limit: () => Limit): Promise<'released' | 'nothing'>
  holder(): string
  /** When the last claim that succeeded was sent (monotonic clock); minus infinity before the first. */
  claimSentMs(): number
  /** Whether the Lease may be ours without our knowing: a claim was sent, whatever became of its answer. */
  hasClaimed(): boolean
}

export function createBidder(options: {
  readonly requests: LeaseRequests
  readonly clock: Clock
  readonly namespace: string
  readonly name: string
  readonly identity: string
  readonly leaseMs: number
  /** Called when the holder is another one than before. */
  readonly sawHolder: (holder: string) => void
}): Bidder {
  const { requests, clock, namespace, name, identity, leaseMs } = options
  let seen: Sight | undefined
  let claimSentMs = Number.NEGATIVE_INFINITY
  let hasClaimed = false
  /** Since when the Lease, seen before, is missing. */
  let missingSinceMs: number | undefined

  const see = (lease: Lease) => {
    const before = holderOf(seen?.lease)
    missingSinceMs = undefined
    seen = seenAt(seen, lease, clock.monotonicMs())
    if (holderOf(lease) !== before) options.sawHolder(holderOf(lease))
  }
  const isHeldNow = () => seen !== undefined && isHeld(seen, leaseMs, clock.monotonicMs())

  /**
   * Somebody deleted the Lease under its holder, who may not know yet: its time counts from when we missed it. Who never saw one takes
   * it at once; that a Lease is deleted in the very seconds in which a replica starts is the one thing this cannot tell.
   */
  const isMissingTooShort = () => {
    if (seen === undefined || holderOf(seen.lease) === '' || holderOf(seen.lease) === identity) return false
    missingSinceMs ??= clock.monotonicMs()
    return clock.monotonicMs() - missingSinceMs < leaseMs
  }

  async function claim(lease: Lease | undefined, limit: Limit): Promise<BidResult> {
    const sentMs = clock.monotonicMs()
    const mine = { identity, durationMs: leaseMs, nowMs: clock.nowMs() }
    hasClaimed = true
    const written =
      lease === undefined
        ? await requests.create(firstLease(namespace, name, mine), limit)
        : await requests.replace(claimed(lease, mine), limit)
    if (written === undefined) return 'changed'
    claimSentMs = sentMs
    see(written)
    return 'ours'
  }

  async function bid(as: 'candidate' | 'leader', limit: () => Limit): Promise<BidResult> {
    // A leader writes without reading first: one request for each renewal.
    if (as === 'leader' && seen !== undefined && holderOf(seen.lease) === identity) {
      if ((await claim(seen.lease, limit())) === 'ours') return 'ours'
    }
    const lease = await requests.read(limit())
    if (lease === undefined) {
      if (as === 'candidate' && isMissingTooShort()) return 'theirs'
      if ((await claim(undefined, limit())) === 'ours') return 'ours'
      // Somebody else was faster: who that is counts from now.
      const made = await requests.read(limit())
      if (made !== undefined) see(made)
      return 'changed'
    }
    see(lease)
    const isOthers = holderOf(lease) !== identity && holderOf(lease) !== ''
    if (isOthers && (as === 'leader' || isHeldNow())) return 'theirs'
    return claim(lease, limit())
  }

  async function release(limit: () => Limit): Promise<'released' | 'nothing'> {
    // Twice: a renewal that was cut off may be carried out between the reading and the writing.
    for (let tries = 0; tries < 2; tries++) {
      const lease = await requests.read(limit())
      if (lease === undefined || holderOf(lease) !== identity) return 'nothing'
      if ((await requests.replace(released(lease, clock.nowMs()), limit())) !== undefined) return 'released'
    }
    return 'nothing'
  }

  return {
    bid,
    release,
    holder: () => holderOf(seen?.lease),
    claimSentMs: () => claimSentMs,
    hasClaimed: () => hasClaimed,
  }
}
