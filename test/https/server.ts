// A TLS server on loopback that does to a client what a test says, and counts connections.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import type { ConnectionConfig } from '../../src/shell/kube/connection.ts'
import { type Authority, issue, makeAuthority } from '../control-plane/certificates.ts'

export type Seen = {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** CN of the client's certificate. */
  readonly client: string | undefined
}

export type Answer = (seen: Seen, response: ServerResponse) => void

export type TestServer = {
  readonly config: ConnectionConfig
  readonly port: number
  readonly seen: readonly Seen[]
  /** Connections accepted so far. */
  connections(): number
  openSockets(): readonly Socket[]
  answer(answer: Answer): void
  /** New connections get this certificate. */
  present(pair: { readonly cert: string; readonly key: string }): void
  readonly authority: Authority
  readonly folder: string
  close(): Promise<void>
}

/** Answers every request with `{}` until told otherwise; asks for client certificates and takes any of its authority. */
export async function startServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kmm-https-'))
  const authority = await makeAuthority(folder)
  const pair = await issue(authority, {
    name: 'server',
    commonName: 'server',
    alternativeNames: ['IP:127.0.0.1', 'DNS:kube.test'],
  })
  const seen: Seen[] = []
  const open = new Set<Socket>()
  let connections = 0
  let answer: Answer = (_, response) => json(response, 200, {})
  const server: Server = createServer(
    {
      cert: await readFile(pair.certFile),
      key: await readFile(pair.keyFile),
      ca: await readFile(authority.certFile),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const arrived: Seen = {
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
          client: request.socket instanceof TLSSocket && request.socket.authorized ? commonName(request.socket) : undefined,
        }
        seen.push(arrived)
        answer(arrived, response)
      })
    },
  )
  server.on('secureConnection', socket => {
    connections += 1
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  server.keepAliveTimeout = 60_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    config: { server: `https://127.0.0.1:${port}`, authority: { file: authority.certFile }, serverCertificate: 'verify' },
    port,
    seen,
    connections: () => connections,
    openSockets: () => [...open],
    answer: next => {
      answer = next
    },
    present: context => server.setSecureContext(context),
    authority,
    folder,
    close: async () => {
      server.closeAllConnections()
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function commonName(socket: TLSSocket): string | undefined {
  const { subject } = socket.getPeerCertificate()
  const name: unknown = subject?.CN
  return typeof name === 'string' ? name : undefined
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** A line of a watch. */
export const line = (type: string, name: string): string =>
  `${JSON.stringify({ type, object: { kind: 'Pod', metadata: { name } } })}\n`
