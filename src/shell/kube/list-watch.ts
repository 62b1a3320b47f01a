// Keeps up with one resource, for ever: list in pages, then watch from there; after a cut go on from the last version heard;
// when that is too old, list again. Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks",
// "410 Gone responses", "Retrieving large results sets in chunks".
import type { KubeObject, Resource } from '../../core/object.ts'
import { type Clock, sleep } from '../clock.ts'
import type { Log } from '../observe.ts'
import { type RetryLimits, retryAfterMs } from './backoff.ts'
import { ApiError, errorText, expectSuccess, isExpired, statusOf } from './errors.ts'
import { listPages } from './list-pages.ts'
import { collectionPath, resourceId } from './paths.ts'
import type { Transport, WatchEvent } from './transport.ts'
import { TransportError } from './transport-error.ts'

/** Where the objects go. Each object is whole (apiVersion and kind too) and not kept by the list-watch. */
export type Sink = {
  upsert(object: KubeObject): void
  remove(object: KubeObject): void
  /** The list is complete: whatever is not in it is gone. */
  listed(seen: (object: KubeObject) => boolean, resourceVersion: string): void
  /** Everything up to this version was heard, or is heard with the upsert or removal that follows at once. */
  reached(resourceVersion: string, by: 'event' | 'bookmark'): void
}

/** Times are of the monotonic clock; undefined: never. */
export type WatchState = {
  /** The list is complete, and the watch goes on from it without a gap. */
  readonly synced: boolean
  /** Last list page, event, bookmark or opened watch. */
  readonly lastHeardMs: number | undefined
  /** Last answer of any kind, also an HTTP error. */
  readonly lastAnswerMs: number | undefined
  readonly resourceVersion: string | undefined
  /** Attempts that failed one after the other. A list alone does not end the row: a server that refuses every watch
   *  would be listed in a hot loop. */
  readonly failures: number
  /** End of the last attempt that failed. */
  readonly lastFailedMs?: number | undefined
}

export type ListWatchOptions = {
  readonly resource: Resource
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly transport: Transport
  readonly clock: Clock
  /** From [0, 1). */
  readonly chance: () => number
  readonly log: Log
  readonly sink: Sink
}

const openDeadlineMs = 30_000
// The server sends a bookmark about once a minute; a connection that says nothing for longer is dead, whatever TCP thinks.
const silenceMs = 100_000
// The transport ends a silent watch itself; this is for one that does not.
const silenceGraceMs = 10_000
// A watch that ended sooner without a word is a failure too, or a server that closes at once would be asked in a hot loop.
const shortestWatchMs = 1_000
// So many refusals in a row without an event: the version may be what is wrong (an etcd restored from a backup).
const refusalsUntilList = 5
const limits: RetryLimits = { firstMs: 500, mostMs: 30_000 }

