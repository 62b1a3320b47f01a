// A model API server behind a port of this machine, and a kubeconfig that leads to it: commands talk to it as to any cluster.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { ModelApi } from '../../src/model/api-server.ts'
import type { KubeRequest, KubeResponse } from '../../src/shell/kube/transport.ts'
import { filesOf } from './run-kmm.ts'

export type ServedCluster = {
  readonly kubeconfig: string
  /** `METHOD path?query` of each request, in order. */
  readonly requests: string[]
}

/** Serves until the test ends; the context's namespace is `drivers`. `answer` may stand in for the API server. */
export async function serve(
  context: TestContext,
  api: Pick<ModelApi, 'handle'>,
  answer: (request: KubeRequest) => KubeResponse | undefined = () => undefined,
): Promise<ServedCluster> {
  const requests: string[] = []
  const server = createServer((asked, reply) => {
    void text(asked).then(body => {
      const url = new URL(asked.url ?? '/', 'http://127.0.0.1')
      const contentType = asked.headers['content-type']
      const request: KubeRequest = {
        method: asked.method as KubeRequest['method'],
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        ...(contentType === undefined ? {} : { contentType }),
        ...(body === '' ? {} : { body: JSON.parse(body) as unknown }),
        deadlineMs: 1000,
      }
      requests.push(`${request.method} ${url.pathname}${url.search}`)
      const { status, body: said } = answer(request) ?? api.handle(request)
      reply.writeHead(status, { 'content-type': 'application/json' }).end(said === undefined ? '' : JSON.stringify(said))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'model',
    clusters: [{ name: 'model', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'model', user: { token: 'secret' } }],
    contexts: [{ name: 'model', context: { cluster: 'model', user: 'model', namespace: 'drivers' } }],
  }
  return { kubeconfig: join(filesOf(context, { config: JSON.stringify(config) }), 'config'), requests }
}
