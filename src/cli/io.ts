// What a command may touch of the process it runs in, so that tests run commands without starting one.

export type Io = {
  /** The whole of standard input as text. */
  readonly readStdin: () => Promise<string>
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard output is a terminal of this size, so tables may be redrawn in place; undefined: plain lines. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined
  /** Resolves when the user or the system asks the command to end (SIGINT, SIGTERM). */
  readonly stop: AbortSignal
}

export const exitCodes = {
  /** All is well. */
  fine: 0,
  /** The command did its work and its answer is "no", for example a Module that breaks a rule. */
  no: 1,
  /** The input or the arguments are wrong, so nothing was done. */
  badInput: 2,
  /** KMM itself is broken. */
  bug: 70,
} as const

/** Arguments that make no sense: told as one sentence, with exit code 2. */
export class UsageError extends Error {}
