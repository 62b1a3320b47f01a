// One client, two servers: everything the shell says to Kubernetes goes through one function. `shell/kube/https.ts` sends it to
// a real API server, `model/api-server.ts` answers it in memory.

export type KubeRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path without query, for example `/apis/apps/v1/namespaces/ns/daemonsets/name/status`. */
  readonly path: string
  /** For example { watch: 'true', resourceVersion: '12' }. Values are not yet percent-encoded. */
  readonly query?: Readonly<Record<string, string>>
  /** Of a body; JSON unless said otherwise. `application/apply-patch+yaml` bodies are sent as JSON, which is YAML. */
  readonly contentType?: string
  readonly body?: unknown
  /** The whole request, or for a watch the time until the response's head, must be done in this time. */
  readonly deadlineMs: number
  /** For a watch: fail when nothing (event or bookmark) arrives for this long. */
  readonly silenceMs?: number
}

export type KubeResponse = {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON; undefined for a watch. */
  readonly body: unknown
  /** For a watch with status 200: the parsed events, in order. Ends when the server closes; throws when the connection breaks. */
  readonly stream?: AsyncIterable<WatchEvent>
}

export type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** Rejects on a broken connection, a passed deadline or `stop`; an HTTP error status is a response, not a rejection. */
export type Transport = (request: KubeRequest, stop: AbortSignal) => Promise<KubeResponse>
