// Create and update: from what a client sent to what is stored. The order of the steps is that of a real server:
// complete, note who owns what, reset what this endpoint does not write, validate, ask admission, store.
import { type KubeObject, keyOf } from '../../core/object.ts'
import { admit } from './admission.ts'
import { finishIfReleased } from './delete.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  groupOf,
  invalid,
  invalidValue,
  notFound,
  staleVersion,
} from './errors.ts'
import { isEqual, isJson, jsonOf, valueAt, withField, withoutUndefined } from './json.ts'
import { ignoring, trackUpdate, type Writer } from './managed-fields.ts'
import { metadataProblems } from './metadata.ts'
import { type Server, viewOf } from './server.ts'
import { plainShape } from './shape.ts'
import type { ApiResource, Json } from './types.ts'

/** Who writes, and how. */
export type Actor = {
  readonly manager: string
  /** Components of the cluster write what users may not (a scheduler sets spec.nodeName): their updates skip the kind's checks. */
  readonly is: 'client' | 'component'
  readonly dryRun: boolean
}

export type Endpoint = 'object' | 'status'

const namespaceKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as const

export function writerOf(server: Server, resource: ApiResource, actor: Actor, endpoint: Endpoint): Writer {
  const hasStatus = resource.status === 'subresource'
  const ignores =
    endpoint === 'status'
      ? resource.statusMetadata === 'written'
        ? ignoring.spec
        : ignoring.allButStatus
      : hasStatus
        ? ignoring.status
        : ignoring.nothing
  return {
    manager: actor.manager,
    apiVersion: resource.apiVersion,
    ...(endpoint === 'status' ? { subresource: 'status' } : {}),
    typed: resource.origin === 'crd' ? 'untyped' : 'typed',
    time: server.now(),
    ignores,
  }
}

/** The object of a kind before anything was written. */
export const emptyOf = (resource: ApiResource): KubeObject =>
  ({ apiVersion: resource.apiVersion, kind: resource.kind, metadata: {}, ...resource.empty }) as unknown as KubeObject

