// Runs controllers: watch, queue, plan, carry out, wait for the next change. Read `createOperator` from the bottom up.
import type { Controller, Look, Settings, Wake, Watch } from '../../core/controller.ts'
import type { KubeObject, Resource } from '../../core/object.ts'
import type { Clock } from '../clock.ts'
import type { RetryLimits } from '../kube/backoff.ts'
import { errorText } from '../kube/errors.ts'
import { startListWatch, type WatchState } from '../kube/list-watch.ts'
import { resourceId } from '../kube/paths.ts'
import type { Transport } from '../kube/transport.ts'
import type { Log, Observe } from '../observe.ts'
import { Snapshot } from '../snapshot/snapshot.ts'
import { Answers, type Images } from './answers.ts'
import { EventSender } from './event-sender.ts'
import { type Health, isRecent, judgeHealth, Successes } from './health.ts'
import { KeptWrites } from './kept-writes.ts'
import { OwnWrites } from './own-writes.ts'
import { observedTransport } from './requests.ts'
import { createRunner, type Runner } from './runner.ts'

export type OperatorOptions = {
  readonly controllers: readonly Controller[]
  /** One for each resource that a controller reads or writes. */
  readonly watches: readonly Watch[]
  readonly transport: Transport
  readonly clock: Clock
  /** From [0, 1). */
  readonly chance: () => number
  readonly log: Log
  readonly images: Images
  readonly settings: Settings
  readonly fieldManager: string
  /** Who tells our events; the field manager if absent. */
  readonly component?: string
  /** Keys of one controller that are in work at the same time; 16 if absent. */
  readonly concurrency?: number
  readonly retryLimits?: RetryLimits
  readonly observe?: Observe
}

export type Operator = {
  /** Begins to watch, and to plan as soon as everything is listed. Once only. */
  start(): void
  /** Aborts everything at once; resolves when nothing runs any more. Nothing is sent after the call. */
  stop(): Promise<void>
  /** Everything is listed, nothing is ready or in work, our writes were seen and the registry has answered. Times may be waited for. */
  idle(): boolean
  health(): Health
  /** The cluster as seen now. */
  readonly look: Look
  /** Keys that wait, by controller. */
  waiting(): Readonly<Record<string, number>>
}

const requestDeadlineMs = 30_000
const unseenDeadlineMs = 30_000
const defaultLimits: RetryLimits = { firstMs: 5, mostMs: 300_000 }

