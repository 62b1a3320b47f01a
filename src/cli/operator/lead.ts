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
  /** Of the election, and of the operator once it runs. */
  health(operator: () => Health): Health
  /**
   * Starts the operator when this process may lead, and stops it when `stop` is raised or the lead is lost. Resolves when nothing is
   * sent any more; `lost` means that the process must end with an error.
   */
  run(operator: Operator, starting: () => void, stop: AbortSignal): Promise<'stopped' | 'lost'>
}

/** Everybody leads. */
export const withoutElection: Lead = {
  mayWrite: () => true,
  health: operator => operator(),
  run: async (operator, starting, stop) => {
    if (stop.aborted) return 'stopped'
    starting()
    operator.start()
    await raised(stop)
    await operator.stop()
    return 'stopped'
  },
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
  let isRunning = false
  return {
    mayWrite: () => election?.isLeader() ?? false,
    health: operator => {
      if (election === undefined) return { ready: false, alive: true, reasons: ['not started yet'] }
      const elected = election.health()
      return isRunning ? bothHealthy(elected, operator()) : elected
    },
    run: async (operator, starting, stop) => {
      election = standForElection({
        ...options,
        clock: realClock,
        chance: Math.random,
        identity: `${hostname()}_${randomUUID()}`,
      })
      const stopped = raised(stop)
      const begun = await Promise.race([election.decided, stopped.then(() => 'stopped' as const)])
      if (begun === 'leading') {
        isRunning = true
        starting()
        operator.start()
        const isLost = await Promise.race([election.lost.then(() => true), stopped.then(() => false)])
        await (isLost ? Promise.race([operator.stop(), sleep(realClock, endMs, new AbortController().signal)]) : operator.stop())
        if (isLost) return 'lost'
      }
      await election.stop()
      return 'stopped'
    },
  }
}

function raised(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
