// Lists, in pages of one moment. Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
import type { KubeObject } from '../../core/object.ts'
import { ApiError, badRequest, notANumber } from './errors.ts'
import { isJson } from './json.ts'
import { type Matcher, matcherOf } from './selectors.ts'
import { type Server, viewOf } from './server.ts'
import type { ApiResource, Json } from './types.ts'

type Page = { readonly items: readonly KubeObject[]; readonly version: number; readonly madeMs: number }
/** `id` names a kept moment; without it the rest is read as it is now, after `after`. */
type Token = { readonly id?: number; readonly start?: number; readonly after: string; readonly version: number }

const keepMs = 5 * 60_000
const keptMoments = 32

/** The moments that continue tokens lead back to. */
export class Moments {
  readonly #pages = new Map<number, Page>()
  #next = 0

  keep(page: Page): number {
    const [oldest] = this.#pages.keys()
    if (this.#pages.size >= keptMoments && oldest !== undefined) this.#pages.delete(oldest)
    this.#pages.set(++this.#next, page)
    return this.#next
  }

  find(id: number, nowMs: number): Page | undefined {
    const page = this.#pages.get(id)
    return page !== undefined && nowMs - page.madeMs < keepMs ? page : undefined
  }

  forget(): void {
    this.#pages.clear()
  }
}

const printToken = (token: Token) => Buffer.from(JSON.stringify(token)).toString('base64url')

function parseToken(text: string): Token {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (isJson(token) && typeof token['after'] === 'string' && typeof token['version'] === 'number') return token as Token
  } catch {
    // Falls through to the error below.
  }
  throw badRequest('invalid continue token: continue key is not valid')
}

/** All matching objects in the order of their keys. Uses an index where the selector allows it. */
export function matching(
  server: Server,
  resource: ApiResource,
  namespace: string | undefined,
  matcher: Matcher | undefined,
): readonly KubeObject[] {
  const { store } = server
  const equals = matcher?.equals
  const fits = (object: KubeObject) => matcher === undefined || matcher.matches(object)
  const found = equals === undefined ? undefined : store.indexed(resource, equals.field, equals.value)
  if (found !== undefined || namespace !== undefined) {
    const objects = found ?? store.objects(resource, namespace)
    const keys = [...objects.keys()].sort()
    const inScope = (object: KubeObject) => namespace === undefined || object.metadata.namespace === namespace
    return keys.flatMap(key => {
      const object = objects.get(key)
      return object !== undefined && inScope(object) && fits(object) ? [object] : []
    })
  }
  const objects = store.objects(resource)
  return store.sortedKeys(resource).flatMap(key => {
    const object = objects.get(key)
    return object !== undefined && fits(object) ? [object] : []
  })
}

const tooLarge = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }

const lastKey = (object: KubeObject | undefined) =>
  object === undefined
    ? ''
    : `${object.metadata.namespace === undefined ? '' : `${object.metadata.namespace}/`}${object.metadata.name}`

const tooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

function expiredToken(token: Token): ApiError {
  const error = new ApiError(410, 'Expired', tooOld)
  const metadata = { continue: printToken({ after: token.after, version: -1 }) }
  Object.assign(error.status, { metadata })
  return error
}

type Rest = { readonly page: Page; readonly start: number; readonly id: number | undefined }

function firstOrRest(server: Server, moments: Moments, all: () => readonly KubeObject[], text: string | undefined): Rest {
  const nowMs = server.clock.nowMs()
  const now = () => ({ items: all(), version: server.store.version, madeMs: nowMs })
  if (text === undefined || text === '') return { page: now(), start: 0, id: undefined }
  const token = parseToken(text)
  if (token.id === undefined) {
    const page = now()
    const start = page.items.findIndex(object => lastKey(object) > token.after)
    return { page, start: start < 0 ? page.items.length : start, id: undefined }
  }
  const page = moments.find(token.id, nowMs)
  if (page === undefined) throw expiredToken(token)
  return { page, start: token.start ?? 0, id: token.id }
}

/** The body of a list. Items of built-in kinds lack apiVersion and kind, as a real server's do. Throws 400, or 410 for an old token. */
export function listBody(
  server: Server,
  moments: Moments,
  resource: ApiResource,
  namespace: string | undefined,
  query: Readonly<Record<string, string>>,
): Json {
  const matcher = matcherOf(resource, query['labelSelector'], query['fieldSelector'])
  const wanted = Number(query['resourceVersion'] ?? 0)
  if (Number.isNaN(wanted)) throw notANumber(query['resourceVersion'] ?? '', 400)
  if (wanted > server.store.version) {
    const message = `Timeout: Too large resource version: ${wanted}, current: ${server.store.version}`
    throw new ApiError(504, 'Timeout', message, { causes: [tooLarge], retryAfterSeconds: 1 }, { 'retry-after': '1' })
  }
  const limit = Number(query['limit'] ?? 0)
  const { page, start, id } = firstOrRest(
    server,
    moments,
    () => matching(server, resource, namespace, matcher),
    query['continue'],
  )
  const end = limit > 0 ? Math.min(start + limit, page.items.length) : page.items.length
  const items = page.items.slice(start, end)
  const isMore = end < page.items.length
  const more = isMore
    ? {
        continue: printToken({ id: id ?? moments.keep(page), start: end, after: lastKey(items.at(-1)), version: page.version }),
        ...(matcher === undefined ? { remainingItemCount: page.items.length - end } : {}),
      }
    : {}
  return {
    kind: `${resource.kind}List`,
    apiVersion: resource.apiVersion,
    metadata: { resourceVersion: String(page.version), ...more },
    items: resource.origin === 'crd' ? items.map(item => viewOf(resource, item)) : items.map(withoutKind),
  }
}

function withoutKind(object: KubeObject): Json {
  const { apiVersion: _, kind: __, ...rest } = object
  return rest
}
