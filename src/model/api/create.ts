// A new object, from what a client sent to what is stored. The order of the steps is that of a real server: give it an identity,
// complete it, note who owns what, drop what a create does not write, validate, ask admission, store.
import { type KubeObject, keyOf } from '../../core/object.ts'
import { admit } from './admission.ts'
import { alreadyExists, badRequest, forbidden, groupOf, notFound } from './errors.ts'
import { withField } from './json.ts'
import { trackUpdate } from './managed-fields.ts'
import { checkPodSecurity } from './pod-security.ts'
import { checkQuota } from './quota.ts'
import type { Server } from './server.ts'
import { plainShape } from './shape.ts'
import type { ApiResource, Json } from './types.ts'
import { type Actor, checkValid, completed, emptyOf, writerOf } from './write.ts'

const namespaceKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as const

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
  const isGenerated = (meta.name === undefined || meta.name === '') && prefix !== ''
  const name = isGenerated ? freeName(server, resource, prefix, namespace) : meta.name
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

const nameTries = 8

/** Five letters after the prefix; another try when that name is taken. */
function freeName(server: Server, resource: ApiResource, prefix: string, namespace: string | undefined): string {
  const scope = resource.namespaced && namespace !== undefined ? `${namespace}/` : ''
  for (let tries = 1; ; tries++) {
    const name = `${prefix}${server.store.newSuffix()}`
    if (tries === nameTries || server.store.get(resource, `${scope}${name}`) === undefined) return name
  }
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
  checkPodSecurity(server, resource, final)
  admit(server, { operation: 'CREATE', resource, object: final, dryRun: actor.dryRun })
  const charge = checkQuota(server, resource, final)
  const key = keyOf(final.metadata.namespace === undefined ? { metadata: { name: final.metadata.name } } : final)
  const existing = server.store.get(resource, key)
  if (existing !== undefined) throw alreadyExists(resource, existing)
  if (actor.dryRun) return final
  charge()
  return server.store.commit(resource, key, 'ADDED', final)
}
