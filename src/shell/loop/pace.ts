import type { Problem } from '../../core/problem.ts'
import type { Clock } from '../clock.ts'
import { type RetryLimits, retryAfterMs } from '../kube/backoff.ts'

// decisions.md 20: counters that move are written at most so often.
const statusEveryMs = 10_000
// For problems that trying again may help against (Problem.retry), where the plan itself names no time.
const problemLimits: RetryLimits = { firstMs: 10_000, mostMs: 300_000 }
// A key that writes more often in a minute is fighting with somebody who undoes it: more slowly, but it goes on.
const writesAMinute = 100
const fightPauseMs = 5_000

type Pace = {
  statusMs: number | undefined
  problemPasses: number
  told: ReadonlySet<string>
  writes: { readonly sinceMs: number; readonly count: number } | undefined
}

/**
 * What a controller remembers of its keys between passes. Only about pace: forgetting it costs a write or a line in the log.
 * Times are of the monotonic clock.
 */
export class Paces {
  #paces = new Map<string, Pace>()
  #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until a status that is not urgent may be written. */
  statusDueInMs(key: string): number {
    const statusMs = this.#paces.get(key)?.statusMs
    return statusMs === undefined ? 0 : Math.max(0, statusMs + statusEveryMs - this.#clock.monotonicMs())
  }

  wroteStatus(key: string): void {
    this.#of(key).statusMs = this.#clock.monotonicMs()
  }

  /** Counts a pass that wrote. Returns for how long the key should rest: 0, unless it fights with somebody. */
  wrote(key: string): number {
    const pace = this.#of(key)
    const nowMs = this.#clock.monotonicMs()
    const { sinceMs, count } = pace.writes ?? { sinceMs: nowMs, count: 0 }
    pace.writes = nowMs - sinceMs > 60_000 ? { sinceMs: nowMs, count: 1 } : { sinceMs, count: count + 1 }
    return pace.writes.count > writesAMinute ? fightPauseMs : 0
  }

  /** When to look again because of problems that may pass; undefined if there are none. `chance` is from [0, 1). */
  lookAgainInMs(key: string, problems: readonly Problem[], chance: number): number | undefined {
    if (!problems.some(problem => problem.retry === 'backoff')) {
      const pace = this.#paces.get(key)
      if (pace !== undefined) pace.problemPasses = 0
      return undefined
    }
    const pace = this.#of(key)
    pace.problemPasses += 1
    return retryAfterMs(pace.problemPasses - 1, chance, problemLimits)
  }

  /** The problems that were not there on the last pass: each is told when it begins. */
  begun(key: string, problems: readonly Problem[]): readonly Problem[] {
    const before = this.#paces.get(key)?.told
    if (problems.length === 0 && (before === undefined || before.size === 0)) return problems
    const texts = problems.map(({ code, message }) => `${code} ${message}`)
    this.#of(key).told = new Set(texts)
    return problems.filter((_, index) => before?.has(texts[index] ?? '') !== true)
  }

  /** Forgets the key if there is nothing to remember. */
  sweep(key: string): void {
    const pace = this.#paces.get(key)
    if (pace === undefined || pace.told.size > 0) return
    const nowMs = this.#clock.monotonicMs()
    const isOld = (ms: number | undefined, afterMs: number) => ms === undefined || nowMs - ms >= afterMs
    if (isOld(pace.statusMs, statusEveryMs) && isOld(pace.writes?.sinceMs, 60_000)) this.#paces.delete(key)
  }

  #of(key: string): Pace {
    const known = this.#paces.get(key)
    if (known !== undefined) return known
    const pace: Pace = { statusMs: undefined, problemPasses: 0, told: new Set(), writes: undefined }
    this.#paces.set(key, pace)
    return pace
  }
}
