// All waiting in the shell and in the model goes through a Clock, so that a simulation can turn time by hand.

export type Clock = {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number
  /** Never jumps; only differences mean something. */
  monotonicMs(): number
  /** Calls back once after `delayMs`; the returned function cancels. Never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): () => void
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when stopped. */
export function sleep(clock: Clock, delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (stop.aborted) return resolve()
    const done = () => {
      cancel()
      stop.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    stop.addEventListener('abort', done, { once: true })
  })
}
