// Watches. Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks", "Streaming lists".
import type { KubeObject } from '../../core/object.ts'
import type { WatchEvent } from '../../shell/kube/transport.ts'
import { ApiError, expired, notANumber } from './errors.ts'
import { matching } from './list.ts'
import { type Matcher, matcherOf } from './selectors.ts'
import { type Server, viewOf } from './server.ts'
import type { StoredEvent } from './store.ts'
import type { ApiResource } from './types.ts'

export type WatchRequest = {
  readonly resource: ApiResource
  readonly namespace: string | undefined
  /** Only this object: `metadata.name` of a path that names one. */
  readonly name: string | undefined
  readonly query: Readonly<Record<string, string>>
  readonly silenceMs: number | undefined
}

/** Ways in which a watch can be cut from outside. `silence` keeps it open and sends nothing more. */
export type Cut = 'close' | 'break' | 'silence'

/** A stream that is filled from one side and read from the other. Invariant: `#waiting` before `#next` has been read. */
class Channel implements AsyncIterable<WatchEvent> {
  #waiting: WatchEvent[] = []
  #next = 0
  #wake: (() => void) | undefined
  #end: 'closed' | Error | undefined
  readonly #onEnd: () => void

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  push(event: WatchEvent): void {
    if (this.#end !== undefined) return
    this.#waiting.push(event)
    this.#wake?.()
  }

  /** What was pushed before is still read. */
  end(how: 'closed' | Error): void {
    if (this.#end !== undefined) return
    this.#end = how
    this.#onEnd()
    this.#wake?.()
  }

  /** Not shift(): it moves all the others, and a burst in a large cluster leaves thousands of them. */
  #take(): WatchEvent | undefined {
    const next = this.#waiting[this.#next]
    if (next !== undefined) this.#next++
    if (this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    return next
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent> {
    try {
      for (;;) {
        const next = this.#take()
        if (next !== undefined) yield next
        else if (this.#end === 'closed') return
        else if (this.#end !== undefined) throw this.#end
        else {
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.end('closed')
    }
  }
}

/** A stored event as this watch tells it: an object that leaves the selection is deleted for it, one that enters is new. */
function eventFor(request: WatchRequest, matcher: Matcher | undefined, event: StoredEvent): WatchEvent | undefined {
  const { resource, namespace, name } = request
  const { metadata } = event.object
  if (namespace !== undefined && metadata.namespace !== namespace) return undefined
  if (name !== undefined && metadata.name !== name) return undefined
  const fits = (object: KubeObject | undefined) => object !== undefined && (matcher === undefined || matcher.matches(object))
  const before = event.type !== 'ADDED' && fits(event.old)
  const after = event.type !== 'DELETED' && fits(event.object)
  if (!before && !after) return undefined
  if (before && after) return { type: 'MODIFIED', object: viewOf(resource, event.object) }
  if (after) return { type: 'ADDED', object: viewOf(resource, event.object) }
  if (event.type === 'DELETED') return { type: 'DELETED', object: viewOf(resource, event.object) }
  // The content is that before the change, the version that of the change.
  const old = event.old ?? event.object
  const gone = { ...old, metadata: { ...old.metadata, resourceVersion: String(event.version) } }
  return { type: 'DELETED', object: viewOf(resource, gone) }
}

const bookmark = (request: WatchRequest, version: number, annotations?: Readonly<Record<string, string>>): WatchEvent => ({
  type: 'BOOKMARK',
  object: {
    kind: request.resource.kind,
    apiVersion: request.resource.apiVersion,
    metadata: {
      resourceVersion: String(version),
      creationTimestamp: null,
      ...(annotations === undefined ? {} : { annotations }),
    },
  },
})

/** What the watch starts with: the objects of now, or the events since a version, or that this version is too old. */
function beginning(server: Server, request: WatchRequest, matcher: Matcher | undefined): readonly WatchEvent[] {
  const { resource, namespace, name, query } = request
  const text = query['resourceVersion'] ?? ''
  const version = Number(text)
  if (!/^\d*$/.test(text)) throw notANumber(text, 500)
  const isStreamedList = query['sendInitialEvents'] === 'true'
  if (version === 0 || isStreamedList) {
    const objects = query['sendInitialEvents'] === 'false' ? [] : matching(server, resource, namespace, matcher)
    const events = objects
      .filter(object => name === undefined || object.metadata.name === name)
      .map<WatchEvent>(object => ({ type: 'ADDED', object: viewOf(resource, object) }))
    if (!isStreamedList || query['allowWatchBookmarks'] !== 'true') return events
    return [...events, bookmark(request, server.store.version, { 'k8s.io/initial-events-end': 'true' })]
  }
  const missed = server.store.since(resource, version)
  if (missed === undefined) {
    return [{ type: 'ERROR', object: expired(`too old resource version: ${version} (${server.store.version})`).status }]
  }
  return missed.flatMap(event => eventFor(request, matcher, event) ?? [])
}

const defaultTimeoutSeconds = 45 * 60

/** The open watches, so that a test can cut them. */
export type Watches = { readonly open: Set<(how: Cut) => void> }

/** Opens a watch; the stream ends at its timeout, when `stop` fires, or when the kind is no longer served. */
export function openWatch(server: Server, watches: Watches, request: WatchRequest, stop: AbortSignal): AsyncIterable<WatchEvent> {
  const { resource, query } = request
  const { clock, store } = server
  const matcher = matcherOf(resource, query['labelSelector'], query['fieldSelector'])
  const first = beginning(server, request, matcher)
  const endings: (() => void)[] = []
  const channel = new Channel(() => {
    for (const ending of endings) ending()
  })
  let isMute = false
  let cancelSilence = () => {}
  const heard = () => {
    cancelSilence()
    if (request.silenceMs === undefined) return
    const text = `nothing was heard on the watch of ${resource.plural} for ${request.silenceMs} ms`
    cancelSilence = clock.after(request.silenceMs, () => channel.end(new Error(text)))
  }
  const send = (event: WatchEvent) => {
    if (isMute) return
    channel.push(event)
    heard()
  }
  heard()
  for (const event of first) send(event)
  if (first[0]?.type === 'ERROR') channel.end('closed')

  const mark = () => send(bookmark(request, store.version))
  const cut = (how: Cut) => {
    if (how === 'silence') isMute = true
    else channel.end(how === 'close' ? 'closed' : new Error(`the connection of the watch of ${resource.plural} broke`))
  }
  const onStop = () => channel.end('closed')
  endings.push(
    store.watch(resource, event => {
      if (event === 'closed') return channel.end('closed')
      const told = eventFor(request, matcher, event)
      if (told !== undefined) send(told)
    }),
    repeat(server, query['allowWatchBookmarks'] === 'true' ? (server.options.bookmarkMs ?? 60_000) : undefined, mark),
    clock.after(Number(query['timeoutSeconds'] ?? defaultTimeoutSeconds) * 1000, () => {
      if (query['allowWatchBookmarks'] === 'true') mark()
      if (!isMute) channel.end('closed')
    }),
    () => cancelSilence(),
    () => stop.removeEventListener('abort', onStop),
    () => watches.open.delete(cut),
  )
  watches.open.add(cut)
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted || first[0]?.type === 'ERROR') for (const ending of endings) ending()
  return channel
}

function repeat(server: Server, everyMs: number | undefined, action: () => void): () => void {
  if (everyMs === undefined) return () => {}
  let cancel = () => {}
  const next = () => {
    cancel = server.clock.after(everyMs, () => {
      next()
      action()
    })
  }
  next()
  return () => cancel()
}

export const watchNotAllowed = () => new ApiError(400, 'BadRequest', 'a watch needs the transport: handle() answers at once')