/** Begins to keep up with the resource. `done` resolves when `stop` is raised; it never rejects and never ends by itself. */
export function startListWatch(
  options: ListWatchOptions,
  stop: AbortSignal,
): { readonly state: WatchState; readonly done: Promise<void> } {
  const { resource, transport, clock, chance, log, sink } = options
  const path = collectionPath(resource)
  const selectors = {
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  }
  const state: { -readonly [K in keyof WatchState]: WatchState[K] } = {
    synced: false,
    lastHeardMs: undefined,
    lastAnswerMs: undefined,
    resourceVersion: undefined,
    failures: 0,
  }

  let refusals = 0

  const answered = () => {
    state.lastAnswerMs = clock.monotonicMs()
  }
  const heard = () => {
    answered()
    state.lastHeardMs = state.lastAnswerMs
  }

  // Without a resourceVersion in the query the list is the newest there is: what a lagging API server still has in its cache
  // could be older than what we have seen already, and time must not run backwards for planners that remove.
  async function listAll(): Promise<void> {
    const uids = new Set<string>()
    const idOf = (object: KubeObject) => object.metadata.uid ?? `${object.metadata.namespace ?? ''}/${object.metadata.name}`
    const version = await listPages(
      { resource, selectors, transport, nowMs: () => clock.nowMs(), answered, page: heard },
      {
        begin: () => uids.clear(),
        object: object => {
          uids.add(idOf(object))
          sink.upsert(object)
        },
      },
      stop,
    )
    state.resourceVersion = version
    state.synced = true
    refusals = 0
    sink.listed(object => uids.has(idOf(object)), version)
  }

  function take(event: WatchEvent): void {
    heard()
    if (event.type === 'ERROR') {
      const status = statusOf(event.object)
      throw new ApiError(`watch ${resource.plural}`, status.code ?? 500, status)
    }
    const object = event.object as KubeObject
    const version = object?.metadata?.resourceVersion
    if (version === undefined) throw new Error(`watch ${resource.plural}: a ${event.type} event without metadata.resourceVersion`)
    sink.reached(version, event.type === 'BOOKMARK' ? 'bookmark' : 'event')
    if (event.type === 'DELETED') sink.remove(object)
    if (event.type === 'ADDED' || event.type === 'MODIFIED') sink.upsert(object)
    state.resourceVersion = version
    state.failures = 0
    refusals = 0
  }

  async function watch(version: string): Promise<void> {
    const timeoutSeconds = String(Math.floor(300 + 300 * chance()))
    const attempt = new AbortController()
    stop.addEventListener('abort', () => attempt.abort(stop.reason), { once: true, signal: attempt.signal })
    const openedMs = clock.monotonicMs()
    let cancel = () => {}
    const guard = () => {
      const quietMs = clock.monotonicMs() - Math.max(state.lastHeardMs ?? 0, openedMs)
      const leftMs = silenceMs + silenceGraceMs - quietMs
      if (leftMs <= 0)
        return attempt.abort(new Error(`watch ${resource.plural}: nothing heard for ${Math.round(quietMs / 1000)} s`))
      cancel = clock.after(leftMs, guard)
    }
    guard()
    try {
      const query = { ...selectors, watch: 'true', allowWatchBookmarks: 'true', resourceVersion: version, timeoutSeconds }
      const response = await transport({ method: 'GET', path, query, deadlineMs: openDeadlineMs, silenceMs }, attempt.signal)
      answered()
      const { stream } = expectSuccess(`watch ${resource.plural}`, response, clock.nowMs())
      if (stream === undefined) throw new Error(`watch ${resource.plural}: the answer is no stream`)
      heard()
      for await (const event of untilAborted(stream, attempt.signal)) {
        if (stop.aborted) return
        take(event)
      }
    } finally {
      cancel()
      attempt.abort()
    }
    if (state.resourceVersion === version && clock.monotonicMs() - openedMs < shortestWatchMs) {
      throw new Error(`watch ${resource.plural}: the server closed it at once`)
    }
    state.failures = 0
  }

  // Of Events the API server has no cache: etcd's progress reports become its bookmarks, and etcd sends none while any Event comes, also
  // one that a field selector hides. So this watch may be silent and well, and a warning every 100 s would be a false alarm.
  const isQuietEvents = (error: unknown): boolean =>
    resource.kind === 'Event' && error instanceof TransportError && error.what === 'silence'

  async function keepUp(): Promise<void> {
    while (!stop.aborted) {
      try {
        if (!state.synced || state.resourceVersion === undefined) await listAll()
        else await watch(state.resourceVersion)
      } catch (error) {
        if (stop.aborted) return
        const expired = isExpired(error)
        if (error instanceof ApiError && error.status !== 429) refusals += 1
        if (expired || refusals >= refusalsUntilList) state.synced = false
        // The list after the first 410 costs nobody anything; only one that fails again has to wait.
        const wait = expired && state.failures === 0 ? 0 : retryAfterMs(state.failures, chance(), limits)
        state.failures += 1
        state.lastFailedMs = clock.monotonicMs()
        const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
        const waitMs = Math.max(wait, asked)
        log(expired ? 'info' : isQuietEvents(error) ? 'debug' : 'warn', errorText(error), {
          resource: resourceId(resource),
          failures: state.failures,
          againInMs: Math.round(waitMs),
        })
        if (waitMs > 0) await sleep(clock, waitMs, stop)
      }
    }
  }

  return { state, done: keepUp() }
}

/** The stream's events, until the signal is raised: then it throws the signal's reason, even if the stream does not notice. */
async function* untilAborted<T>(stream: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]()
  let give: (reason: unknown) => void = () => {}
  signal.addEventListener('abort', () => give(signal.reason), { once: true })
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<T, unknown>>((resolve, reject) => {
        give = reject
        iterator.next().then(resolve, reject)
        if (signal.aborted) reject(signal.reason as Error)
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    void iterator.return?.()?.then(undefined, () => {})
  }
}
