// The four requests of an election. All are optimistic: a write states the version that was read, so of two only one succeeds.
import type { Clock } from '../clock.ts'
import { within } from '../deadline.ts'
import { ApiError, expectSuccess } from '../kube/errors.ts'
import { collectionPath, objectPath } from '../kube/paths.ts'
import type { KubeRequest, Transport } from '../kube/transport.ts'
import { type Lease, leases } from './lease.ts'

export type LeaseRequests = {
  /** Undefined when there is none. Rejects on anything else but success, as the others do. */
  read(limit: Limit): Promise<Lease | undefined>
  /** Undefined when somebody created it just now. */
  create(lease: Lease, limit: Limit): Promise<Lease | undefined>
  /** Undefined when it is no longer this version, or gone. */
  replace(lease: Lease, limit: Limit): Promise<Lease | undefined>
}

export type Limit = { readonly deadlineMs: number; readonly stop: AbortSignal }

export function leaseRequests(transport: Transport, clock: Clock, namespace: string, name: string): LeaseRequests {
  const key = `${namespace}/${name}`
  const send = async (
    verb: string,
    request: Omit<KubeRequest, 'deadlineMs'>,
    { deadlineMs, stop }: Limit,
    refused: readonly number[],
  ): Promise<Lease | undefined> => {
    const what = `${verb} Lease ${key}`
    // The transport has the deadline too; this one also ends a transport that does not notice.
    const response = await within(what, deadlineMs, clock, stop, inner => transport({ ...request, deadlineMs }, inner))
    if (refused.includes(response.status) && !isNamespaceMissing(response.body, namespace)) return undefined
    return expectSuccess(what, response, clock.nowMs()).body as Lease
  }
  return {
    read: limit => send('get', { method: 'GET', path: objectPath(leases, key) }, limit, [404]),
    create: (body, limit) => send('create', { method: 'POST', path: collectionPath(leases, namespace), body }, limit, [409]),
    replace: (body, limit) => send('update', { method: 'PUT', path: objectPath(leases, key), body }, limit, [404, 409]),
  }
}

/** A create into a namespace that does not exist is a 404 too, but no reason to try again soon: it is told. */
function isNamespaceMissing(body: unknown, namespace: string): boolean {
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
  return message.startsWith(`namespaces "${namespace}"`)
}

/** What went wrong, with what to do where it is known. */
export function electionTrouble(error: unknown, namespace: string): string {
  const text = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ApiError)) return text
  if (error.status === 403)
    return `${text}. Allow the operator's service account to get, create and update leases.coordination.k8s.io in namespace ${namespace}`
  return error.status === 404
    ? `${text}. Create namespace ${namespace}, or set OPERATOR_NAMESPACE to the one that the operator runs in`
    : text
}
