// The call-out to admission webhooks, and to plugins that a server may have beside those of every server.
import type { KubeObject } from '../../core/object.ts'
import { ApiError, forbidden } from './errors.ts'
import type { Server } from './server.ts'
import type { ApiResource } from './types.ts'

type Question = {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly resource: ApiResource
  readonly object?: KubeObject
  readonly oldObject?: KubeObject
  readonly endpoint?: 'object' | 'status'
  readonly dryRun: boolean
}

/** Throws 403 when the webhook or plugin refuses; its warnings go into the answer. */
export function admit(server: Server, { operation, resource, object, oldObject, endpoint, dryRun }: Question): void {
  const about = object ?? oldObject
  if (server.options.admit === undefined || about === undefined) return
  const { name, namespace } = about.metadata
  const answer = server.options.admit({
    operation,
    resource,
    name,
    dryRun,
    ...(endpoint === 'status' ? { subresource: 'status' } : {}),
    ...(namespace === undefined ? {} : { namespace }),
    ...(object === undefined ? {} : { object }),
    ...(oldObject === undefined ? {} : { oldObject }),
  })
  server.warnings.push(...(answer.warnings ?? []))
  if (answer.allowed) return
  if (answer.pluginNames !== undefined) throw forbidden(resource, answer.pluginNames, answer.message ?? 'no reason given')
  const webhook = answer.webhook ?? 'validation'
  throw new ApiError(
    403,
    'Forbidden',
    `admission webhook "${webhook}" denied the request: ${answer.message ?? 'no reason given'}`,
    {},
  )
}
