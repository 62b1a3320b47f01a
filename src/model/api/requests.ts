// One request, one answer: the verbs of the API on the store.
import type { KubeObject } from '../../core/object.ts'
import type { KubeRequest, KubeResponse } from '../../shell/kube/transport.ts'
import { applyObject } from './apply.ts'
import { createObject } from './create.ts'
import { deleteObject } from './delete.ts'
import { discoveryBody } from './discovery.ts'
import {
  ApiError,
  badRequest,
  invalid,
  jsonHeaders,
  methodNotAllowed,
  notFound,
  pageNotFound,
  pathNotFound,
  required,
  success,
} from './errors.ts'
import { isJson, jsonOf, textOf, valueAt } from './json.ts'
import { listBody, type Moments } from './list.ts'
import { jsonPatch, mergePatch, strategicMergePatch } from './patch.ts'
import type { Target } from './paths.ts'
import { type Server, viewOf } from './server.ts'
import type { ApiResource, AuditEntry, Propagation, RemoveOptions } from './types.ts'
import { updateObject } from './update.ts'
import { type Actor, type Endpoint, objectOf } from './write.ts'

export type ResourceTarget = Extract<Target, { is: 'resource' }>

export const verbOf = (request: KubeRequest, target: Target): AuditEntry['verb'] => {
  if (request.method === 'POST') return 'create'
  if (request.method === 'PUT') return 'update'
  if (request.method === 'PATCH') return 'patch'
  if (request.method === 'DELETE') return 'delete'
  if (request.query?.['watch'] === 'true' || request.query?.['watch'] === '1') return 'watch'
  return target.is === 'resource' && target.name === undefined ? 'list' : 'get'
}

/** The kind that a path names; throws 404 when it is not served, or not in this scope. */
export function resourceFor(server: Server, target: ResourceTarget): ApiResource {
  const resource = server.find(target.apiVersion, target.plural)
  if (resource === undefined) throw pathNotFound()
  if (!resource.namespaced && target.namespace !== undefined) throw pathNotFound()
  if (resource.namespaced && target.namespace === undefined && target.name !== undefined) throw pathNotFound()
  return resource
}

function endpointOf(resource: ApiResource, target: ResourceTarget): Endpoint {
  if (target.subresource === undefined) return 'object'
  if (target.subresource === 'status' && resource.status === 'subresource') return 'status'
  throw pathNotFound()
}

const answer = (status: number, body: unknown): KubeResponse => ({ status, headers: jsonHeaders, body })

function actorOf(request: KubeRequest): Actor {
  return { manager: request.query?.['fieldManager'] ?? 'unknown', is: 'client', dryRun: request.query?.['dryRun'] === 'All' }
}

/** Unknown fields of CRD kinds: a warning, or 400 under `fieldValidation=Strict`. */
function checkUnknownFields(server: Server, resource: ApiResource, request: KubeRequest, object: KubeObject): void {
  const directive = request.query?.['fieldValidation'] ?? 'Warn'
  if (directive === 'Ignore') return
  const unknown = (resource.unknownFields?.(object) ?? []).map(path => `unknown field "${path}"`)
  if (unknown.length === 0) return
  if (directive === 'Strict') throw badRequest(`strict decoding error: ${unknown.join(', ')}`)
  server.warnings.push(...unknown)
}

function post(server: Server, resource: ApiResource, target: ResourceTarget, request: KubeRequest): KubeResponse {
  if (target.name !== undefined || target.subresource !== undefined) throw methodNotAllowed(resource, 'create')
  if (resource.namespaced && target.namespace === undefined) throw methodNotAllowed(resource, 'create')
  const object = objectOf(resource, request.body, target.namespace)
  checkUnknownFields(server, resource, request, object)
  return answer(201, createObject(server, resource, object, target.namespace, actorOf(request)))
}

const keyOfTarget = (target: ResourceTarget) =>
  target.namespace === undefined ? (target.name ?? '') : `${target.namespace}/${target.name ?? ''}`

function found(server: Server, resource: ApiResource, target: ResourceTarget): KubeObject {
  const object = server.store.get(resource, keyOfTarget(target))
  if (object === undefined) throw notFound(resource, target.name ?? '')
  return viewOf(resource, object)
}

function put(server: Server, resource: ApiResource, target: ResourceTarget, request: KubeRequest): KubeResponse {
  const endpoint = endpointOf(resource, target)
  const live = found(server, resource, target)
  const next = objectOf(resource, request.body, target.namespace)
  checkUnknownFields(server, resource, request, next)
  const key = keyOfTarget(target)
  return answer(200, updateObject(server, { resource, key, live, next, endpoint, actor: actorOf(request), by: 'replace' }))
}

const unsupportedPatch = (types: readonly string[]) =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
    {},
  )

const [json, merge, apply, strategic] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
  'application/strategic-merge-patch+json',
] as const

