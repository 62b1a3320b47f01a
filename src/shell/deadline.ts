import type { Clock } from './clock.ts'

/**
 * Runs `work` with a signal that is raised by `stop` or after `deadlineMs`, and rejects then, even if the work does not notice.
 * The reason of the rejection is that of `stop`, or an Error that begins with `what`.
 */
export async function within<T>(
  what: string,
  deadlineMs: number,
  clock: Clock,
  stop: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  stop.throwIfAborted()
  const attempt = new AbortController()
  const onStop = () => attempt.abort(stop.reason)
  stop.addEventListener('abort', onStop, { once: true })
  const cancel = clock.after(deadlineMs, () =>
    attempt.abort(new Error(`${what}: no answer after ${Math.round(deadlineMs / 1000)} s`)),
  )
  try {
    return await Promise.race([work(attempt.signal), raised(attempt.signal)])
  } finally {
    cancel()
    stop.removeEventListener('abort', onStop)
  }
}

function raised(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