/** The body as an object of this kind; throws 400 when it is none. */
export function objectOf(resource: ApiResource, body: unknown, namespace: string | undefined): KubeObject {
  if (!isJson(body)) throw badRequest('the request body must be a JSON object')
  const { apiVersion = resource.apiVersion, kind = resource.kind } = body
  if (apiVersion !== resource.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${resource.apiVersion})`,
    )
  }
  if (kind !== resource.kind) {
    throw badRequest(`${String(kind)} in version "${resource.apiVersion}" cannot be handled as a ${resource.kind}`)
  }
  if (body['metadata'] !== undefined && !isJson(body['metadata'])) throw badRequest('metadata must be an object')
  const metadata = withoutUndefined(jsonOf(body['metadata']))
  const stated = metadata['namespace']
  if (stated !== undefined && stated !== '' && stated !== (resource.namespaced ? namespace : undefined)) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
  return { ...withoutUndefined(body), apiVersion, kind, metadata } as unknown as KubeObject
}

/** Completes everything but the stated managedFields, where an empty list means something. */
export function completed(
  resource: ApiResource,
  object: KubeObject,
  old: KubeObject | undefined,
  source: 'sent' | 'merged',
): KubeObject {
  return resource.complete?.(object, old, source) ?? object
}

/** 404 for a namespace that is not there, 403 for one that ends. */
function checkNamespace(server: Server, resource: ApiResource, object: KubeObject): void {
  const { namespace, name } = object.metadata
  if (namespace === undefined) return
  const found = server.store.get(namespaceKind, namespace)
  const kind = server.find('v1', 'namespaces')
  if (found === undefined && kind !== undefined) throw notFound(kind, namespace)
  if (found?.metadata.deletionTimestamp === undefined) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  throw forbidden(resource, name, why, [cause])
}

/** New objects of a kind whose definition is being deleted are refused. */
function checkDefinition(server: Server, resource: ApiResource, name: string): void {
  if (resource.origin !== 'crd') return
  const crds = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  }
  const crd = server.store.get(crds, `${resource.plural}.${groupOf(resource.apiVersion)}`)
  if (crd?.metadata.deletionTimestamp === undefined) return
  throw forbidden(resource, name, 'create not allowed while custom resource definition is terminating')
}

function checkValid(
  resource: ApiResource,
  object: KubeObject,
  old: KubeObject | undefined,
  actor: Actor,
  endpoint: Endpoint,
): void {
  const problems = [
    ...(actor.is === 'component' && old !== undefined ? [] : (resource.validate?.(object, old, endpoint) ?? [])),
    ...metadataProblems(resource, object, old),
  ]
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems)
}

/** Metadata that the server gives; a name is made from generateName. */
export function born(server: Server, resource: ApiResource, object: KubeObject, namespace: string | undefined): KubeObject {
  const meta = object.metadata as KubeObject['metadata'] & Json
  const {
    resourceVersion: _,
    deletionTimestamp: __,
    deletionGracePeriodSeconds: ___,
    generation: ____,
    selfLink: _____,
    ...rest
  } = meta
  const prefix = typeof meta['generateName'] === 'string' ? meta['generateName'].slice(0, 58) : ''
  const name =
    meta.name === undefined || meta.name === '' ? (prefix === '' ? undefined : `${prefix}${server.store.newSuffix()}`) : meta.name
  const metadata = {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(resource.namespaced && namespace !== undefined ? { namespace } : {}),
    uid: server.store.newUid(),
    creationTimestamp: server.now(),
    ...(resource.generation === 'counted' ? { generation: 1 } : {}),
  }
  return { ...object, metadata }
}

/** Stores a new object. Throws 404/403 for its namespace, 409 when it exists, 422 when it is invalid. */
export function createObject(
  server: Server,
  resource: ApiResource,
  body: KubeObject,
  namespace: string | undefined,
  actor: Actor,
): KubeObject {
  if ((body.metadata.resourceVersion ?? '') !== '') throw badRequest('resourceVersion should not be set on objects to be created')
  const { managedFields, ...metadata } = body.metadata
  const object = completed(resource, born(server, resource, { ...body, metadata }, namespace), undefined, 'sent')
  const stated = managedFields === undefined ? object : { ...object, metadata: { ...object.metadata, managedFields } }
  const tracked = trackUpdate(
    undefined,
    emptyOf(resource),
    stated,
    resource.shape ?? plainShape,
    writerOf(server, resource, actor, 'object'),
  )
  return storeNew(server, resource, tracked, actor)
}

export function storeNew(server: Server, resource: ApiResource, object: KubeObject, actor: Actor): KubeObject {
  const isDropped = resource.status === 'subresource' && resource.statusOnCreate !== 'kept'
  const bare = isDropped ? withField(object, 'status', resource.empty?.['status']) : object
  const final = resource.prepare?.(bare, undefined) ?? bare
  checkDefinition(server, resource, final.metadata.name)
  checkNamespace(server, resource, final)
  checkValid(resource, final, undefined, actor, 'object')
  admit(server, { operation: 'CREATE', resource, object: final, dryRun: actor.dryRun })
  const key = keyOf(final.metadata.namespace === undefined ? { metadata: { name: final.metadata.name } } : final)
  const existing = server.store.get(resource, key)
  if (existing !== undefined) throw alreadyExists(resource, existing)
  return actor.dryRun ? final : server.store.commit(resource, key, 'ADDED', final)
}

export type UpdateInput = {
  readonly resource: ApiResource
  readonly key: string
  /** As stored, seen in the request's version. */
  readonly live: KubeObject
  readonly next: KubeObject
  readonly endpoint: Endpoint
  readonly actor: Actor
  /** `replace` (PUT) needs a resourceVersion for CRD kinds and takes a foreign uid for a failed precondition. */
  readonly by: 'replace' | 'patch'
}

/** Stores a changed object; a change that changes nothing is no write. Throws 409 for stale versions, 422 for invalid objects. */
export function updateObject(server: Server, input: UpdateInput): KubeObject {
  const { resource, live, next, actor, endpoint } = input
  checkVersion(input)
  const restored = restore(resource, live, next, endpoint)
  const { managedFields, ...metadata } = restored.metadata
  const object = completed(resource, { ...restored, metadata }, live, 'sent')
  const stated = managedFields === undefined ? object : { ...object, metadata: { ...object.metadata, managedFields } }
  const tracked = trackUpdate(
    live,
    emptyOf(resource),
    stated,
    resource.shape ?? plainShape,
    writerOf(server, resource, actor, endpoint),
  )
  return storeChanged(server, input, tracked)
}

function checkVersion({ resource, live, next, by }: UpdateInput): void {
  const { name } = live.metadata
  if (next.metadata.name !== undefined && next.metadata.name !== name) {
    throw badRequest(`the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`)
  }
  const { uid, resourceVersion } = next.metadata
  if (by === 'replace' && uid !== undefined && uid !== live.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ''}`
    throw conflict(resource, name, why)
  }
  if (resourceVersion === undefined || resourceVersion === '') {
    if (by === 'patch' || resource.origin !== 'crd') return
    // This one names the kind by its plural.
    throw invalid({ ...resource, kind: resource.plural }, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ])
  }
  if (resourceVersion !== live.metadata.resourceVersion) throw staleVersion(resource, name)
}

