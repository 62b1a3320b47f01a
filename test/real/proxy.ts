// A way between the operator and the API server that can be broken: refused, cut, silent, or answering for the server.
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as requestOf } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { ConnectionConfig, Pem } from '../../src/shell/kube/connection.ts'
import { issue, makeAuthority } from '../control-plane/certificates.ts'
import type { ControlPlane } from '../control-plane/start.ts'

type Mode =
  | 'forward'
  /** Connections are closed at once. */
  | 'refuse'
  /** Half-open: connections stay, nothing ever comes. Those that were open when it began stay dead afterwards. */
  | 'silent'
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }

export type BreakableWay = {
  /** File with which the operator takes this way. */
  readonly kubeconfig: string
  readonly config: ConnectionConfig
  set(mode: Mode): void
  /** Closes what is open, watches too. */
  cut(): void
  /** Requests that were answered in the server's place. */
  answered(): number
  close(): Promise<void>
}

export async function breakableWay(plane: ControlPlane): Promise<BreakableWay> {
  const authority = await makeAuthority(plane.folder, 'way-ca')
  const pair = await issue(authority, { name: 'way', commonName: 'way', alternativeNames: ['IP:127.0.0.1'] })
  const { clientCertificate, authority: behind } = plane.config
  if (clientCertificate === undefined || behind === undefined) throw new Error('the control plane has no certificates')
  const pem = async (from: Pem) => ('text' in from ? from.text : readFile(from.file, 'utf8'))
  const [ca, cert, key] = await Promise.all([behind, clientCertificate.certificate, clientCertificate.key].map(pem))
  const agent = new Agent({ keepAlive: true, ca: ca ?? '', cert: cert ?? '', key: key ?? '' })
  const target = new URL(plane.url)

  let mode: Mode = 'forward'
  let answered = 0
  // Raised by every silence: an exchange that began before the last one is dead.
  let silences = 0
  const sockets = new Set<Socket>()

  function pass(request: IncomingMessage, response: ServerResponse): void {
    const began = silences
    const isDead = () => mode === 'silent' || began !== silences
    if (isDead()) return
    if (typeof mode === 'object') {
      answered += 1
      const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: mode.status, message: 'the server has no time' }
      response.writeHead(mode.status, { 'content-type': 'application/json', ...mode.headers }).end(JSON.stringify(status))
      return
    }
    const { method, url, headers } = request
    const onward = requestOf({ agent, host: target.hostname, port: target.port, method, path: url, headers })
    onward.on('error', () => void (isDead() || response.destroy()))
    onward.on('response', answer => {
      if (isDead()) return
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.on('data', (data: Buffer) => void (isDead() || response.write(data)))
      answer.on('end', () => void (isDead() || response.end()))
      answer.on('error', () => void (isDead() || response.destroy()))
    })
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  }

  const server = createServer({ cert: await readFile(pair.certFile), key: await readFile(pair.keyFile) }, pass)
  server.on('connection', (socket: Socket) => {
    if (mode === 'refuse') {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    config: { server: url, authority: { file: authority.certFile }, serverCertificate: 'verify', clientCertificate },
    kubeconfig: await writeKubeconfig(plane, url, authority.certFile),
    set: next => {
      if (next === 'silent') silences += 1
      mode = next
      if (next === 'refuse') cut()
    },
    cut,
    answered: () => answered,
    close: () =>
      new Promise(resolve => {
        cut()
        agent.destroy()
        server.close(() => resolve())
      }),
  }
}

/** The administrator's, with another server. */
async function writeKubeconfig(plane: ControlPlane, server: string, authorityFile: string): Promise<string> {
  type Kubeconfig = { readonly clusters: readonly { readonly name: string; readonly cluster: object }[] }
  const admin = JSON.parse(await readFile(plane.kubeconfig, 'utf8')) as Kubeconfig
  const clusters = admin.clusters.map(({ name }) => ({ name, cluster: { server, 'certificate-authority': authorityFile } }))
  const file = join(plane.folder, 'way.kubeconfig')
  await writeFile(file, JSON.stringify({ ...admin, clusters }), { mode: 0o600 })
  return file
}
