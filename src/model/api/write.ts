// What create, update and apply share: who writes what through which endpoint, and what every object must hold.
import type { KubeObject } from '../../core/object.ts'
import { badRequest, invalid } from './errors.ts'
import { isJson, jsonOf, withoutUndefined } from './json.ts'
import { ignoring, type Writer } from './managed-fields.ts'
import { metadataProblems } from './metadata.ts'
import type { Server } from './server.ts'
import type { ApiResource } from './types.ts'

/** Who writes, and how. */
export type Actor = {
  readonly manager: string
  /** Components of the cluster write what users may not (a scheduler sets spec.nodeName): their updates skip the kind's checks. */
  readonly is: 'client' | 'component'
  readonly dryRun: boolean
}

export type Endpoint = 'object' | 'status'

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

export function checkValid(
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
