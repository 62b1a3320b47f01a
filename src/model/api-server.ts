// A Kubernetes API server in memory. It is no mock: test/contract/suite.ts runs on it and on a real kube-apiserver.
// Read it from here: requests.ts (the verbs), create.ts, update.ts, apply.ts and delete.ts (what is stored), managed-fields.ts (who owns what),
// watch.ts and list.ts (what is told), endings.ts (what goes with a namespace or a definition).
import type { KubeObject, Resource } from '../core/object.ts'
import type { KubeRequest, KubeResponse, Transport } from '../shell/kube/transport.ts'
import { completeCrd, crdProblems, prepareCrd } from './api/crd.ts'
import { createObject } from './api/create.ts'
import { deleteObject } from './api/delete.ts'
import { endWhatIsDeleted } from './api/endings.ts'
import { ApiError, answerOf, jsonHeaders, pathNotFound } from './api/errors.ts'
import { Moments } from './api/list.ts'
import { parsePath, type Target } from './api/paths.ts'
import { resourceFor, respond, verbOf } from './api/requests.ts'
import { createServer, type Server, timeOf, viewOf } from './api/server.ts'
import type { ApiResource, ApiServerOptions, AuditEntry, Fault, ModelApi } from './api/types.ts'
import { updateObject } from './api/update.ts'
import { openWatch, type Watches, watchNotAllowed } from './api/watch.ts'
import type { Actor, Endpoint } from './api/write.ts'

export { builtInResources } from './api/built-in.ts'
export { ApiError } from './api/errors.ts'
export type {
  ApiServerOptions,
  AuditEntry,
  Change,
  Fault,
  ModelApi,
} from './api/types.ts'

const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Definitions need the time for their conditions. */
const withDefinitions = (options: ApiServerOptions): readonly ApiResource[] =>
  options.resources.map(resource =>
    resource.kind === 'CustomResourceDefinition'
      ? {
          ...resource,
          complete: (object, old, source) => completeCrd(resource.complete?.(object, old, source) ?? object, old),
          prepare: (object, old) => prepareCrd(object, old, timeOf(options.clock.nowMs())),
          validate: crdProblems,
        }
      : resource,
  )

const component = (manager: string): Actor => ({ manager, is: 'component', dryRun: false })

function kindOf(server: Server, resource: Resource): ApiResource {
  const found = server.find(resource.apiVersion, resource.plural)
  if (found === undefined) throw pathNotFound()
  return found
}

const isWrite = (request: KubeRequest) => request.method !== 'GET'

function brokenConnection(request: KubeRequest, when: string): Error {
  return new Error(`the connection broke ${when} ${request.method} ${request.path} was carried out`)
}

/** The server, empty but for the namespaces that every cluster has. */
export function createApiServer(options: ApiServerOptions): ModelApi {
  const server = createServer(options, withDefinitions(options))
  const moments = new Moments()
  const watches: Watches = { open: new Set() }
  let writes = 0
  endWhatIsDeleted(server)

  const answered = (request: KubeRequest, act: () => KubeResponse): KubeResponse => {
    server.warnings.length = 0
    try {
      const response = act()
      if (server.warnings.length === 0) return response
      const warning = server.warnings.map(text => `299 - ${JSON.stringify(text)}`).join(', ')
      return { ...response, headers: { ...response.headers, warning } }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const other = error.code === 404 ? options.otherwise?.(request) : undefined
      return other ?? answerOf(error)
    }
  }

  /** Applies the fault of this request, counts it and tells the audit. */
  const faulty = (request: KubeRequest, act: (target: Target) => KubeResponse): KubeResponse => {
    const fault: Fault = options.fault?.(request, isWrite(request)) ?? 'pass'
    if (fault === 'fail-before') throw brokenConnection(request, 'before')
    const before = server.store.version
    const target = parsePath(request.path)
    const response = typeof fault === 'object' ? fault : answered(request, () => act(target))
    const changed = server.store.version !== before
    if (changed && isWrite(request)) writes++
    options.audit?.(auditEntry(request, target, response.status, changed))
    if (fault === 'fail-after') throw brokenConnection(request, 'after')
    return response
  }

  const handle = (request: KubeRequest): KubeResponse =>
    faulty(request, target => {
      if (verbOf(request, target) === 'watch') throw watchNotAllowed()
      return respond(server, moments, request, target)
    })

  const watch = (request: KubeRequest, stop: AbortSignal): KubeResponse =>
    faulty(request, target => {
      if (target.is !== 'resource') throw pathNotFound()
      const { namespace, name } = target
      const query = request.query ?? {}
      const resource = resourceFor(server, target)
      const stream = openWatch(server, watches, { resource, namespace, name, query, silenceMs: request.silenceMs }, stop)
      return { status: 200, headers: jsonHeaders, body: undefined, stream }
    })

  const transport: Transport = (request, stop) =>
    new Promise((resolve, reject) => {
      if (stop.aborted)
        return reject(stop.reason instanceof Error ? stop.reason : new Error('stopped before the request was sent'))
      const isWatch = verbOf(request, parsePath(request.path)) === 'watch'
      resolve(isWatch ? watch(request, stop) : handle(request))
    })

  const change = (
    resource: Resource,
    key: string,
    edit: (object: KubeObject) => KubeObject,
    endpoint: Endpoint,
    manager: string,
  ) => {
    const kind = kindOf(server, resource)
    const stored = server.store.get(kind, key)
    if (stored === undefined) return undefined
    const live = viewOf(kind, stored)
    const next = edit(live)
    if (next === live) return live
    return updateObject(server, { resource: kind, key, live, next, endpoint, actor: component(manager), by: 'patch' })
  }

  const namespaces = server.find('v1', 'namespaces')
  for (const name of namespaces === undefined ? [] : firstNamespaces) {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    if (namespaces !== undefined) createObject(server, namespaces, object, undefined, component('kube-apiserver'))
  }

  return {
    transport,
    handle,
    resources: () => server.served(),
    list: (resource, namespace) => [...server.store.objects(resource, namespace).values()],
    get: (resource, key) => server.store.get(resource, key),
    by: (resource, field, value) => {
      const found = server.store.indexed(resource, field, value)
      if (found === undefined) throw new Error(`${resource.plural} have no index of ${field}; declare it in ApiResource.indexed`)
      return [...found.values()]
    },
    create: (resource, object, manager = 'model') => {
      const kind = kindOf(server, resource)
      return createObject(server, kind, object, kind.namespaced ? object.metadata.namespace : undefined, component(manager))
    },
    update: (resource, key, edit, manager = 'model') => change(resource, key, edit, 'object', manager),
    updateStatus: (resource, key, edit, manager = 'model') => change(resource, key, edit, 'status', manager),
    remove: (resource, key, removal = {}) => {
      const kind = kindOf(server, resource)
      if (server.store.get(kind, key) !== undefined) deleteObject(server, kind, key, removal, { dryRun: false })
    },
    subscribe: listener => server.store.subscribe(listener),
    cutWatches: how => {
      for (const cut of watches.open) cut(how)
    },
    compact: () => {
      server.store.compact()
      moments.forget()
    },
    get writes() {
      return writes
    },
  }
}

function auditEntry(request: KubeRequest, target: Target, status: number, changed: boolean): AuditEntry {
  const outcome = { verb: verbOf(request, target), manager: request.query?.['fieldManager'] ?? 'unknown', status, changed }
  if (target.is !== 'resource') return { ...outcome, resource: request.path }
  const { plural, namespace, name, subresource } = target
  return {
    ...outcome,
    resource: plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  }
}
