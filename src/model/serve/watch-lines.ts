// Watches on the wire: one JSON document a line. Source: Kubernetes API concepts, "Efficient detection of changes".
import type { ServerResponse } from 'node:http'
import type { WatchEvent } from '../../shell/kube/transport.ts'

/** Printed events are kept for the other watches of the same moment: thousands of events, seldom more than a few watches behind. */
const keptLines = 2000
/** What waits is written at once when it has grown this large. */
const batchBytes = 256 * 1024

/**
 * Prints each event once for all watches.
 * Invariant: at most `keptLines` lines, the newest; a line is kept under the very object that it shows, and stored objects never change.
 */
export class WatchLines {
  readonly #lines = new Map<unknown, { readonly type: string; readonly line: string }>()

  of({ type, object }: WatchEvent): string {
    const known = this.#lines.get(object)
    if (known?.type === type) return known.line
    const line = `{"type":"${type}","object":${JSON.stringify(object)}}\n`
    this.#lines.set(object, { type, line })
    if (this.#lines.size > keptLines) {
      const [oldest] = this.#lines.keys()
      this.#lines.delete(oldest)
    }
    return line
  }
}

/**
 * Writes events as they come until the watch ends or the client goes. Events that are there at once are one write; a client that reads
 * slowly holds up only itself. Rejects when the watch breaks: then the connection must break too.
 */
export async function writeWatch(
  response: ServerResponse,
  events: AsyncIterable<WatchEvent>,
  lineOf: (event: WatchEvent) => string,
): Promise<void> {
  let waiting: string[] = []
  let waitingBytes = 0
  let isPlanned = false
  const flush = () => {
    isPlanned = false
    if (waiting.length === 0 || response.destroyed) return true
    const text = waiting.join('')
    waiting = []
    waitingBytes = 0
    return response.write(text)
  }
  response.flushHeaders()
  for await (const event of events) {
    if (response.destroyed) return
    const line = lineOf(event)
    waiting.push(line)
    waitingBytes += line.length
    if (waitingBytes > batchBytes) {
      if (!flush()) await drained(response)
    } else if (!isPlanned) {
      isPlanned = true
      setImmediate(flush)
    }
  }
  flush()
  response.end()
}

/** Resolves also when the client goes. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    if (response.destroyed || !response.writableNeedDrain) return resolve()
    response.once('drain', done)
    response.once('close', done)
  })
}
