// Which connection a request takes. Three kinds, so that neither a burst of requests nor open watches delay a lease renewal.

import type { Agent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { ConnectionConfig } from './connection.ts'
import type { TlsMaterial } from './credentials.ts'
import { messageOf, TransportError } from './transport-error.ts'

export type Lane = 'requests' | 'leases' | 'watches'

/** Held while a request is on its way (for a watch: until it ends). */
export type Seat = { readonly agent: Agent; release(): void }

export type Sockets = {
  /** A seat on connections made with this material. Throws TransportError when the material is no usable certificate. */
  seat(lane: Lane, material: TlsMaterial): Seat
  close(): void
}

const maxRequestSockets = 16
/** Below the 60 s and more after which servers and load balancers commonly drop an idle connection. */
const idleMs = 50_000

/** All connections that were made with the same certificates. */
type Generation = {
  readonly material: TlsMaterial
  readonly agents: Readonly<Record<Lane, Agent>>
  seats: number
  retired: boolean
}

export function socketsTo(config: ConnectionConfig): Sockets {
  const isTls = !config.server.startsWith('http:')
  let current: Generation | undefined

  const generationFor = (material: TlsMaterial): Generation => {
    if (current !== undefined && isSame(current.material, material)) return current
    try {
      const next: Generation = {
        material,
        agents: isTls ? tlsAgents(config, material) : plainAgents(config),
        seats: 0,
        retired: false,
      }
      // Certificates were rotated: new requests use new connections, those on their way end on the old ones.
      if (current !== undefined) retire(current)
      current = next
      return next
    } catch (error) {
      // Certificate and key are two files: between their replacements they do not fit each other.
      if (current !== undefined) return current
      throw new TransportError('credentials', `the certificates for ${config.server} cannot be used: ${messageOf(error)}`, error)
    }
  }
  return {
    seat: (lane, material) => {
      const generation = generationFor(material)
      generation.seats += 1
      let isHeld = true
      return {
        agent: generation.agents[lane],
        release: () => {
          if (!isHeld) return
          isHeld = false
          generation.seats -= 1
          destroyIfDone(generation)
        },
      }
    },
    close: () => {
      if (current === undefined) return
      retire(current)
      for (const agent of Object.values(current.agents)) agent.destroy()
      current = undefined
    },
  }
}

function retire(generation: Generation): void {
  generation.retired = true
  destroyIfDone(generation)
}

function destroyIfDone(generation: Generation): void {
  if (!generation.retired || generation.seats > 0) return
  for (const agent of Object.values(generation.agents)) agent.destroy()
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key
}

/** LIFO: the connection used last is the least likely to have been dropped, and the others may grow idle. */
const reuse = { keepAlive: true, scheduling: 'lifo', timeout: idleMs } as const

function tlsAgents(config: ConnectionConfig, material: TlsMaterial): Generation['agents'] {
  const tls = {
    // One context for all connections: parsing certificates for each would cost more than the handshake.
    secureContext: createSecureContext({ ...material, minVersion: 'TLSv1.2' }),
    rejectUnauthorized: config.serverCertificate === 'verify',
    ...(config.serverName === undefined ? {} : { servername: config.serverName }),
    ...(config.proxy === undefined ? {} : { proxyEnv: config.proxy }),
  }
  return {
    requests: new HttpsAgent({ ...tls, ...reuse, maxSockets: maxRequestSockets }),
    leases: new HttpsAgent({ ...tls, ...reuse, maxSockets: 1 }),
    watches: new HttpsAgent({ ...tls, keepAlive: false }),
  }
}

function plainAgents(config: ConnectionConfig): Generation['agents'] {
  // Not imported: that evaluates getters which load a second HTTP client (9 MB), and only tests and `kubectl proxy` speak plain HTTP.
  const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
  const proxy = config.proxy === undefined ? {} : { proxyEnv: config.proxy }
  return {
    requests: new HttpAgent({ ...proxy, ...reuse, maxSockets: maxRequestSockets }),
    leases: new HttpAgent({ ...proxy, ...reuse, maxSockets: 1 }),
    watches: new HttpAgent({ ...proxy, keepAlive: false }),
  }
}
