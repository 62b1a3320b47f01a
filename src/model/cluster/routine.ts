// Stories that wait: a generator yields what it waits for, and goes on when the clock or a gate says so. This is how scripts sleep and
// how a kubelet waits for a hook, without a promise and in one deterministic order.
import type { Clock } from '../../shell/clock.ts'

/** Opens once; who waits for it goes on at that moment, in the order of arrival. */
export class Gate {
  #open = false
  #waiting: (() => void)[] = []

  get isOpen(): boolean {
    return this.#open
  }

  open(): void {
    if (this.#open) return
    this.#open = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) callback()
  }

  /** Calls back at once if the gate is open already; the returned function takes the wish back. */
  onOpen(callback: () => void): () => void {
    if (this.#open) {
      callback()
      return () => undefined
    }
    this.#waiting.push(callback)
    return () => {
      this.#waiting = this.#waiting.filter(other => other !== callback)
    }
  }
}

/** Goes on after `sleepMs`, or when `until` opens, whichever comes first; with neither it waits until it is interrupted. */
type Pause = { readonly sleepMs?: number; readonly until?: Gate; readonly interruptible?: true }
type Resumed = 'time' | 'gate' | 'interrupted'
export type Routine<T> = Generator<Pause, T, Resumed>

export type RunningRoutine = {
  /** Ends it where it stands; its end is not reported. */
  cancel(): void
  /** Wakes it from a pause that is interruptible; false if it is in no such pause. */
  interrupt(): boolean
}

/** Runs until the first pause at once. `ended` is called with the result, at the moment it ends. */
export function startRoutine<T>(clock: Clock, routine: Routine<T>, ended: (result: T) => void): RunningRoutine {
  let isCancelled = false
  let isRunning = false
  let wake: ((resumed: Resumed) => void) | undefined
  let forget: (() => void) | undefined
  let isInterruptible = false

  const step = (resumed: Resumed) => {
    let how = resumed
    for (;;) {
      isRunning = true
      const next = routine.next(how)
      isRunning = false
      if (isCancelled) return void routine.return(undefined as never)
      if (next.done === true) return ended(next.value)
      if (next.value.until?.isOpen === true) how = 'gate'
      else return pause(next.value)
    }
  }

  const pause = ({ sleepMs, until, interruptible }: Pause) => {
    const cancelTimer = sleepMs === undefined ? undefined : clock.after(sleepMs, () => wake?.('time'))
    const cancelGate = until?.onOpen(() => wake?.('gate'))
    forget = () => {
      cancelTimer?.()
      cancelGate?.()
    }
    isInterruptible = interruptible === true
    wake = how => {
      wake = undefined
      forget?.()
      step(how)
    }
  }

  step('time')
  return {
    cancel() {
      isCancelled = true
      wake = undefined
      forget?.()
      // A routine that ends itself by its own doing is stopped at its next pause.
      if (!isRunning) routine.return(undefined as never)
    },
    interrupt() {
      if (wake === undefined || !isInterruptible) return false
      wake('interrupted')
      return true
    },
  }
}
