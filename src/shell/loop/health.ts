// Is the operator alive, and does it see the cluster? decisions.md 30: a watch that is silent although the API server answers is
// our own fault, and a restart helps; an API server that does not answer only makes us unready.
import type { WatchState } from '../kube/list-watch.ts'

export type Health = {
  /** Every kind is known and recent. */
  readonly ready: boolean
  /** False: only a restart helps. */
  readonly alive: boolean
  /** One sentence for each thing that is wrong. */
  readonly reasons: readonly string[]
}

/** A watch that was heard within this time is recent: removals may rest on it. The server sends a bookmark every minute. */
export const recentMs = 120_000
const deadMs = 300_000
// One cut connection, or a server that is restarted behind a load balancer, is no outage yet.
const failuresOfOutage = 3

export type WatchedState = { readonly name: string; readonly state: WatchState }

/** Whether the watch is complete and was heard of lately. Times are of the monotonic clock. */
export const isRecent = (state: WatchState, nowMs: number): boolean =>
  state.synced && state.lastHeardMs !== undefined && nowMs - state.lastHeardMs <= recentMs

/**
 * Since when requests have succeeded without a long gap, by who made them (a watch, or anything else).
 * Invariant: `last` is never before `since`; a gap of more than 2 minutes begins anew, so that the end of a long outage
 * does not look as if a watch had been silent all the time although others were answered.
 */
export class Successes {
  #by = new Map<string, { sinceMs: number; lastMs: number }>()

  note(who: string, nowMs: number): void {
    const streak = this.#by.get(who)
    if (streak === undefined) this.#by.set(who, { sinceMs: nowMs, lastMs: nowMs })
    else {
      if (nowMs - streak.lastMs > recentMs) streak.sinceMs = nowMs
      streak.lastMs = nowMs
    }
  }

  /** Whether anybody but `who` has been answered all the time from 2 minutes ago until lately. */
  othersAnswered(who: string, nowMs: number): boolean {
    for (const [other, { sinceMs, lastMs }] of this.#by) {
      if (other !== who && nowMs - lastMs <= recentMs && nowMs - sinceMs >= recentMs) return true
    }
    return false
  }
}

/** Nothing came since the last of several failures. A row of failures alone says less: it ends only with the first event. */
const isOut = ({ failures, lastFailedMs, lastHeardMs }: WatchState): boolean =>
  failures >= failuresOfOutage && lastFailedMs !== undefined && lastFailedMs >= (lastHeardMs ?? 0)

/** Judges the watches. `startedMs` counts as the time at which all were last heard, if they never were. */
export function judgeHealth(watches: readonly WatchedState[], successes: Successes, startedMs: number, nowMs: number): Health {
  const reasons: string[] = []
  let alive = true
  for (const { name, state } of watches) {
    const silentMs = nowMs - (state.lastAnswerMs ?? startedMs)
    if (silentMs > deadMs && successes.othersAnswered(name, nowMs)) {
      alive = false
      reasons.push(
        `the watch of ${name} has been silent for ${Math.round(silentMs / 1000)} s although other requests were answered`,
      )
      continue
    }
    if (isOut(state)) reasons.push(`${name} cannot be watched: ${state.failures} attempts in a row have failed`)
    else if (!state.synced) reasons.push(`${name} are not listed yet`)
    else if (!isRecent(state, nowMs))
      reasons.push(`nothing heard of ${name} for ${Math.round((nowMs - (state.lastHeardMs ?? startedMs)) / 1000)} s`)
  }
  return { ready: reasons.length === 0, alive, reasons }
}