/** What no request may change, and what this endpoint does not write, is taken from the live object. */
export function restore(resource: ApiResource, live: KubeObject, next: KubeObject, endpoint: Endpoint): KubeObject {
  const kept = [
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
    'name',
  ] as const
  let metadata: KubeObject['metadata'] =
    next.metadata.uid === undefined ? withField(next.metadata, 'uid', live.metadata.uid) : next.metadata
  for (const field of kept) metadata = withField(metadata, field, live.metadata[field])
  if (resource.namespaced) metadata = withField(metadata, 'namespace', live.metadata.namespace)
  if (isEqual(metadata, live.metadata)) metadata = live.metadata
  const restored = withField(next, 'metadata', metadata)
  if (endpoint === 'status') return statusOnly(resource, live, restored)
  return resource.status === 'subresource' ? withField(restored, 'status', valueAt(live, ['status'])) : restored
}

/** A write to `/status` takes the status, and for built-in kinds the metadata, from the request. */
function statusOnly(resource: ApiResource, live: KubeObject, next: KubeObject): KubeObject {
  const metadata =
    resource.statusMetadata === 'written' ? next.metadata : withField(live.metadata, 'managedFields', next.metadata.managedFields)
  return withField(withField(live, 'metadata', metadata), 'status', valueAt(next, ['status']))
}

/** `metadata.generation` counts changes of what is wanted. */
function withGeneration(resource: ApiResource, live: KubeObject, next: KubeObject): KubeObject {
  if (resource.generation !== 'counted') return next
  const fields = [...new Set([...Object.keys(live), ...Object.keys(next)])]
  const watched = fields.filter(field => field !== 'metadata' && (field !== 'status' || resource.status !== 'subresource'))
  const isChanged = watched.some(field => !isEqual(valueAt(live, [field]), valueAt(next, [field])))
  if (!isChanged) return next
  return { ...next, metadata: { ...next.metadata, generation: (live.metadata.generation ?? 0) + 1 } }
}

export function storeChanged(server: Server, input: UpdateInput, tracked: KubeObject): KubeObject {
  const { resource, key, live, endpoint, actor } = input
  const prepared = endpoint === 'object' ? (resource.prepare?.(tracked, live) ?? tracked) : tracked
  const counted = endpoint === 'object' ? withGeneration(resource, live, prepared) : prepared
  checkValid(resource, counted, live, actor, endpoint)
  const final = withOldTimes(counted, live)
  admit(server, { operation: 'UPDATE', resource, object: final, oldObject: live, endpoint, dryRun: actor.dryRun })
  if (isEqual(final, live)) return live
  if (actor.dryRun) return final
  const finished = finishIfReleased(server, resource, key, live, final)
  return viewOf(resource, finished ?? server.store.commit(resource, key, 'MODIFIED', final))
}

/** A write that changes only the times in managedFields changes nothing. */
function withOldTimes(next: KubeObject, live: KubeObject): KubeObject {
  const before = live.metadata.managedFields ?? []
  const after = next.metadata.managedFields ?? []
  const untimed = (entries: typeof before) => entries.map(entry => withField(entry, 'time', undefined))
  if (before.length !== after.length || !isEqual(untimed(before), untimed(after))) return next
  const restored = withField(next, 'metadata', withField(next.metadata, 'managedFields', live.metadata.managedFields))
  return isEqual(restored, live) ? live : next
}
