// The Status objects with which a Kubernetes API server answers when it refuses. Source: apimachinery, pkg/api/errors.
import type { KubeObject } from '../../core/object.ts'
import type { KubeResponse } from '../../shell/kube/transport.ts'
import type { ApiResource, FieldProblem, Json } from './types.ts'

export type StatusCause = { readonly reason: string; readonly message: string; readonly field: string }

export type Status = {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Json
  readonly status: 'Failure' | 'Success'
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
  readonly code?: number
}

/** A refusal; `status.code` is the HTTP status. */
export class ApiError extends Error {
  readonly status: Status
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Status['details'],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'ApiError'
    this.headers = headers
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    }
  }

  get code(): number {
    return this.status.code ?? 500
  }
}

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
const qualified = (resource: ApiResource) => {
  const group = groupOf(resource.apiVersion)
  return group === '' ? resource.plural : `${resource.plural}.${group}`
}
const qualifiedKind = (resource: ApiResource) => {
  const group = groupOf(resource.apiVersion)
  return group === '' ? resource.kind : `${resource.kind}.${group}`
}
const detailsOf = (resource: ApiResource, name: string) => {
  const group = groupOf(resource.apiVersion)
  return { name, ...(group === '' ? {} : { group }), kind: resource.plural }
}

export const notFound = (resource: ApiResource, name: string) =>
  new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name))

export const pathNotFound = () => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})

/** For groups that nobody serves the answer is not even a Status. */
export const pageNotFound: KubeResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: '404 page not found\n',
}

export function alreadyExists(resource: ApiResource, existing: KubeObject): ApiError {
  const { name, deletionTimestamp } = existing.metadata
  const hint = deletionTimestamp === undefined ? '' : 'object is being deleted: '
  return new ApiError(409, 'AlreadyExists', `${hint}${qualified(resource)} "${name}" already exists`, detailsOf(resource, name))
}

export const conflict = (resource: ApiResource, name: string, why: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  )

export const staleVersion = (resource: ApiResource, name: string) =>
  conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again')

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)

export const expired = (message: string) => new ApiError(410, 'Expired', message)

export const forbidden = (resource: ApiResource, name: string, why: string, causes?: readonly StatusCause[]) =>
  new ApiError(403, 'Forbidden', `${qualified(resource)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(resource, name),
    ...(causes === undefined ? {} : { causes }),
  })

export const methodNotAllowed = (resource: ApiResource, action: string) =>
  new ApiError(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${qualified(resource)}"`, {
    kind: resource.plural,
  })

/** 422 with every field; one problem is written plainly, several in brackets. */
export function invalid(resource: ApiResource, name: string, problems: readonly FieldProblem[]): ApiError {
  const unique = [...new Map(problems.map(problem => [`${problem.path}: ${problem.message}`, problem])).values()]
  const sentences = unique.map(problem => `${problem.path}: ${problem.message}`)
  const text = sentences.length === 1 ? sentences[0] : `[${sentences.join(', ')}]`
  const group = groupOf(resource.apiVersion)
  return new ApiError(422, 'Invalid', `${qualifiedKind(resource)} "${name}" is invalid: ${text}`, {
    name,
    ...(group === '' ? {} : { group }),
    kind: resource.kind,
    causes: problems.map(problem => ({ reason: problem.reason, message: problem.message, field: problem.path })),
  })
}

/** A patch that cannot be carried out, for example a failed `test`. The real server keeps the cause to itself. */
export const unprocessable = () =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

/** A resourceVersion that is none; a watch takes it for an error of the server (500). */
export function notANumber(text: string, code: 400 | 500): ApiError {
  const message = `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
  return code === 400 ? badRequest(`invalid resource version: ${message}`) : new ApiError(500, '', message)
}

/** The answer to a delete that removed the object at once. */
export function success(resource: ApiResource, object: KubeObject): Status {
  const { uid } = object.metadata
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...detailsOf(resource, object.metadata.name), ...(uid === undefined ? {} : { uid }) },
  }
}

export const jsonHeaders = { 'content-type': 'application/json' } as const

export const answerOf = (error: ApiError): KubeResponse => ({
  status: error.code,
  headers: { ...jsonHeaders, ...error.headers },
  body: error.status,
})

/** Go's %q of a value, as field errors print it. */
export const quoted = (value: unknown): string => JSON.stringify(value) ?? 'null'

export const required = (path: string, hint = ''): FieldProblem => ({
  path,
  reason: 'FieldValueRequired',
  message: hint === '' ? 'Required value' : `Required value: ${hint}`,
})
export const invalidValue = (path: string, value: unknown, why: string): FieldProblem => ({
  path,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${quoted(value)}: ${why}`,
})
export const notSupported = (path: string, value: unknown, supported: readonly unknown[]): FieldProblem => ({
  path,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${quoted(value)}: supported values: ${supported.map(quoted).join(', ')}`,
})
export const forbiddenField = (path: string, why: string): FieldProblem => ({
  path,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
})
