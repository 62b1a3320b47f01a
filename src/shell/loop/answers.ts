import type { Answer, Question } from '../../core/plan.ts'
import { type Clock } from '../clock.ts'
import { within } from '../deadline.ts'
import { type RetryLimits, retryAfterMs } from '../kube/backoff.ts'
import { errorText } from '../kube/errors.ts'
import type { Log } from '../observe.ts'
import { sameJson } from '../snapshot/equal.ts'

/** Asks a registry. Rejects if it did not answer; `stop` is raised when the answer is no longer waited for. */
export type Images = { ask(question: Question, stop: AbortSignal): Promise<Answer> }

export type AnswersOptions = {
  readonly images: Images
  readonly clock: Clock
  /** From [0, 1). */
  readonly chance: () => number
  readonly log: Log
  readonly stop: AbortSignal
  /** An answer came, or changed, or asking failed and may be tried again: look at the key. */
  readonly wake: (key: string) => void
}

const deadlineMs = 60_000
// What is there rarely changes; what is missing is being pushed right now, hopefully.
const freshMs = { found: 600_000, missing: 30_000 }
const atOnce = 8
// About memory only: an answer that is forgotten is asked for again.
const mostKnown = 5_000
const limits: RetryLimits = { firstMs: 2_000, mostMs: 300_000 }

const idOf = (question: Question): string =>
  JSON.stringify([question.ask, question.image, question.namespace, question.secret ?? ''])

/**
 * What the registry said. Invariant: a question is asked at most once at a time; an old answer stays until a newer one is there,
 * so that a status does not flicker while it is asked again.
 */
export class Answers {
  #known = new Map<string, { readonly answer: Answer; readonly atMs: number }>()
  #waiting = new Map<string, Set<string>>()
  #failures = new Map<string, number>()
  #line: (() => Promise<void>)[] = []
  #running = 0
  #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /** Questions that are being asked, or are to be asked again after a failure. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Questions that are being asked now. */
  get asking(): number {
    return this.#running + this.#line.length
  }

  /** The last answer. One that is no longer fresh is asked for again in the background, on behalf of the key. */
  read(question: Question, key?: string): Answer | undefined {
    const known = this.#known.get(idOf(question))
    if (known !== undefined && key !== undefined && !this.#isFresh(known)) this.ask(question, key)
    return known?.answer
  }

  /** Asks unless a fresh answer is known; the key is woken when there is news. */
  ask(question: Question, key: string): void {
    const id = idOf(question)
    const known = this.#known.get(id)
    if (this.#options.stop.aborted || (known !== undefined && this.#isFresh(known))) return
    const keys = this.#waiting.get(id)
    if (keys !== undefined) {
      keys.add(key)
      return
    }
    this.#waiting.set(id, new Set([key]))
    this.#line.push(() => this.#fetch(question, id))
    this.#next()
  }

  #isFresh(known: { readonly answer: Answer; readonly atMs: number }): boolean {
    const age = this.#options.clock.monotonicMs() - known.atMs
    return age < (known.answer.exists === false ? freshMs.missing : freshMs.found)
  }

  #next(): void {
    if (this.#running >= atOnce) return
    const fetch = this.#line.shift()
    if (fetch === undefined) return
    this.#running += 1
    void fetch().finally(() => {
      this.#running -= 1
      this.#next()
    })
  }

  async #fetch(question: Question, id: string): Promise<void> {
    const { images, clock, chance, log, stop } = this.#options
    try {
      const answer = await within(`ask the registry about ${question.image}`, deadlineMs, clock, stop, signal =>
        images.ask(question, signal),
      )
      if (stop.aborted) return
      this.#failures.delete(id)
      const before = this.#known.get(id)
      this.#keep(id, answer)
      const keys = this.#waiting.get(id) ?? []
      this.#waiting.delete(id)
      if (before === undefined || !sameJson(before.answer, answer)) for (const key of keys) this.#options.wake(key)
    } catch (error) {
      if (stop.aborted) return
      const failures = this.#failures.get(id) ?? 0
      this.#failures.set(id, failures + 1)
      const againInMs = retryAfterMs(failures, chance(), limits)
      log('warn', `${question.image}: the registry gave no answer: ${errorText(error)}`, {
        image: question.image,
        againInMs: Math.round(againInMs),
      })
      // The keys stay until then: a pass in between does not ask again.
      const cancel = clock.after(againInMs, () => {
        stop.removeEventListener('abort', cancel)
        const keys = this.#waiting.get(id) ?? []
        this.#waiting.delete(id)
        for (const key of keys) this.#options.wake(key)
      })
      // A timer of minutes would keep the process from ending.
      stop.addEventListener('abort', cancel, { once: true })
    }
  }

  #keep(id: string, answer: Answer): void {
    this.#known.delete(id)
    this.#known.set(id, { answer, atMs: this.#options.clock.monotonicMs() })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostKnown) return
      this.#known.delete(oldest)
    }
  }
}
