// The audit log of a served simulation. A large cluster answers thousands of requests a second, so lines are written many at once.
import { closeSync, openSync, writeSync } from 'node:fs'
import type { AuditLog } from '../../model/serve/audit.ts'
import type { Clock } from '../../shell/clock.ts'
import { UsageError } from '../io.ts'

/** A line is in the file this much later at most. */
const flushMs = 100
const mostLines = 2000

/** Begins a new file, readable by its owner only. `close` writes what waits. Throws UsageError when it cannot be written. */
export function openAuditFile(path: string, clock: Clock): AuditLog & { close(): void } {
  const file = open(path)
  let waiting: string[] = []
  let cancel: (() => void) | undefined
  const flush = () => {
    cancel?.()
    cancel = undefined
    if (waiting.length > 0) writeSync(file, `${waiting.join('\n')}\n`)
    waiting = []
  }
  return {
    nowMs: () => clock.nowMs(),
    write: line => {
      waiting.push(line)
      if (waiting.length >= mostLines) flush()
      else cancel ??= clock.after(flushMs, flush)
    },
    close: () => {
      flush()
      closeSync(file)
    },
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch (error) {
    throw new UsageError(`--audit-log ${path} cannot be written: ${(error as Error).message}`)
  }
}
