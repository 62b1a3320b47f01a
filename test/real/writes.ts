// What the operator asked of the API server, from its audit log.
import type { AuditEntry } from '../control-plane/audit.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const writing: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** All requests of operators so far. */
export async function operatorRequests(plane: ControlPlane): Promise<readonly AuditEntry[]> {
  return (await plane.audit()).filter(({ userAgent }) => userAgent.startsWith('kmm/'))
}

/** Their writes, refused ones too. Lease renewals and Events are not counted (decisions.md 6). */
export async function operatorWrites(plane: ControlPlane): Promise<readonly AuditEntry[]> {
  const isCounted = ({ verb, resource }: AuditEntry) => writing.includes(verb) && resource !== 'leases' && resource !== 'events'
  return (await operatorRequests(plane)).filter(isCounted)
}

/** `patch modules/status default/driver 200`. */
export const told = ({ verb, resource, subresource, namespace, name, code }: AuditEntry): string =>
  `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${namespace === '' ? '' : `${namespace}/`}${name} ${code}`

/**
 * Writes that the API server refused, but for those that lost a race and are tried again: a conflict, and a JSON patch of a pod whose
 * tests no longer hold (422) or that is gone.
 */
export const refusedWrites = (writes: readonly AuditEntry[]): readonly string[] =>
  writes
    .filter(({ code, resource }) => code >= 400 && code !== 409 && !(resource === 'pods' && (code === 422 || code === 404)))
    .map(told)
