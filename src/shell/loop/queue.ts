import type { Clock } from '../clock.ts'
import { type RetryLimits, retryAfterMs } from '../kube/backoff.ts'

export type QueueOptions = {
  readonly clock: Clock
  /** From [0, 1). */
  readonly chance: () => number
  readonly limits: RetryLimits
  /** At most one pass over a key in this time; 0: none. Longer where passes are long: they take a tenth of the time at most. */
  readonly coalesceMs: number
  /** Called when a key may be taken that could not be before. */
  readonly onReady: () => void
}

// A pass over a key of a big cluster looks at all its nodes. Passes that follow each other as fast as events come would keep
// those over other keys from their turn.
const restPerWork = 10
const mostCoalesceMs = 10_000
const sweepEveryMs = 1_000

/**
 * The keys that a controller has to look at, first come first served.
 * Invariant: a key is in work at most once, waits at most once, and has at most one timer; a key added while in work waits for its turn.
 */
export class KeyQueue {
  #ready = new Set<string>()
  #busy = new Set<string>()
  /** Added while busy. */
  #again = new Set<string>()
  #timers = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>()
  #failures = new Map<string, number>()
  /** Ends of passes, for coalescing; old ones are swept out. */
  #passes = new Map<string, { readonly endedMs: number; readonly workMs: number }>()
  /** Sum of the work in #passes. */
  #workMs = 0
  #sweptMs = 0
  #options: QueueOptions
  #closed = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Keys that could be worked on now. */
  get size(): number {
    return this.#ready.size + this.#again.size
  }

  /** Nothing is in work or ready. Keys may be waiting for a time to come. */
  get idle(): boolean {
    return this.#ready.size === 0 && this.#busy.size === 0
  }

  add(key: string): void {
    if (this.#closed) return
    if (this.#busy.has(key)) {
      this.#again.add(key)
      return
    }
    const waitMs = this.#coalesceWaitMs(key)
    if (waitMs > 0) return this.addAfter(key, waitMs)
    this.#cancelTimer(key)
    if (this.#ready.has(key)) return
    this.#ready.add(key)
    this.#options.onReady()
  }

  /** Adds the key after a time. Of several times the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#ready.has(key)) return
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + delayMs
    const timer = this.#timers.get(key)
    if (timer !== undefined && timer.dueMs <= dueMs) return
    timer?.cancel()
    const cancel = clock.after(delayMs, () => {
      this.#timers.delete(key)
      this.add(key)
    })
    this.#timers.set(key, { dueMs, cancel })
  }

  /** Adds the key after its back-off, or after `atLeastMs` if that is longer. Returns the time in milliseconds. */
  retry(key: string, atLeastMs = 0): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const delayMs = Math.max(retryAfterMs(failures, this.#options.chance(), this.#options.limits), atLeastMs)
    this.addAfter(key, delayMs)
    return delayMs
  }

  /** The key's next failure is its first again. */
  succeeded(key: string): void {
    this.#failures.delete(key)
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The key to work on next, now in work. Give it back with `done`. */
  take(): string | undefined {
    for (const key of this.#ready) {
      this.#ready.delete(key)
      this.#cancelTimer(key)
      this.#busy.add(key)
      return key
    }
    return undefined
  }

  /** @param workMs for how long the pass let nobody else work; as before where it is not known */
  done(key: string, workMs?: number): void {
    this.#busy.delete(key)
    if (this.#options.coalesceMs > 0) this.#passed(key, workMs)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Nothing is given out any more. */
  close(): void {
    this.#closed = true
    for (const { cancel } of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#ready.clear()
    this.#again.clear()
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
  }

  #coalesceWaitMs(key: string): number {
    const pass = this.#passes.get(key)
    return pass === undefined ? 0 : pass.endedMs + this.#betweenMs() - this.#options.clock.monotonicMs()
  }

  #betweenMs(): number {
    return Math.max(this.#options.coalesceMs, Math.min(restPerWork * this.#workMs, mostCoalesceMs))
  }

  #passed(key: string, measuredMs: number | undefined): void {
    const endedMs = this.#options.clock.monotonicMs()
    const beforeMs = this.#passes.get(key)?.workMs ?? 0
    const workMs = measuredMs ?? beforeMs
    this.#workMs += workMs - beforeMs
    this.#passes.set(key, { endedMs, workMs })
    if (endedMs - this.#sweptMs < sweepEveryMs) return
    this.#sweptMs = endedMs
    // Nobody has to rest for a pass of long ago: a key that is not woken any more would count for ever, with a pause of the whole process.
    for (const [other, pass] of this.#passes) {
      if (pass.endedMs > endedMs - mostCoalesceMs) continue
      this.#passes.delete(other)
      this.#workMs -= pass.workMs
    }
  }
}
