// A running program of a container: it can be signalled, and waited for.
import type { Clock } from '../../shell/clock.ts'
import { Gate, type Routine, type RunningRoutine, startRoutine } from './routine.ts'

export type Signal = 'TERM' | 'INT' | 'HUP' | 'USR1' | 'USR2' | 'KILL'

export const signalNumbers: Readonly<Record<Signal, number>> = { HUP: 1, INT: 2, KILL: 9, USR1: 10, USR2: 12, TERM: 15 }

export class Task {
  readonly pid: number
  readonly exited = new Gate()
  /** Set when it has ended: the exit code, or 128 and the signal's number. */
  exitCode: number | undefined
  /** What a shell with traps does on a signal; undefined: what the kernel does. */
  onSignal: ((signal: Signal) => 'done' | 'default') | undefined
  #running: RunningRoutine | undefined

  constructor(pid: number) {
    this.pid = pid
  }

  start(clock: Clock, routine: Routine<number>): void {
    const running = startRoutine(clock, routine, code => this.#end(code))
    if (this.exitCode === undefined) this.#running = running
    else running.cancel()
  }

  /** The kernel ignores signals without a handler for the first process of a container, but for KILL. */
  signal(signal: Signal): void {
    if (this.exitCode !== undefined) return
    if (signal !== 'KILL') {
      if (this.onSignal?.(signal) === 'done') return
      if (this.#running?.interrupt() === true) return
      if (this.pid === 1) return
    }
    this.#running?.cancel()
    this.#end(128 + signalNumbers[signal])
  }

  /** Wakes the program from an interruptible pause, for example the shell's `wait`. */
  interrupt(): void {
    this.#running?.interrupt()
  }

  #end(code: number): void {
    if (this.exitCode !== undefined) return
    this.exitCode = code
    this.exited.open()
  }
}
