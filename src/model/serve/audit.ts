// One line for each request, in the form of kube-apiserver's audit log at level Metadata: who asked for what, and the answer's code.
// Source: Kubernetes documentation, "Auditing"; audit.k8s.io/v1.
import type { IncomingMessage } from 'node:http'
import type { KubeRequest } from '../../shell/kube/transport.ts'
import { parsePath } from '../api/paths.ts'
import { verbOf } from '../api/requests.ts'

export type AuditLog = {
  /** Milliseconds since the epoch, by the clients' clocks. */
  nowMs(): number
  /** Takes a line without its end. */
  write(line: string): void
}

/** What is told of one request: a watch when it has begun, everything when its answer is complete. */
export type RequestAudit = { begun(code: number): void; complete(code: number): void }

/** Call when the request arrives: that is its time. `request` is undefined for one that cannot be read. */
export function auditOf(log: AuditLog | undefined, message: IncomingMessage): (request: KubeRequest | undefined) => RequestAudit {
  if (log === undefined) return () => ({ begun: () => undefined, complete: () => undefined })
  const receivedMs = log.nowMs()
  return request => {
    const facts = factsOf(message, request)
    const tell = (stage: 'ResponseStarted' | 'ResponseComplete', code: number) =>
      log.write(
        JSON.stringify({
          kind: 'Event',
          apiVersion: 'audit.k8s.io/v1',
          level: 'Metadata',
          stage,
          ...facts,
          responseStatus: { metadata: {}, code },
          requestReceivedTimestamp: microTime(receivedMs),
          stageTimestamp: microTime(log.nowMs()),
        }),
      )
    return { begun: code => tell('ResponseStarted', code), complete: code => tell('ResponseComplete', code) }
  }
}

function factsOf({ method = '', url = '/', headers }: IncomingMessage, request: KubeRequest | undefined): object {
  const target = request === undefined ? undefined : parsePath(request.path)
  const verb = request === undefined || target === undefined ? method.toLowerCase() : verbOf(request, target)
  const who = { requestURI: url, verb, user: { username: 'simulation' }, userAgent: headers['user-agent'] ?? '' }
  if (target?.is !== 'resource') return who
  const { plural: resource, apiVersion, is: _, ...place } = target
  return { ...who, objectRef: { resource, ...place, apiVersion } }
}

/** RFC 3339 with microseconds, as metav1.MicroTime. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
