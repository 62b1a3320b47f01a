import type { Clock } from '../clock.ts'
import { within } from '../deadline.ts'
import { requestText } from '../kube/errors.ts'
import type { Transport } from '../kube/transport.ts'
import type { Observe } from '../observe.ts'

// The transport keeps the deadline itself; this is for one that does not.
const graceMs = 5_000

/**
 * The transport, observed and under a second deadline. `succeeded` is called for every answer that is not an error of the
 * server, with who asked.
 */
export function observedTransport(
  transport: Transport,
  who: string,
  options: { readonly clock: Clock; readonly observe: Observe; readonly succeeded: (who: string) => void },
): Transport {
  const { clock, observe, succeeded } = options
  return async (request, stop) => {
    const startedMs = clock.monotonicMs()
    const about = { what: 'request' as const, method: request.method, path: request.path }
    try {
      const response = await within(requestText(request), request.deadlineMs + graceMs, clock, stop, () =>
        transport(request, stop),
      )
      observe({ ...about, status: response.status, durationMs: clock.monotonicMs() - startedMs })
      if (response.status < 500) succeeded(who)
      return response
    } catch (error) {
      observe({ ...about, durationMs: clock.monotonicMs() - startedMs })
      throw error
    }
  }
}
