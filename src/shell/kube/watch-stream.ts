// The body of a watch: one JSON object per line. Source: Kubernetes API concepts, "Efficient detection of changes".
import type { Clock } from '../clock.ts'
import type { WatchEvent } from './transport.ts'
import { TransportError, transportError } from './transport-error.ts'

/** An object in etcd has at most 1.5 MiB; as JSON with managedFields it is far below this. */
const longestLineBytes = 64 * 1024 * 1024
const newline = 0x0a

export type ByteStream = AsyncIterable<Buffer> & { destroy(error: Error): unknown }

/**
 * The events of a watch, in order. Ends when the server ends the response after a whole line. Throws TransportError: `silence` when
 * nothing arrives for `silenceMs` while an event is waited for, `answer` for a line that is no event, `connection` when it breaks.
 */
export async function* watchEvents(
  body: ByteStream,
  options: { readonly request: string; readonly clock: Clock; readonly silenceMs?: number },
): AsyncGenerator<WatchEvent, void, undefined> {
  const { request, clock, silenceMs } = options
  const startTimer = () => {
    if (silenceMs === undefined) return () => undefined
    // The error is made when it is needed: its stack trace would cost more than the event.
    const fail = () =>
      body.destroy(
        new TransportError('silence', `${request}: nothing came for ${silenceMs / 1000} s, the watch is taken for dead`),
      )
    return clock.after(silenceMs, fail)
  }
  const lines = splitLines()
  // Runs only while we wait for bytes: a slow reader is not a silent server.
  let cancelTimer = startTimer()
  try {
    for await (const chunk of body) {
      cancelTimer()
      for (const line of lines.push(chunk)) yield parseEvent(line, request)
      if (lines.pendingBytes() > longestLineBytes)
        throw new TransportError('answer', `${request}: an event of the watch is longer than 64 MiB`)
      cancelTimer = startTimer()
    }
  } catch (error) {
    throw transportError(request, error)
  } finally {
    cancelTimer()
  }
  if (lines.pendingBytes() > 0) throw new TransportError('connection', `${request}: the watch ended in the middle of an event`)
}

/** Splits bytes at newlines; a line is never decoded before it is whole, so that no character is cut. */
export function splitLines(): { push(chunk: Buffer): readonly string[]; pendingBytes(): number } {
  let pending: Buffer[] = []
  let pendingBytes = 0
  return {
    push: chunk => {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        const part = chunk.subarray(start, end)
        const line = (pending.length === 0 ? part : Buffer.concat([...pending, part])).toString('utf8')
        pending = []
        pendingBytes = 0
        start = end + 1
        if (line.trim() !== '') lines.push(line)
      }
      if (start < chunk.length) {
        pending.push(chunk.subarray(start))
        pendingBytes += chunk.length - start
      }
      return lines
    },
    pendingBytes: () => pendingBytes,
  }
}

const types: readonly string[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] satisfies readonly WatchEvent['type'][]

function parseEvent(line: string, request: string): WatchEvent {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    // Not the parser's own message: it quotes the text, which could be that of a Secret.
    throw new TransportError('answer', `${request}: a line of the watch is not JSON: ${quoted(line, request)}`)
  }
  if (typeof event === 'object' && event !== null && 'type' in event && 'object' in event && types.includes(String(event.type))) {
    return event as WatchEvent
  }
  throw new TransportError('answer', `${request}: a line of the watch is no watch event: ${quoted(line, request)}`)
}

/** The beginning of a text for an error message; of Secrets only the length. */
export function quoted(text: string, request: string): string {
  if (/\/secrets\b/.test(request)) return `(${text.length} characters of a Secret)`
  return text.length <= 200 ? text : `${text.slice(0, 200)}... (${text.length} characters)`
}
