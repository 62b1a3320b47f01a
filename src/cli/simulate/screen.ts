// Shows rows as they change: a table redrawn in place on a terminal, one line for each change elsewhere.
import type { Io } from '../io.ts'
import { hasFailed, markOf, oneLine, printLines, printTable, type Row } from './table.ts'

export type Screen = {
  /** A sentence between the tables. */
  say(text: string): void
  /** `sinceMs`: virtual time since the beginning. */
  show(rows: readonly Row[], sinceMs: number): void
}

export const createScreen = (io: Io): Screen => (io.terminal === undefined ? plainLines(io) : liveTable(io, io.terminal))

function plainLines(io: Io): Screen {
  let shown = new Map<string, string>()
  return {
    say: text => io.out(`${shown.size === 0 ? '' : '\n'}${text}\n`),
    show(rows, sinceMs) {
      const now = new Map(rows.map(row => [`${row.node}  ${row.module}`, markOf(row)]))
      for (const [index, line] of printLines(rows).entries()) {
        const row = rows[index]
        const id = `${row?.node}  ${row?.module}`
        if (shown.get(id) !== now.get(id)) io.out(`${printSince(sinceMs)}  ${line}\n`)
      }
      for (const id of shown.keys()) if (!now.has(id)) io.out(`${printSince(sinceMs)}  ${id}  gone\n`)
      shown = now
    },
  }
}

/** Sequences of ECMA-48: CSI n A goes up n lines, CSI J clears to the end of the screen. */
function liveTable(io: Io, { columns, rows: height }: { readonly columns: number; readonly rows: number }): Screen {
  let drawn = 0
  const clear = () => {
    if (drawn > 0) io.out(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  let last: readonly string[] = []
  return {
    say(text) {
      // The table so far stays above the sentence; the next one is drawn below it.
      drawn = 0
      io.out(`${last.length === 0 ? '' : '\n'}${text}\n`)
      last = []
    },
    show(rows, sinceMs) {
      const room = Math.max(3, height - 3)
      const table = printTable(rows, columns)
      const lines = table.length <= room ? table : [...table.slice(0, room - 1), `... and ${table.length - room + 1} more`]
      if (lines.join('\n') === last.join('\n')) return
      clear()
      const below = [...failuresBelow(rows, columns).slice(0, Math.max(0, height - 3 - lines.length)), printSince(sinceMs).trim()]
      io.out(`${[...lines, ...below].join('\n')}\n`)
      drawn = lines.length + below.length
      last = lines
    },
  }
}

/** The words of each reason that stays, one line each. */
function failuresBelow(rows: readonly Row[], columns: number): readonly string[] {
  const failed = rows.filter(hasFailed)
  const reasons = new Map(
    failed.toReversed().map(row => [`${row.module} ${row.reason}`, `${row.reason}: ${oneLine(row.message)}`]),
  )
  return [...reasons.values()].toReversed().map(line => line.slice(0, Math.max(20, columns - 1)))
}

/** `  1m05s`. */
export function printSince(sinceMs: number): string {
  const seconds = Math.round(sinceMs / 1000)
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return (minutes === 0 ? `${rest}s` : `${minutes}m${String(rest).padStart(2, '0')}s`).padStart(7)
}
