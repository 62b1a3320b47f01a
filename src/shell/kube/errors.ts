// HTTP errors of the API server as errors for people. Source: meta/v1 Status; RFC 9110, 10.2.3 (Retry-After).
import type { KubeRequest, KubeResponse } from './transport.ts'

// A server that asks for hours is a server that is mistaken: the cluster must not stay unwatched for so long.
const longestRetryAfterMs = 300_000

export type Status = { readonly code?: number; readonly reason?: string; readonly message?: string }

/** An HTTP status of 400 or more, or an ERROR event in a watch. */
export class ApiError extends Error {
  readonly status: number
  /** Machine-readable word of the server, for example `Conflict`, `Expired`, `Invalid`. */
  readonly reason: string
  readonly retryAfterMs: number | undefined

  constructor(what: string, status: number, body: Status, retryAfterMs?: number) {
    const reason = body.reason ?? ''
    super(
      `${what}: the API server answered ${status}${reason === '' ? '' : ` ${reason}`}${body.message === undefined ? '' : `: ${body.message}`}`,
    )
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The Status in a body, or an empty one where the server (or a proxy before it) sent something else. */
export function statusOf(body: unknown): Status {
  if (!isObject(body)) return typeof body === 'string' && body !== '' ? { message: body.slice(0, 200) } : {}
  const { code, reason, message } = body as Record<string, unknown>
  return {
    ...(typeof code === 'number' ? { code } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  }
}

/** Milliseconds that a Retry-After header asks for: seconds or an HTTP date. Undefined if absent or not readable. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestRetryAfterMs)
}

/** The response, if it is a success. Throws an ApiError otherwise. `what` begins the sentence: `list nodes`, `apply DaemonSet ns/name`. */
export function expectSuccess(what: string, response: KubeResponse, nowMs: number): KubeResponse {
  if (response.status < 400) return response
  throw new ApiError(what, response.status, statusOf(response.body), parseRetryAfter(response.headers['retry-after'], nowMs))
}

/** The resource version is too old to go on from: only a new list helps. */
export const isExpired = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone')

/** The server or the way to it is in trouble, as opposed to: it dislikes this very request. */
export const isOutage = (error: unknown): boolean => !(error instanceof ApiError) || error.status === 429 || error.status >= 500

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a request is about in a log: `GET /api/v1/nodes`. */
export const requestText = (request: KubeRequest): string => `${request.method} ${request.path}`
