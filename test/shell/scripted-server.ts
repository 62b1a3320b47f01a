// The API server's side of list and watch for one resource, to be told when to misbehave.
import type { KubeObject } from '../../src/core/object.ts'
import type { KubeRequest, KubeResponse, Transport, WatchEvent } from '../../src/shell/kube/transport.ts'

type Connection = { push(event: WatchEvent): void; close(): void; cut(error: Error): void }

function openStream(stop: AbortSignal): Connection & { stream: AsyncIterable<WatchEvent> } {
  const waiting: WatchEvent[] = []
  let end: 'open' | 'closed' | Error = 'open'
  let wake = () => {}
  const finish = (how: 'closed' | Error) => {
    if (end === 'open') end = how
    wake()
  }
  stop.addEventListener('abort', () => finish(stop.reason as Error), { once: true })
  async function* events(): AsyncGenerator<WatchEvent> {
    for (;;) {
      const event = waiting.shift()
      if (event !== undefined) yield event
      else if (end === 'closed') return
      else if (end !== 'open') throw end
      else await new Promise<void>(resolve => (wake = resolve))
    }
  }
  return {
    stream: events(),
    push: event => {
      waiting.push(event)
      wake()
    },
    close: () => finish('closed'),
    cut: finish,
  }
}

export const status = (code: number, reason: string, headers: Readonly<Record<string, string>> = {}): KubeResponse => ({
  status: code,
  headers,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `${reason} it is` },
})

export type ScriptedServer = {
  readonly transport: Transport
  readonly requests: KubeRequest[]
  readonly connections: Connection[]
  /** Writes an object, without telling the watchers. */
  put(name: string, fields?: object): KubeObject
  drop(name: string): KubeObject
  /** The next requests get these answers instead: a response, or a broken connection. */
  readonly faults: ((request: KubeRequest) => KubeResponse | Error | undefined)[]
  version: number
}

/** A server of ConfigMap-like objects without apiVersion and kind, as items of typed lists are. */
export function scriptedServer(): ScriptedServer {
  const objects = new Map<string, KubeObject>()
  const requests: KubeRequest[] = []
  const connections: Connection[] = []
  const faults: ScriptedServer['faults'] = []

  const server: ScriptedServer = {
    requests,
    connections,
    faults,
    version: 100,
    put: (name, fields = {}) => {
      server.version += 1
      const metadata = {
        name,
        uid: objects.get(name)?.metadata.uid ?? `uid-${server.version}`,
        resourceVersion: String(server.version),
      }
      const object = { metadata, ...fields } as unknown as KubeObject
      objects.set(name, object)
      return object
    },
    drop: name => {
      server.version += 1
      const object = objects.get(name)
      if (object === undefined) throw new Error(`no ${name}`)
      objects.delete(name)
      return { ...object, metadata: { ...object.metadata, resourceVersion: String(server.version) } }
    },
    transport: (request, stop) => {
      if (stop.aborted) return Promise.reject(stop.reason as Error)
      requests.push(request)
      const fault = faults.shift()?.(request)
      if (fault instanceof Error) return Promise.reject(fault)
      if (fault !== undefined) return Promise.resolve(fault)
      if (request.query?.['watch'] === 'true') {
        const { stream, ...connection } = openStream(stop)
        connections.push(connection)
        return Promise.resolve({ status: 200, headers: {}, body: undefined, stream })
      }
      return Promise.resolve(list(request))
    },
  }

  function list({ query = {} }: KubeRequest): KubeResponse {
    const all = [...objects.values()]
    const from = Number(query['continue'] ?? 0)
    const limit = Number(query['limit'] ?? all.length)
    const items = all.slice(from, from + limit)
    const next = from + limit < all.length ? { continue: String(from + limit) } : {}
    return {
      status: 200,
      headers: {},
      body: { kind: 'ThingList', metadata: { resourceVersion: String(server.version), ...next }, items },
    }
  }

  return server
}
