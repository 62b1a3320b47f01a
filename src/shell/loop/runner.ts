// One controller at work: takes keys from its queue, plans each and has the plan carried out.
import type { Controller, Look, Settings } from '../../core/controller.ts'
import type { Plan } from '../../core/plan.ts'
import type { RetryLimits } from '../kube/backoff.ts'
import { ApiError, errorText } from '../kube/errors.ts'
import type { LogFields } from '../observe.ts'
import { type Carried, carryOut, type PassOf, type Tools } from './carry-out.ts'
import type { OwnWrites } from './own-writes.ts'
import { Paces } from './pace.ts'
import { KeyQueue } from './queue.ts'

export type RunnerOptions = {
  readonly tools: Tools
  readonly ownWrites: OwnWrites
  /** The look of a pass, which knows for whom questions are asked. */
  lookFor(id: string): Look
  readonly chance: () => number
  readonly concurrency: number
  readonly limits: RetryLimits
  readonly settings: Settings
  /** Whether everything was listed once. */
  mayPlan(): boolean
}

export type Runner = {
  readonly queue: KeyQueue
  /** Resolves when no pass is under way. */
  settled(): Promise<void>
}

const heldAgainMs = 5_000
// Passes that need no answer of the server follow each other without a pause. After so much planning the others get their turn: the
// watches, the Lease and the questions about our health.
const mostPlanMs = 10

/** Makes the runner of a controller. It works as keys are added to its queue. */
export function createRunner(controller: Controller, options: RunnerOptions): Runner {
  const { tools, ownWrites, chance, concurrency, settings } = options
  const { log, observe, stop } = tools
  const { clock } = tools.sender
  const passes = new Set<Promise<void>>()
  const paces = new Paces(clock)
  // Until when keys rest because they fight with somebody; see Paces.wrote.
  const fighting = new Map<string, number>()
  /** A call of `pump` is on its way. */
  let pumping = false
  /** By this controller's planner since the others had their turn. */
  let plannedMs = 0
  let isYielding = false

  const queue = new KeyQueue({
    clock,
    chance,
    limits: options.limits,
    coalesceMs: controller.coalesceMs ?? 0,
    onReady: () => {
      observe({ what: 'queue', controller: controller.name, waiting: queue.size })
      if (pumping) return
      pumping = true
      // Not at once: the changes that came together are then one pass.
      queueMicrotask(pump)
    },
  })

  function pump(): void {
    pumping = false
    while (!isYielding && options.mayPlan() && !stop.aborted && passes.size < concurrency) {
      if (plannedMs >= mostPlanMs) return yieldTurn()
      const key = queue.take()
      if (key === undefined) return
      const pass = work(key).then(planMs => {
        passes.delete(pass)
        queue.done(key, planMs)
        observe({ what: 'queue', controller: controller.name, waiting: queue.size })
        pump()
      })
      passes.add(pass)
    }
  }

  function yieldTurn(): void {
    isYielding = true
    clock.after(0, () => {
      isYielding = false
      plannedMs = 0
      pump()
    })
  }

  // The one place where errors are caught: they concern this key only. Resolves to the time that the plan took; never rejects.
  async function work(key: string): Promise<number | undefined> {
    const id = `${controller.name} ${key}`
    // When the writes are seen, the key is added again.
    if (ownWrites.has(id) || rests(key)) return undefined
    let planMs: number | undefined
    const startedMs = clock.monotonicMs()
    let outcome: 'done' | 'failed' | 'conflict' = 'failed'
    try {
      const plan = planOf(id, key)
      planMs = clock.monotonicMs() - startedMs
      tellProblems(key, plan)
      const carried = await carryOut(plan, passOf(id, key), tools)
      outcome = settle(key, plan, carried)
    } catch (error) {
      if (!stop.aborted) failed(key, error)
    } finally {
      observe({ what: 'pass', controller: controller.name, key, outcome, durationMs: clock.monotonicMs() - startedMs })
    }
    return planMs
  }

  function planOf(id: string, key: string): Plan {
    const startedMs = clock.monotonicMs()
    try {
      return controller.plan(options.lookFor(id), key, { nowMs: clock.nowMs(), settings })
    } finally {
      plannedMs += clock.monotonicMs() - startedMs
    }
  }

  function rests(key: string): boolean {
    const leftMs = (fighting.get(key) ?? 0) - clock.monotonicMs()
    if (leftMs > 0) queue.addAfter(key, leftMs)
    else fighting.delete(key)
    return leftMs > 0
  }

  const kind = controller.resource.kind.toLowerCase()
  const aboutOf = (key: string): LogFields => ({ controller: controller.name, key, [kind]: key })

  function passOf(id: string, key: string): PassOf {
    let wrote = false
    return {
      controller: controller.name,
      about: aboutOf(key),
      id,
      statusDue: paces.statusDueInMs(key) === 0,
      wrote: write => {
        ownWrites.add(id, write)
        if (wrote) return
        wrote = true
        const restMs = paces.wrote(key)
        if (restMs === 0) return
        log('warn', 'writes again and again: somebody seems to undo it', { ...aboutOf(key), againInMs: restMs })
        fighting.set(key, clock.monotonicMs() + restMs)
      },
    }
  }

  function settle(key: string, plan: Plan, carried: Carried): 'done' | 'failed' | 'conflict' {
    if (carried.wroteStatus) paces.wroteStatus(key)
    if (carried.statusWaits) queue.addAfter(key, paces.statusDueInMs(key))
    if (carried.held !== undefined) {
      log('debug', `removals wait: ${carried.held}`, aboutOf(key))
      // When writes that are not seen yet are seen, the key is added anyway.
      if (carried.held !== 'until-seen') queue.addAfter(key, heldAgainMs)
      else if (!ownWrites.has(`${controller.name} ${key}`)) queue.add(key)
    }
    const againMs = plan.lookAgainInMs ?? paces.lookAgainInMs(key, plan.problems, chance())
    if (againMs !== undefined) queue.addAfter(key, againMs)
    paces.sweep(key)
    for (const error of carried.errors.slice(1)) logFailure(key, error)
    if (carried.errors.length > 0) {
      failed(key, carried.errors[0])
      return 'failed'
    }
    if (carried.conflict) {
      queue.retry(key)
      return 'conflict'
    }
    queue.succeeded(key)
    return 'done'
  }

  function tellProblems(key: string, plan: Plan): void {
    for (const { code, message, todo, passing, kernel, node, image } of paces.begun(key, plan.problems)) {
      const where = Object.fromEntries(Object.entries({ kernel, node, image }).filter(([, value]) => value !== undefined))
      // What ends by itself is no warning, and on a big cluster a flood.
      log(passing ? 'debug' : 'warn', message, { ...aboutOf(key), reason: code, todo, ...where })
    }
  }

  function logFailure(key: string, error: unknown, againInMs?: number): void {
    const fields = {
      ...aboutOf(key),
      failures: queue.failures(key),
      ...(againInMs === undefined ? {} : { againInMs: Math.round(againInMs) }),
    }
    const isFault = !(error instanceof ApiError) && error instanceof TypeError
    log('error', errorText(error), { ...fields, ...(isFault ? { stack: error.stack } : {}) })
  }

  function failed(key: string, error: unknown): void {
    const atLeastMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
    logFailure(key, error, queue.retry(key, atLeastMs))
  }

  return {
    queue,
    settled: async () => {
      await Promise.allSettled(passes)
    },
  }
}
