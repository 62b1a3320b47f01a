import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

export type AuditEntry = {
  readonly userAgent: string
  readonly user: string
  /** Lower case: get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string
  /** Empty for paths that are no resources, such as /readyz. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly uri: string
  /** HTTP status. */
  readonly code: number
  /** When the request arrived: milliseconds since the epoch. */
  readonly timeMs: number
  /** A watch is told twice: when it started and when it ended. */
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic'
}

type AuditLine = {
  readonly stage: AuditEntry['stage']
  readonly verb: string
  readonly requestURI: string
  readonly userAgent?: string
  readonly user?: { readonly username?: string }
  readonly objectRef?: {
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
}

/** All requests that kube-apiserver has answered so far, in the order of their answers (audit.k8s.io/v1, level Metadata). */
export async function readAudit(file: string): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const entry = parseAuditLine(line)
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}

/** Undefined for a line that is still being written. */
export function parseAuditLine(line: string): AuditEntry | undefined {
  if (!line.endsWith('}')) return undefined
  const event = JSON.parse(line) as AuditLine
  return {
    userAgent: event.userAgent ?? '',
    user: event.user?.username ?? '',
    verb: event.verb,
    resource: event.objectRef?.resource ?? '',
    subresource: event.objectRef?.subresource ?? '',
    namespace: event.objectRef?.namespace ?? '',
    name: event.objectRef?.name ?? '',
    uri: event.requestURI,
    code: event.responseStatus?.code ?? 0,
    timeMs: Date.parse(event.requestReceivedTimestamp),
    stage: event.stage,
  }
}
