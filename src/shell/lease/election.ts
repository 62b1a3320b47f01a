// Leader election: of several processes at most one leads. Lease 15 s, renew deadline 10 s, retry 2 s, as controller-runtime has it.
//
// Why two can never lead at once, whatever their wall clocks say: a leader counts the 10 s from BEFORE it sent its last successful
// renewal; the others count the 15 s from AFTER they saw it. Both count on their own monotonic clock, which only has to run at about
// the same speed (within a third). Each write states the resourceVersion that was read, so that of two claims only one succeeds.
import { type Clock, sleep } from '../clock.ts'
import type { Transport } from '../kube/transport.ts'
import type { Health } from '../loop/health.ts'
import type { Log } from '../observe.ts'
import { type BidResult, createBidder } from './bid.ts'
import { electionHealth, type Phase } from './health.ts'
import { electionTrouble, type Limit, leaseRequests } from './requests.ts'

export type ElectionOptions = {
  readonly transport: Transport
  readonly clock: Clock
  /** From [0, 1). */
  readonly chance: () => number
  readonly log: Log
  readonly namespace: string
  readonly name: string
  /** Of this process and of no other, ever: for example `hostname_uuid`. */
  readonly identity: string
}

export type Election = {
  /** Resolves once: this process leads, or was stopped before it did. */
  readonly decided: Promise<'leading' | 'stopped'>
  /** Resolves to a sentence when the lead was lost: what this process did as a leader must end, because another does it too. Never after `stop`. */
  readonly lost: Promise<string>
  /** Whether this process may act at this very instant, by the monotonic clock; right also when the process was paused. */
  isLeader(): boolean
  health(): Health
  /** Stops standing. A leader gives the Lease back, so that the next one leads at once: call it when nothing is written any more. */
  stop(): Promise<void>
}

/** Others take a Lease that did not change for this long. */
const leaseMs = 15_000
/** A leader that could not renew for this long stops leading. */
const renewDeadlineMs = 10_000
const retryMs = 2000
/** A leader whose renewal failed tries again this soon, because its deadline is near. */
const hurryMs = 500
const requestMs = 5000
/** The kubelet gives a pod of ours 10 s to end. */
const releaseMs = 3000

/** Stands for election at once. Never rejects: an API server that does not answer is logged and asked again. */
export function standForElection(options: ElectionOptions): Election {
  const { clock, chance, log, identity, namespace, name } = options
  const key = `${namespace}/${name}`
  const decided = Promise.withResolvers<'leading' | 'stopped'>()
  const lost = Promise.withResolvers<string>()
  const stopping = new AbortController()
  const begunMs = clock.monotonicMs()
  let phase: Phase = 'standing'
  let trouble = ''
  let answeredMs = Number.NEGATIVE_INFINITY

  const requests = leaseRequests(options.transport, clock, namespace, name)
  const bidder = createBidder({
    requests,
    clock,
    namespace,
    name,
    identity,
    leaseMs,
    sawHolder: holder => {
      if (holder !== '' && holder !== identity) log('info', 'new leader elected', { identity: holder })
    },
  })

  /** Time left to lead; negative when it has run out. */
  const leftMs = () => bidder.claimSentMs() + renewDeadlineMs - clock.monotonicMs()
  const limit = (): Limit => ({
    deadlineMs: Math.max(1, Math.min(requestMs, phase === 'leading' ? leftMs() : requestMs)),
    stop: stopping.signal,
  })
  const pause = (ms: number) => sleep(clock, ms, stopping.signal)

  async function tryBid(as: 'candidate' | 'leader'): Promise<BidResult | 'failed'> {
    try {
      const result = await bidder.bid(as, limit)
      answeredMs = clock.monotonicMs()
      trouble = ''
      return result
    } catch (error) {
      const text = electionTrouble(error, namespace)
      // The same again and again is told once.
      if (!stopping.signal.aborted && text !== trouble)
        log('warn', `cannot ${as === 'leader' ? 'renew' : 'acquire'} lease ${key}: ${text}`, {})
      trouble = text
      return 'failed'
    }
  }

  async function becomeLeader(): Promise<void> {
    log('info', `attempting to acquire leader lease ${key}...`, { identity })
    while (!stopping.signal.aborted) {
      // A claim whose answer came late (the process was paused) is no claim any more.
      if ((await tryBid('candidate')) === 'ours' && leftMs() > 0) return
      // Chance keeps several replicas from asking at the same instant for ever.
      await pause(retryMs * (1 + 0.2 * chance()))
    }
  }

  /** Renews until it is stopped or cannot; resolves to why. */
  async function renew(): Promise<string> {
    let last: BidResult | 'failed' = 'ours'
    while (!stopping.signal.aborted && leftMs() > 0) {
      const nextMs = last === 'ours' ? bidder.claimSentMs() + retryMs - clock.monotonicMs() : hurryMs
      await pause(Math.max(0, Math.min(nextMs, leftMs())))
      if (stopping.signal.aborted || leftMs() <= 0) break
      last = await tryBid('leader')
      if (last === 'theirs') return `${bidder.holder()} holds lease ${key} now`
    }
    return `lease ${key} could not be renewed for ${renewDeadlineMs / 1000} s`
  }

  async function stand(): Promise<void> {
    await becomeLeader()
    if (stopping.signal.aborted) return
    phase = 'leading'
    log('info', `successfully acquired lease ${key}`, { identity })
    decided.resolve('leading')
    const why = await renew()
    if (stopping.signal.aborted) return
    phase = 'lost'
    log('error', `leader election lost: ${why}`, { identity })
    lost.resolve(why)
  }
  const standing = stand()

  async function release(): Promise<void> {
    const { signal } = new AbortController()
    try {
      const result = await bidder.release(() => ({ deadlineMs: releaseMs, stop: signal }))
      if (result === 'released') log('info', `released lease ${key}`, { identity })
    } catch (error) {
      log(
        'warn',
        `cannot release lease ${key}, so the next leader waits until it runs out: ${electionTrouble(error, namespace)}`,
        {},
      )
    }
  }

  return {
    decided: decided.promise,
    lost: lost.promise,
    isLeader: () => phase === 'leading' && leftMs() > 0,
    health: () =>
      electionHealth({ phase, key, leaseMs, begunMs, answeredMs, claimSentMs: bidder.claimSentMs() }, clock.monotonicMs()),
    stop: async () => {
      const was = phase
      phase = 'stopped'
      stopping.abort(new Error('the election was stopped'))
      await standing
      decided.resolve('stopped')
      if (bidder.hasClaimed() && was !== 'stopped') await release()
    },
  }
}
