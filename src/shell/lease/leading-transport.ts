import type { Transport } from '../kube/transport.ts'

/**
 * Sends writes only while this process leads, as told by the clock at that very instant: after a pause of the whole process its first
 * steps may come before the timer that ends its lead. Reads always pass.
 */
export function leadingTransport(transport: Transport, isLeader: () => boolean): Transport {
  return (request, stop) =>
    request.method === 'GET' || isLeader()
      ? transport(request, stop)
      : Promise.reject(new Error(`${request.method} ${request.path}: not sent, because this process does not lead any more`))
}
