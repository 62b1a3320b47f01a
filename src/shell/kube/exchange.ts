// One HTTP request and its answer, on node's own sockets.
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { codeOf, TransportError } from './transport-error.ts'
import { quoted } from './watch-stream.ts'

/** TCP asks whether the other side still lives after this long without a byte, so that a dead peer does not look like a quiet one. */
const tcpKeepAliveMs = 30_000
/** With a server that was restarted every kept connection may be a closed one. */
const mostTries = 3

/**
 * Sends the request and resolves with the head of the answer; the body is still to be read. When `passed` aborts, it rejects with
 * the signal's reason, or the body's reader does. A GET that met a kept connection in the moment of its closing is sent again.
 */
export async function exchange(options: RequestOptions, body: Buffer | undefined, passed: AbortSignal): Promise<IncomingMessage> {
  for (let tries = 1; ; tries++) {
    const outcome = await once(options, body, passed)
    if ('answer' in outcome) return outcome.answer
    if (passed.aborted) throw passed.reason
    if (!outcome.mayRepeat || tries === mostTries) throw outcome.error
  }
}

type Outcome = { readonly answer: IncomingMessage } | { readonly error: unknown; readonly mayRepeat: boolean }

function once(options: RequestOptions, body: Buffer | undefined, passed: AbortSignal): Promise<Outcome> {
  return new Promise(resolve => {
    let answer: IncomingMessage | undefined
    const sent = requestFunction(options)(options, message => {
      answer = message
      // The reader of the body gets the error; while nobody reads yet it must not end the process.
      message.on('error', ignore)
      resolve({ answer: message })
    })
    const abort = () => (answer ?? sent).destroy(passed.reason as Error)
    sent.on('error', error => {
      const wasClosed = codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE'
      resolve({ error, mayRepeat: options.method === 'GET' && sent.reusedSocket && wasClosed })
    })
    sent.once('close', () => passed.removeEventListener('abort', abort))
    sent.setSocketKeepAlive(true, tcpKeepAliveMs)
    if (passed.aborted) abort()
    else {
      passed.addEventListener('abort', abort, { once: true })
      sent.end(body)
    }
  })
}

function requestFunction(options: RequestOptions): typeof httpsRequest {
  // Not imported: see sockets.ts.
  return options.protocol === 'http:' ? process.getBuiltinModule('node:http').request : httpsRequest
}

function ignore(): void {}

/** The parsed JSON, or the text of an answer that is none (such as `/readyz`); undefined where it is empty. */
export async function readBody(message: IncomingMessage, request: string): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  if (chunks.length === 0) return undefined
  const text = Buffer.concat(chunks).toString('utf8')
  if (!/\bjson\b/.test(message.headers['content-type'] ?? '')) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new TransportError('answer', `${request}: the answer is not the JSON that it says it is: ${quoted(text, request)}`)
  }
}

/** Lower-case names; the values of a repeated header are joined by a comma. */
export function plainHeaders(message: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(message.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  )
  return Object.fromEntries(entries)
}