/** Makes an operator of these controllers. Nothing happens before `start`. Throws if two watches are of one resource. */
export function createOperator(options: OperatorOptions): Operator {
  const { controllers, watches, transport, clock, chance, log, fieldManager } = options
  const observe = options.observe ?? (() => {})
  const stopping = new AbortController()
  const stop = stopping.signal
  const successes = new Successes()
  const startedMs = clock.monotonicMs()
  const succeeded = (who: string) => successes.note(who, clock.monotonicMs())
  const transportFor = (who: string) => observedTransport(transport, who, { clock, observe, succeeded })
  const sender = { transport: transportFor('writes'), clock, deadlineMs: requestDeadlineMs }

  const snapshot = new Snapshot(watches, { fieldManager, log })
  const states = new Map<string, WatchState>()
  const runners = new Map<string, Runner>()
  const wakeId = (id: string) => {
    const space = id.indexOf(' ')
    runners.get(id.slice(0, space))?.queue.add(id.slice(space + 1))
  }

  const answers = new Answers({ images: options.images, clock, chance, log, stop, wake: wakeId })
  const events = new EventSender({
    transport: transportFor('events'),
    clock,
    log,
    stop,
    component: options.component ?? fieldManager,
  })
  const ownWrites = new OwnWrites({
    clock,
    deadlineMs: unseenDeadlineMs,
    look: (resource, key) => ({ object: snapshot.get(resource, key), resourceVersion: snapshot.resourceVersion(resource) }),
    onFree: (id, late) => {
      for (const { resource, object } of late)
        log('warn', `our write of ${resource.kind} ${object} was not seen in time: looking again`, { key: id })
      wakeId(id)
    },
  })

  const lookFor = (id?: string): Look => ({
    list: resource => snapshot.list(resource),
    get: (resource, key) => snapshot.get(resource, key),
    by: (index, value) => snapshot.by(index, value),
    answer: question => answers.read(question, id),
  })
  const look = lookFor()

  const isSynced = () => states.size === watches.length && [...states.values()].every(state => state.synced)
  // Becomes true once and stays: a list that is taken again is no reason to stop planning, only to hold removals.
  let begun = false

  function removalsHeld(restOn?: readonly Resource[]): string | undefined {
    const names = restOn?.map(resourceId)
    for (const [name, state] of states) {
      if (names?.includes(name) === false) continue
      if (!state.synced) return `${name} are not listed yet`
      if (!isRecent(state, clock.monotonicMs())) return `nothing was heard of ${name} for a while`
    }
    return undefined
  }

  const tools = { sender, snapshot, answers, events, kept: new KeptWrites(), fieldManager, log, observe, stop, removalsHeld }
  for (const controller of controllers) {
    if (runners.has(controller.name)) throw new Error(`two controllers are named ${controller.name}`)
    runners.set(
      controller.name,
      createRunner(controller, {
        tools,
        ownWrites,
        lookFor,
        chance,
        concurrency: options.concurrency ?? 16,
        limits: options.retryLimits ?? defaultLimits,
        settings: options.settings,
        mayPlan: () => begun,
      }),
    )
  }

  type Woken = { readonly runner: Runner; readonly controller: Controller; readonly wake: Wake }
  const wakes = new Map<string, Woken[]>()
  for (const controller of controllers) {
    const runner = runners.get(controller.name)
    for (const wake of controller.wakes) {
      const id = resourceId(wake.resource)
      if (snapshot.watchOf(wake.resource) === undefined)
        throw new Error(`controller ${controller.name} is woken by ${id}, which is not watched`)
      if (runner !== undefined) wakes.set(id, [...(wakes.get(id) ?? []), { runner, controller, wake }])
    }
  }

  /** Old and new; one of them is absent for an object that appears or goes. */
  function wake(resource: Resource, old: KubeObject | undefined, object: KubeObject | undefined): void {
    for (const { runner, controller, wake: listens } of wakes.get(resourceId(resource)) ?? []) {
      try {
        if (old !== undefined && object !== undefined && listens.matters?.(old, object) === false) continue
        for (const version of [old, object])
          if (version !== undefined) for (const key of listens.keys(version, look)) runner.queue.add(key)
      } catch (error) {
        const { kind, metadata } = object ?? old ?? { kind: resource.kind, metadata: { name: '' } }
        log('error', `cannot tell whom ${kind} ${metadata.name} concerns: ${errorText(error)}`, { controller: controller.name })
      }
    }
  }

  function begin(): void {
    if (begun || stop.aborted || !isSynced()) return
    begun = true
    log('info', 'everything is listed: planning begins', { resources: watches.length })
    for (const { resource } of watches) for (const object of snapshot.list(resource)) wake(resource, undefined, object)
  }

  const listener = (name: string) => ({
    changed: (resource: Resource, old: KubeObject | undefined, object: KubeObject | undefined) => {
      if (begun) wake(resource, old, object)
    },
    touched: (resource: Resource, key: string) => {
      if (begun) succeeded(name)
      ownWrites.touched(resource, key)
    },
    reached: (resource: Resource) => {
      succeeded(name)
      ownWrites.reached(resource)
      begin()
    },
  })

  const running: Promise<void>[] = []
  return {
    start: () => {
      if (running.length > 0 || stop.aborted) return
      for (const watch of watches) {
        const name = resourceId(watch.resource)
        const sink = snapshot.sink(watch, listener(name))
        const selectors = {
          ...(watch.labelSelector === undefined ? {} : { labelSelector: watch.labelSelector }),
          ...(watch.fieldSelector === undefined ? {} : { fieldSelector: watch.fieldSelector }),
        }
        const { resource } = watch
        const { state, done } = startListWatch(
          { resource, ...selectors, transport: transportFor(name), clock, chance, log, sink },
          stop,
        )
        states.set(name, state)
        running.push(done)
      }
    },
    stop: async () => {
      stopping.abort(new Error('the operator was stopped'))
      for (const { queue } of runners.values()) queue.close()
      ownWrites.close()
      await Promise.all([...running, ...[...runners.values()].map(runner => runner.settled())])
    },
    idle: () =>
      begun &&
      isSynced() &&
      ownWrites.size === 0 &&
      answers.asking === 0 &&
      [...runners.values()].every(({ queue }) => queue.idle),
    health: () =>
      states.size < watches.length
        ? { ready: false, alive: true, reasons: ['not started yet'] }
        : judgeHealth(
            [...states].map(([name, state]) => ({ name, state })),
            successes,
            startedMs,
            clock.monotonicMs(),
          ),
    look,
    waiting: () => Object.fromEntries([...runners].map(([name, { queue }]) => [name, queue.size])),
  }
}