function patched(resource: ApiResource, live: KubeObject, type: string, body: unknown): unknown {
  if (type === json) return jsonPatch(live, body)
  if (!isJson(body)) throw badRequest('error decoding patch: a merge patch is a JSON object')
  if (type === merge) return mergePatch(live, body)
  if (type === strategic && resource.origin !== 'crd') return strategicMergePatch(live, body, resource.shape)
  throw unsupportedPatch(resource.origin === 'crd' ? [json, merge, apply] : [json, merge, strategic, apply])
}

const patchOptions = { apiVersion: 'meta.k8s.io/v1', kind: 'PatchOptions', plural: '', namespaced: false } as const

function patch(server: Server, resource: ApiResource, target: ResourceTarget, request: KubeRequest): KubeResponse {
  const endpoint = endpointOf(resource, target)
  const type = (request.contentType ?? 'application/json').split(';')[0]?.trim() ?? ''
  const actor = actorOf(request)
  const key = keyOfTarget(target)
  if (type !== apply) {
    const live = found(server, resource, target)
    const next = objectOf(resource, patched(resource, live, type, request.body), target.namespace)
    checkUnknownFields(server, resource, request, next)
    return answer(200, updateObject(server, { resource, key, live, next, endpoint, actor, by: 'patch' }))
  }
  if (request.query?.['fieldManager'] === undefined) {
    throw invalid(patchOptions, '', [required('fieldManager', 'is required for apply patch')])
  }
  if (!isJson(request.body)) throw badRequest('error decoding YAML: the applied object must be an object')
  if (request.body['apiVersion'] === undefined || request.body['kind'] === undefined) {
    throw badRequest('the applied object must state apiVersion and kind')
  }
  const applied = objectOf(resource, request.body, target.namespace)
  const force = request.query['force'] === 'true' ? 'force' : 'ask'
  const name = target.name ?? ''
  const result = applyObject(server, { resource, key, name, namespace: target.namespace, applied, endpoint, actor, force })
  return answer(result.created ? 201 : 200, result.object)
}

function removeOptionsOf(request: KubeRequest): RemoveOptions {
  const body = jsonOf(request.body)
  const query = request.query ?? {}
  const grace =
    body['gracePeriodSeconds'] ?? (query['gracePeriodSeconds'] === undefined ? undefined : Number(query['gracePeriodSeconds']))
  const policy = textOf(body['propagationPolicy'] ?? query['propagationPolicy'])
  if (policy !== '' && !['Background', 'Foreground', 'Orphan'].includes(policy)) {
    throw badRequest(`Unsupported value: "${policy}": supported values: "Background", "Foreground", "Orphan"`)
  }
  const uid = textOf(valueAt(body, ['preconditions', 'uid']))
  const resourceVersion = textOf(valueAt(body, ['preconditions', 'resourceVersion']))
  return {
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(policy === '' ? {} : { propagation: policy as Propagation }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  }
}

function remove(server: Server, resource: ApiResource, target: ResourceTarget, request: KubeRequest): KubeResponse {
  if (target.name === undefined || target.subresource !== undefined) throw methodNotAllowed(resource, 'delete')
  const dryRun = actorOf(request).dryRun || JSON.stringify(jsonOf(request.body)['dryRun']) === '["All"]'
  const deletion = deleteObject(server, resource, keyOfTarget(target), removeOptionsOf(request), { dryRun })
  const isStatus = deletion.is === 'removed' && resource.kind !== 'Pod'
  return answer(200, isStatus ? success(resource, deletion.object) : viewOf(resource, deletion.object))
}

const isUnknownGroup = (server: Server, target: ResourceTarget) =>
  target.apiVersion.includes('/') && !server.served().some(resource => resource.apiVersion === target.apiVersion)

/** Carries out everything but watches. Throws `ApiError`. */
export function respond(server: Server, moments: Moments, request: KubeRequest, target: Target): KubeResponse {
  if (target.is !== 'resource') {
    const body = target.is === 'discovery' && request.method === 'GET' ? discoveryBody(target.parts, server.served()) : undefined
    return body === undefined ? pageNotFound : answer(200, body)
  }
  if (isUnknownGroup(server, target)) return pageNotFound
  const resource = resourceFor(server, target)
  switch (request.method) {
    case 'GET':
      if (target.name === undefined)
        return answer(200, listBody(server, moments, resource, target.namespace, request.query ?? {}))
      endpointOf(resource, target)
      return answer(200, found(server, resource, target))
    case 'POST':
      return post(server, resource, target, request)
    case 'PUT':
      return put(server, resource, target, request)
    case 'PATCH':
      return patch(server, resource, target, request)
    case 'DELETE':
      return remove(server, resource, target, request)
    default:
      throw methodNotAllowed(resource, String(request.method satisfies never))
  }
}
