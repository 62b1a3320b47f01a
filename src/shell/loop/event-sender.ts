import type { PlannedEvent } from '../../core/plan.ts'
import { events } from '../../core/resources.ts'
import type { Clock } from '../clock.ts'
import { errorText, expectSuccess, isOutage } from '../kube/errors.ts'
import { eventObject } from '../kube/event.ts'
import { collectionPath, objectPath } from '../kube/paths.ts'
import type { Transport } from '../kube/transport.ts'
import type { Log } from '../observe.ts'

export type EventSenderOptions = {
  readonly transport: Transport
  readonly clock: Clock
  readonly log: Log
  readonly stop: AbortSignal
  /** Who tells it: `source.component`. */
  readonly component: string
}

/** One event as people see it: the first telling, and how often it was told since. */
type Told = {
  event: PlannedEvent
  name: string
  readonly firstMs: number
  lastMs: number
  count: number
  sentCount: number
  tries: number
}

// decisions.md 22
const aggregateMs = 300_000
const betweenMs = 1_000
// Events are a courtesy: where more wait than can be sent in some minutes, the newest are dropped.
const mostWaiting = 500
const mostTries = 3
const deadlineMs = 15_000

const idOf = (event: PlannedEvent): string =>
  [event.about.kind, event.about.namespace ?? '', event.about.name, event.about.uid ?? '', event.reason].join(' ')

/**
 * Sends events in the background: at most one a second, and one per object and reason in 5 minutes; what is told again in that
 * time is counted, and the count is sent at its end. Invariant: at most one request is under way.
 */
export class EventSender {
  #told = new Map<string, Told>()
  #line: Told[] = []
  #dropped = 0
  #sending = false
  #lastMs = Number.NEGATIVE_INFINITY
  #options: EventSenderOptions

  constructor(options: EventSenderOptions) {
    this.#options = options
  }

  /** Events not sent yet. */
  get waiting(): number {
    return this.#line.length
  }

  tell(event: PlannedEvent): void {
    const { clock, stop, log } = this.#options
    if (stop.aborted) return
    const nowMs = clock.nowMs()
    const before = this.#told.get(idOf(event))
    if (before !== undefined) {
      before.event = { ...event }
      before.lastMs = nowMs
      before.count += 1
      return
    }
    if (this.#line.length >= mostWaiting) {
      this.#dropped += 1
      if (this.#dropped === 1) log('warn', 'more events than can be told: some are dropped', { reason: event.reason })
      return
    }
    const told: Told = { event, name: '', firstMs: nowMs, lastMs: nowMs, count: 1, sentCount: 0, tries: 0 }
    this.#told.set(idOf(event), told)
    // Cancelled on stop: a timer of minutes would keep the process from ending.
    const cancel = clock.after(aggregateMs, () => {
      stop.removeEventListener('abort', cancel)
      this.#close(told)
    })
    stop.addEventListener('abort', cancel, { once: true })
    this.#line.push(told)
    this.#schedule()
  }

  #close(told: Told): void {
    this.#told.delete(idOf(told.event))
    if (told.sentCount === 0 || told.count === told.sentCount) return
    this.#line.push(told)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#sending || this.#line.length === 0 || this.#options.stop.aborted) return
    this.#sending = true
    const { clock } = this.#options
    const waitMs = Math.max(0, this.#lastMs + betweenMs - clock.monotonicMs())
    clock.after(waitMs, () => {
      const told = this.#line.shift()
      if (told === undefined || this.#options.stop.aborted) return
      this.#lastMs = clock.monotonicMs()
      void this.#send(told).finally(() => {
        this.#sending = false
        if (this.#line.length === 0) this.#dropped = 0
        this.#schedule()
      })
    })
  }

  async #send(told: Told): Promise<void> {
    const { transport, clock, log, stop, component } = this.#options
    const { count, firstMs, lastMs } = told
    const first = told.sentCount === 0
    const object = eventObject(told.event, { firstMs, lastMs, count }, component)
    // The name comes from the first telling; later ones change only count, time and message.
    if (told.name === '') told.name = object.metadata.name
    told.tries += 1
    try {
      const response = first
        ? await transport(
            {
              method: 'POST',
              path: collectionPath(events, object.metadata.namespace),
              body: { ...object, metadata: { ...object.metadata, name: told.name } },
              deadlineMs,
            },
            stop,
          )
        : await this.#sendCount(told, object)
      // AlreadyExists: an earlier try got there although its answer did not come back.
      if (response.status !== 409) expectSuccess(`tell ${told.event.reason}`, response, clock.nowMs())
      told.sentCount = count
      told.tries = 0
    } catch (error) {
      if (stop.aborted) return
      log('debug', errorText(error), { reason: told.event.reason, object: told.event.about.name })
      if (isOutage(error) && told.tries < mostTries) this.#line.push(told)
    }
  }

  #sendCount(told: Told, object: ReturnType<typeof eventObject>) {
    const { transport, stop } = this.#options
    const { count, lastTimestamp, message } = object
    const key = `${object.metadata.namespace}/${told.name}`
    return transport(
      {
        method: 'PATCH',
        path: objectPath(events, key),
        contentType: 'application/merge-patch+json',
        body: { count, lastTimestamp, message },
        deadlineMs,
      },
      stop,
    )
  }
}
