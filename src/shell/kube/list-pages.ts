// One list of a resource, in pages. Source: Kubernetes API concepts, "Retrieving large results sets in chunks", "410 Gone responses".
import type { KubeObject, Resource } from '../../core/object.ts'
import { ApiError, expectSuccess, isExpired } from './errors.ts'
import { collectionPath } from './paths.ts'
import type { Transport } from './transport.ts'

const pageSize = 500
const pageDeadlineMs = 60_000

export type ListRequest = {
  readonly resource: Resource
  /** Only the objects of this namespace; of all where absent. */
  readonly namespace?: string
  /** `labelSelector` and `fieldSelector` of the query. */
  readonly selectors: Readonly<Record<string, string>>
  readonly transport: Transport
  readonly nowMs: () => number
  /** After every answer, also an HTTP error; after every page that is one. */
  readonly answered?: () => void
  readonly page?: () => void
}

export type ListTaker = {
  /** A list begins. Called again when it has to begin anew: what was taken so far belongs to no one version. */
  begin(): void
  /** Each object is whole (apiVersion and kind too). */
  object(object: KubeObject): void
}

type List = {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items?: readonly object[] | null
}

/**
 * Lists all objects and resolves to the version that the list belongs to. Where the pages take longer than the server keeps their
 * version, the list is taken anew in one piece, which cannot expire. Throws an ApiError, or what the transport throws.
 */
export async function listPages(request: ListRequest, taker: ListTaker, stop: AbortSignal): Promise<string> {
  try {
    return await listInPages(request, taker, pageSize, stop)
  } catch (error) {
    if (isExpired(error)) return listInPages(request, taker, undefined, stop)
    throw error
  }
}

async function listInPages(request: ListRequest, taker: ListTaker, size: number | undefined, stop: AbortSignal): Promise<string> {
  const { resource } = request
  taker.begin()
  let next: string | undefined
  for (;;) {
    const list: List = await page(
      request,
      { ...(size === undefined ? {} : { limit: String(size) }), ...(next === undefined ? {} : { continue: next }) },
      stop,
    )
    // Items of a typed list come without apiVersion and kind.
    for (const item of list.items ?? [])
      taker.object({ apiVersion: resource.apiVersion, kind: resource.kind, ...item } as KubeObject)
    next = list.metadata?.continue
    if (next === undefined || next === '') return list.metadata?.resourceVersion ?? ''
  }
}

async function page(request: ListRequest, query: Readonly<Record<string, string>>, stop: AbortSignal): Promise<List> {
  const { resource, namespace, selectors, transport } = request
  const path = collectionPath(resource, namespace)
  const response = await transport({ method: 'GET', path, query: { ...selectors, ...query }, deadlineMs: pageDeadlineMs }, stop)
  request.answered?.()
  const list = expectSuccess(`list ${resource.plural}`, response, request.nowMs()).body as List
  if (list?.metadata?.resourceVersion === undefined) {
    throw new ApiError(`list ${resource.plural}`, response.status, { message: 'the answer is no list' })
  }
  request.page?.()
  return list
}
