// What the shell tells about itself. Callers attach a logger and metrics; the shell knows neither.

export type LogFields = Readonly<Record<string, unknown>>

/** One line about one event. Must not throw. */
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields) => void

export type Observation =
  /** A key was planned and its plan carried out, or failed. */
  | {
      readonly what: 'pass'
      readonly controller: string
      readonly key: string
      readonly outcome: 'done' | 'failed' | 'conflict'
      readonly durationMs: number
    }
  /** A request was answered (`status`), or not (`status` absent: broken connection or passed deadline). */
  | {
      readonly what: 'request'
      readonly method: string
      readonly path: string
      readonly status?: number
      readonly durationMs: number
    }
  /** An object was written or removed. `kept`: the server answered that nothing had to change. */
  | {
      readonly what: 'write'
      readonly controller: string
      readonly verb: 'apply' | 'status' | 'remove' | 'release'
      readonly kind: string
      readonly outcome: 'changed' | 'kept'
    }
  /** Keys that wait in a controller's queue, after each change of their number. */
  | { readonly what: 'queue'; readonly controller: string; readonly waiting: number }

/** Called synchronously, often: must be cheap and must not throw. */
export type Observe = (observation: Observation) => void
