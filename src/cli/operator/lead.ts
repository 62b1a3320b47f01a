// When the controllers may run: at once, or while this process holds the Lease (behaviour.md 0.2, 14.2).
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { realClock, sleep } from '../../shell/clock.ts'
import type { Transport } from '../../shell/kube/transport.ts'
import { type Election, standForElection } from '../../shell/lease/election.ts'
import { bothHealthy } from '../../shell/lease/health.ts'
import type { Health } from '../../shell/loop/health.ts'
import type { Operator } from '../../shell/loop/operator.ts'
import type { Log } from '../../shell/observe.ts'

/** The part of leader election that is known before anything runs: the wiring needs it both ways. */
export type Lead = {
  /** Whether writes may be sent at this instant. */
  mayWrite(): boolean
  /** Of the election, and of the operator while it runs. */
  health(): Health
  /**
   * Launches an operator whenever this process may lead, and stops it when `stop` is raised or the lead is lost; after a loss it stands
   * for election again, since an API server that was away for a while is no reason to end. Resolves when nothing is sent any more;
   * `stuck` means that an operator whose lead was lost did not end: the process must.
   */
  run(launch: () => Operator, stop: AbortSignal): Promise<'stopped' | 'stuck'>
}

const notStarted: Health = { ready: false, alive: true, reasons: ['not started yet'] }

/** Everybody leads. */
export function withoutElection(): Lead {
  let operator: Operator | undefined
  return {
    mayWrite: () => true,
    health: () => operator?.health() ?? notStarted,
    run: async (launch, stop) => {
      if (stop.aborted) return 'stopped'
      operator = launch()
      operator.start()
      await raised(stop)
      await operator.stop()
      return 'stopped'
    },
  }
}

/** The lost lead is another's after 5 s: what has not ended by then is cut off with the process. */
const endMs = 4000

export function withElection(options: {
  readonly transport: Transport
  readonly log: Log
  readonly namespace: string
  readonly name: string
}): Lead {
  let election: Election | undefined
  let operator: Operator | undefined

  /** From candidate to leader and to the end of the lead. */
  async function term(launch: () => Operator, stop: AbortSignal, stopped: Promise<void>): Promise<'stopped' | 'lost' | 'stuck'> {
    const identity = `${hostname()}_${randomUUID()}`
    election = standForElection({ ...options, clock: realClock, chance: Math.random, identity })
    const begun = await Promise.race([election.decided, stopped.then(() => 'stopped' as const)])
    let isLost = false
    if (begun === 'leading') {
      operator = launch()
      operator.start()
      isLost = await Promise.race([election.lost.then(() => true), stopped.then(() => false)])
      const ended = operator.stop().then(() => true)
      if (isLost && !(await Promise.race([ended, sleep(realClock, endMs, new AbortController().signal).then(() => false)])))
        return 'stuck'
      await ended
      operator = undefined
    }
    await election.stop()
    return isLost && !stop.aborted ? 'lost' : 'stopped'
  }

  return {
    mayWrite: () => election?.isLeader() ?? false,
    health: () => {
      if (election === undefined) return notStarted
      const elected = election.health()
      return operator === undefined ? elected : bothHealthy(elected, operator.health())
    },
    run: async (launch, stop) => {
      const stopped = raised(stop)
      for (;;) {
        const end = await term(launch, stop, stopped)
        if (end !== 'lost') return end
      }
    },
  }
}

function raised(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
