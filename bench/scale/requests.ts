// Requests of one program, counted in the API server's audit log. The log of a big run has hundreds of megabytes, so it is read on
// from where the last look ended, and only lines of the program are parsed.
import { closeSync, openSync, readSync } from 'node:fs'
import { type AuditEntry, parseAuditLine } from '../../test/control-plane/audit.ts'

const writing: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection']

export type AuditTail = {
  /** All finished requests of the program so far, in the order of their answers. */
  entries(): readonly AuditEntry[]
}

/** @param agent how the program's user agent begins. */
export function auditTail(file: string, agent: string): AuditTail {
  const found: AuditEntry[] = []
  const mark = Buffer.from(`"userAgent":"${agent}`)
  const chunk = Buffer.alloc(4 * 2 ** 20)
  let rest = Buffer.alloc(0)
  let offset = 0

  function take(line: Buffer): void {
    if (!line.includes(mark)) return
    const entry = parseAuditLine(line.toString('utf8'))
    // A watch is told when it starts too.
    if (entry !== undefined && (entry.stage === 'ResponseComplete' || entry.verb === 'watch')) found.push(entry)
  }

  return {
    entries: () => {
      const log = openSync(file, 'r')
      try {
        for (;;) {
          const length = readSync(log, chunk, 0, chunk.length, offset)
          if (length === 0) return found
          offset += length
          let text = Buffer.concat([rest, chunk.subarray(0, length)])
          for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
            take(text.subarray(0, end))
            text = text.subarray(end + 1)
          }
          rest = Buffer.from(text)
        }
      } finally {
        closeSync(log)
      }
    },
  }
}

/** Lease renewals and Events are not counted (docs/decisions). */
export const isWrite = ({ verb, resource }: AuditEntry): boolean =>
  writing.includes(verb) && resource !== 'leases' && resource !== 'events'

/** A watch counts when it is opened. The Lease of the leader is read and written by the clock, whatever happens. */
export const isRead = ({ verb, stage, resource }: AuditEntry): boolean =>
  resource !== 'leases' && (verb === 'get' || verb === 'list' || (verb === 'watch' && stage === 'ResponseStarted'))

/** How often each `patch nodes` or `list pods` was sent. */
export function countRequests(entries: readonly AuditEntry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { verb, resource, subresource, code, stage } of entries) {
    if (verb === 'watch' && stage !== 'ResponseStarted') continue
    const what = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}${code >= 400 ? ` (${code})` : ''}`
    counts[what] = (counts[what] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}
