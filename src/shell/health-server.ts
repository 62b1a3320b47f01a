// /healthz and /readyz for the kubelet's probes (behaviour.md 14.3, decisions.md 30).
import type { Server } from 'node:http'
import type { Health } from './loop/health.ts'
import type { Address } from './settings.ts'
import { BadInput } from './yaml.ts'

// Not imported: an `import` of node:http also loads the WebSocket client that it offers (9 MB, 20 ms).
const { createServer } = process.getBuiltinModule('node:http')

export type HealthServer = { readonly port: number; close(): Promise<void> }

/** Resolves when it listens. Throws BadInput when the address cannot be had. */
export async function serveHealth(address: Address, health: () => Health): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { alive, ready, reasons } = health()
    const path = (request.url ?? '').split('?')[0]
    const isGood = path === '/healthz' ? alive : path === '/readyz' ? alive && ready : undefined
    if (isGood === undefined) {
      response.writeHead(404).end('not found\n')
      return
    }
    response.writeHead(isGood ? 200 : 503, { 'content-type': 'text/plain' }).end(isGood ? 'ok\n' : `${reasons.join('\n')}\n`)
  })
  await listen(server, address)
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new BadInput('healthProbeBindAddress', undefined, unusable(error, host, port))),
    )
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => resolve())
  })
}

function unusable({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const address = `${host}:${port}`
  if (code === 'EADDRINUSE') return `${address} is taken by another process: choose another address in the config file`
  if (code === 'EACCES') return `${address} may not be used by this user: choose a port above 1023`
  return `${address} cannot be listened on: ${message}`
}
