// A place in a script's text.

export type Scanner = {
  readonly text: string
  readonly at: number
  /** 1 for the first line. */
  readonly line: number
  /** The character here; empty at the end. */
  char(): string
  /** Reads one character; empty at the end. */
  take(): string
  skip(count: number): void
  mark(): number
  reset(mark: number): void
}

export function createScanner(text: string): Scanner {
  let at = 0
  return {
    text,
    get at() {
      return at
    },
    get line() {
      return text.slice(0, at).split('\n').length
    },
    char: () => text.charAt(at),
    take() {
      const char = text.charAt(at)
      at = Math.min(text.length, at + 1)
      return char
    },
    skip(count) {
      at = Math.min(text.length, at + count)
    },
    mark: () => at,
    reset(mark) {
      at = mark
    },
  }
}
