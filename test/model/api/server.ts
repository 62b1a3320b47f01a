import type { KubeObject, Resource } from '../../../src/core/object.ts'
import { type ApiServerOptions, builtInResources, createApiServer } from '../../../src/model/api-server.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import type { KubeRequest, KubeResponse, WatchEvent } from '../../../src/shell/kube/transport.ts'

export const configMaps: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }
export const startMs = Date.UTC(2026, 0, 1)
const root = '/api/v1/namespaces/default/configmaps'

/** A server on a clock turned by hand, with the requests that these tests repeat. */
export function testServer(options: Partial<ApiServerOptions> = {}) {
  const clock = createVirtualClock(startMs)
  const api = createApiServer({ clock, resources: builtInResources, ...options })
  const send = (method: KubeRequest['method'], path: string, more: Partial<KubeRequest> = {}): KubeResponse =>
    api.handle({ method, path, deadlineMs: 1000, ...more })
  return {
    clock,
    api,
    send,
    create: (name: string, labels: Readonly<Record<string, string>> = {}) =>
      send('POST', root, { body: configMap(name, labels), query: { fieldManager: 'test' } }),
    label: (name: string, labels: object) =>
      send('PATCH', `${root}/${name}`, { body: { metadata: { labels } }, contentType: 'application/merge-patch+json' }),
    remove: (name: string) => send('DELETE', `${root}/${name}`),
    list: (query: Readonly<Record<string, string>> = {}) => send('GET', root, { query }),
    watch: async (query: Readonly<Record<string, string>> = {}, more: Partial<KubeRequest> = {}) => {
      const stop = new AbortController()
      const request = { method: 'GET' as const, path: root, query: { watch: 'true', ...query }, deadlineMs: 1000, ...more }
      const response = await api.transport(request, stop.signal)
      return follow(response, stop)
    },
  }
}

export const configMap = (name: string, labels: Readonly<Record<string, string>> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', labels },
})

/** Reads a watch as far as it goes; `told()` lets pending promises run first. */
function follow(response: KubeResponse, stop: AbortController) {
  const events: WatchEvent[] = []
  const state: { end: 'open' | 'closed' | Error } = { end: 'open' }
  const read = async () => {
    try {
      for await (const event of response.stream ?? []) events.push(event)
      state.end = 'closed'
    } catch (error) {
      state.end = error as Error
    }
  }
  void read()
  const settle = () => new Promise(resolve => setImmediate(resolve))
  return {
    response,
    stop: () => stop.abort(),
    told: async () => {
      await settle()
      return events.map(event => {
        const { metadata } = event.object as { readonly metadata?: { readonly name?: string } }
        return metadata?.name === undefined ? event.type : `${event.type} ${metadata.name}`
      })
    },
    events,
    end: async () => {
      await settle()
      return state.end
    },
  }
}
