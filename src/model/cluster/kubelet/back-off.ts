// Back-off as of client-go, util/flowcontrol; the kubelet's: 10 s after the first failure, doubling to 5 minutes, forgotten after 10
// minutes without one.

export type BackOff = {
  /** How long to wait still, for something that failed at this time; 0: go on. */
  waitMs(key: string, failedAtMs: number, nowMs: number): number
  /** The whole of the current step, for messages. */
  stepMs(key: string): number
  /** Called when something is started that may fail: the next failure waits longer. */
  next(key: string, failedAtMs: number, nowMs: number): void
  clear(): void
}

const kubeletSteps = { initialMs: 10_000, maximumMs: 300_000 }

export function createBackOff({ initialMs, maximumMs } = kubeletSteps): BackOff {
  const entries = new Map<string, { stepMs: number; updatedAtMs: number }>()
  const current = (key: string, failedAtMs: number) => {
    const entry = entries.get(key)
    return entry === undefined || failedAtMs - entry.updatedAtMs > 2 * maximumMs ? undefined : entry
  }
  return {
    waitMs(key, failedAtMs, nowMs) {
      const entry = current(key, failedAtMs)
      return entry === undefined ? 0 : Math.max(0, failedAtMs + entry.stepMs - nowMs)
    },
    stepMs: key => entries.get(key)?.stepMs ?? 0,
    next(key, failedAtMs, nowMs) {
      const entry = current(key, failedAtMs)
      entries.set(key, { stepMs: entry === undefined ? initialMs : Math.min(maximumMs, entry.stepMs * 2), updatedAtMs: nowMs })
    },
    clear: () => entries.clear(),
  }
}

/** As Go prints a duration of whole seconds: `10s`, `1m20s`, `5m0s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
