// The transport to a real API server: HTTP/1.1 over keep-alive TLS connections. Why not a library: docs/decisions/0006.
import type { IncomingMessage, RequestOptions } from 'node:http'
import { type Clock, realClock } from '../clock.ts'
import type { ConnectionConfig } from './connection.ts'
import { type Credentials, credentialsOf, type Headers, type Proof } from './credentials.ts'
import { exchange, plainHeaders, readBody } from './exchange.ts'
import { type Lane, type Sockets, socketsTo } from './sockets.ts'
import type { KubeRequest, KubeResponse, Transport, WatchEvent } from './transport.ts'
import { TransportError, transportError } from './transport-error.ts'
import { watchEvents } from './watch-stream.ts'

export type HttpsTransport = Transport & {
  /** Drops all connections; what is on its way is rejected. */
  close(): void
}

type Link = {
  readonly server: URL
  readonly userAgent: string
  readonly clock: Clock
  readonly credentials: Credentials
  readonly sockets: Sockets
}

/**
 * Sends requests to one API server. Rejects with TransportError; an HTTP error status is a response. A request that gets a 401 is
 * sent once more with credentials read anew, a GET once more when a kept connection was just closed; nothing else is repeated here.
 * @param options.userAgent for example `kmm/0.1.0`: the name under which the API server's audit log counts us
 */
export function httpsTransport(
  config: ConnectionConfig,
  options: { readonly userAgent: string; readonly clock?: Clock },
): HttpsTransport {
  const clock = options.clock ?? realClock
  const link: Link = {
    server: new URL(config.server),
    userAgent: options.userAgent,
    clock,
    credentials: credentialsOf(config, clock),
    sockets: socketsTo(config),
  }
  const transport = async (request: KubeRequest, stop: AbortSignal): Promise<KubeResponse> => {
    const limit = limitOf(link, request, stop)
    try {
      const response = await ask(link, request, limit)
      if (response.stream === undefined) limit.end()
      return response
    } catch (error) {
      limit.end()
      throw limit.passed.aborted ? limit.passed.reason : transportError(nameOf(link, request), error)
    }
  }
  return Object.assign(transport, { close: () => link.sockets.close() })
}

async function ask(link: Link, request: KubeRequest, limit: Limit): Promise<KubeResponse> {
  const proof = await unlessPassed(limit.passed, link.credentials.current())
  const response = await askOnce(link, request, proof, limit)
  if (response.status !== 401 || link.credentials.renew(proof) === 'unchanging') return response
  return askOnce(link, request, await unlessPassed(limit.passed, link.credentials.current()), limit)
}

async function askOnce(link: Link, request: KubeRequest, proof: Proof, limit: Limit): Promise<KubeResponse> {
  const lane = laneOf(request)
  const seat = link.sockets.seat(lane, proof.tls)
  let isStreaming = false
  try {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
    const message = await exchange(
      { ...requestOptions(link, request, proof.headers, body), agent: seat.agent },
      body,
      limit.passed,
    )
    const answered = { status: message.statusCode ?? 0, headers: plainHeaders(message) }
    if (lane !== 'watches' || answered.status !== 200)
      return { ...answered, body: await readBody(message, nameOf(link, request)) }
    isStreaming = true
    limit.endDeadline()
    message.once('close', () => {
      limit.end()
      seat.release()
    })
    return { ...answered, body: undefined, stream: streamOf(link, request, message, limit) }
  } finally {
    if (!isStreaming) seat.release()
  }
}

async function* streamOf(
  link: Link,
  request: KubeRequest,
  message: IncomingMessage,
  limit: Limit,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { silenceMs } = request
  const options = { request: nameOf(link, request), clock: link.clock, ...(silenceMs === undefined ? {} : { silenceMs }) }
  try {
    yield* watchEvents(message as AsyncIterable<Buffer> & IncomingMessage, options)
  } catch (error) {
    throw limit.passed.aborted ? limit.passed.reason : error
  } finally {
    message.destroy()
  }
}

function requestOptions(link: Link, request: KubeRequest, credentials: Headers, body: Buffer | undefined): RequestOptions {
  const { server } = link
  const query = new URLSearchParams(request.query).toString()
  return {
    method: request.method,
    protocol: server.protocol,
    // URL keeps the brackets of an IPv6 address, sockets want none.
    hostname: server.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(server.port === '' ? {} : { port: server.port }),
    path: `${server.pathname.replace(/\/+$/, '')}${request.path}${query === '' ? '' : `?${query}`}`,
    headers: {
      accept: 'application/json',
      'user-agent': link.userAgent,
      ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
      ...credentials,
    },
  }
}

/** A lease renewed too late costs the leadership, so it never queues behind other requests. */
function laneOf(request: KubeRequest): Lane {
  if (request.query?.['watch'] === 'true' || request.query?.['watch'] === '1') return 'watches'
  return request.path.startsWith('/apis/coordination.k8s.io/') ? 'leases' : 'requests'
}

/** How the request is named to people. Without its query: the path says enough. */
function nameOf(link: Link, request: KubeRequest): string {
  return `${laneOf(request) === 'watches' ? 'watch' : request.method} ${link.server.origin}${request.path}`
}

/** What ends a request from outside: its deadline or `stop`. Covers every step, the reading of credentials included. */
type Limit = { readonly passed: AbortSignal; endDeadline(): void; end(): void }

function limitOf(link: Link, request: KubeRequest, stop: AbortSignal): Limit {
  const controller = new AbortController()
  const name = nameOf(link, request)
  const onStop = () => controller.abort(new TransportError('stopped', `${name}: stopped`))
  if (stop.aborted) onStop()
  else stop.addEventListener('abort', onStop, { once: true })
  const endDeadline = link.clock.after(request.deadlineMs, () =>
    controller.abort(new TransportError('deadline', `${name}: no complete answer after ${request.deadlineMs / 1000} s`)),
  )
  const end = () => {
    endDeadline()
    stop.removeEventListener('abort', onStop)
  }
  return { passed: controller.signal, endDeadline, end }
}

function unlessPassed<T>(passed: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onPassed = () => reject(passed.reason)
    if (passed.aborted) onPassed()
    passed.addEventListener('abort', onPassed, { once: true })
    work.then(resolve, reject).finally(() => passed.removeEventListener('abort', onPassed))
  })
}
