// The model's API server on a loopback port, as HTTPS: for kubectl, and for an operator that runs as its own process. Who may connect is
// not checked: whatever reaches the port may do everything with the simulated cluster.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Clock } from '../shell/clock.ts'
import type { KubeRequest, KubeResponse, WatchEvent } from '../shell/kube/transport.ts'
import { ApiError, answerOf, jsonHeaders, pageNotFound } from './api/errors.ts'
import { isJson, jsonOf } from './api/json.ts'
import { parsePath } from './api/paths.ts'
import type { ApiResource, ModelApi } from './api/types.ts'
import { writeAnswer } from './serve/answer.ts'
import { type AuditLog, auditOf } from './serve/audit.ts'
import { selfSignedCertificate } from './serve/certificate.ts'
import { openApiDocument, openApiV2 } from './serve/open-api.ts'
import { readRequest } from './serve/request.ts'
import { reviewBody } from './serve/reviews.ts'
import { metadataOnly, type TableForm, tableForm, tableOf } from './serve/table.ts'
import { type View, viewOf } from './serve/view.ts'
import { WatchLines, writeWatch } from './serve/watch-lines.ts'

export type ServedModel = {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string
  readonly port: number
  /** PEM; what a client must trust. */
  readonly certificate: string
  /** The text of a kubeconfig file. */
  readonly kubeconfig: string
  /** Cuts all connections. */
  close(): Promise<void>
}

export type ServeOptions = {
  /** That of the model: ages are told by it. */
  readonly clock: Clock
  /** Milliseconds since the epoch by the clients' clocks, for the certificate's validity. */
  readonly nowMs: number
  /** Absent or 0: any free one. */
  readonly port?: number
  /** Hears of every request; absent: nobody does. */
  readonly audit?: AuditLog
}

/** Resolves when it listens; rejects when the port is taken. */
export async function serveModel(api: ModelApi, options: ServeOptions): Promise<ServedModel> {
  const pair = await selfSignedCertificate(options.nowMs)
  const lines = new WatchLines()
  const server = createServer({ ...pair, minVersion: 'TLSv1.2' }, (message, response) => {
    answer({ api, lines, clock: options.clock, audit: options.audit }, message, response).catch(() => response.destroy())
  })
  // Longer than clients keep a connection, so that none sends a request into one that is just being closed.
  server.keepAliveTimeout = 120_000
  server.headersTimeout = 130_000
  await listen(server, options.port ?? 0)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const url = `https://127.0.0.1:${port}`
  return {
    url,
    port,
    certificate: pair.cert,
    kubeconfig: kubeconfigOf(url, pair.cert),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Context = { readonly api: ModelApi; readonly lines: WatchLines; readonly clock: Clock; readonly audit: AuditLog | undefined }

async function answer(context: Context, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const audited = auditOf(context.audit, message)
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  let request: KubeRequest
  try {
    request = await readRequest(message)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // What is left of the body is not read: the connection cannot be used again.
    const refusal = answerOf(error)
    await writeAnswer(response, { ...refusal, headers: { ...jsonHeaders, connection: 'close' } })
    return audited(undefined).complete(refusal.status)
  }
  const audit = audited(request)
  if (request.path === '/openapi/v2') {
    response.writeHead(200, openApiV2.headers).end(openApiV2.document)
    return audit.complete(200)
  }
  const own = ownAnswer(context.api, request)
  if (own !== undefined) {
    await writeAnswer(response, own)
    return audit.complete(own.status)
  }
  // A fault of the model rejects: the connection breaks, as it would.
  const answered = await context.api.transport(request, stop.signal)
  const form = formOf(context.api, request, viewOf(message.headers.accept))
  if (answered.stream === undefined) {
    await writeAnswer(response, shaped(answered, form, context.clock))
    return audit.complete(answered.status)
  }
  response.writeHead(200, { ...answered.headers, 'cache-control': 'no-cache, private' })
  audit.begun(200)
  try {
    await writeWatch(response, answered.stream, lineFor(context, form))
  } finally {
    audit.complete(200)
  }
}

/** What the model itself does not know, because only clients over HTTP ask for it. */
function ownAnswer(api: ModelApi, request: KubeRequest): KubeResponse | undefined {
  const review = reviewBody(request)
  if (review !== undefined) return { status: 201, headers: jsonHeaders, body: review }
  if (!request.path.startsWith('/openapi/')) return undefined
  const body = openApiDocument(api, request.path)
  return body === undefined ? pageNotFound : { status: 200, headers: jsonHeaders, body }
}

/** In which form objects go out; undefined: as they are. */
type Form = { readonly is: 'table'; readonly table: TableForm } | { readonly is: 'metadata' } | undefined

function formOf(api: ModelApi, request: KubeRequest, view: View): Form {
  if (view === 'plain') return undefined
  const resource = resourceOf(api, request)
  if (resource === undefined) return undefined
  return view === 'table' ? { is: 'table', table: tableForm(api, resource, request.query ?? {}) } : { is: 'metadata' }
}

function resourceOf(api: ModelApi, { path }: KubeRequest): ApiResource | undefined {
  const target = parsePath(path)
  if (target.is !== 'resource') return undefined
  return api.resources().find(({ apiVersion, plural }) => apiVersion === target.apiVersion && plural === target.plural)
}

function shaped(answered: KubeResponse, form: Form, clock: Clock): KubeResponse {
  const { body, status } = answered
  if (form === undefined || status >= 300 || !isJson(body) || body['kind'] === 'Status') return answered
  if (form.is === 'table') return { ...answered, body: tableOf(form.table, body, clock.nowMs()) }
  if (!Array.isArray(body['items'])) return { ...answered, body: metadataOnly(body) }
  const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: body['metadata'] }
  return { ...answered, body: { ...list, items: body['items'].map(metadataOnly) } }
}

function lineFor({ lines, clock }: Context, form: Form): (event: WatchEvent) => string {
  if (form === undefined) return event => lines.of(event)
  let isFirst = true
  return ({ type, object }) => {
    if (type === 'ERROR') return `${JSON.stringify({ type, object })}\n`
    if (form.is === 'metadata') return `${JSON.stringify({ type, object: metadataOnly(object) })}\n`
    const headings = isFirst ? 'with headings' : 'rows only'
    isFirst = false
    const body = type === 'BOOKMARK' ? { metadata: jsonOf(object)['metadata'], items: [] } : object
    return `${JSON.stringify({ type, object: tableOf(form.table, body, clock.nowMs(), headings) })}\n`
  }
}

/** JSON is YAML. */
function kubeconfigOf(server: string, certificate: string): string {
  const name = 'simulation'
  const cluster = { server, 'certificate-authority-data': Buffer.from(certificate).toString('base64') }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: 'simulation' } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  }
  return `${JSON.stringify(config, undefined, 2)}\n`
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1' }, () => resolve())
  })
}
