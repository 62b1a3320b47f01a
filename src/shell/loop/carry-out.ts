// The only writer. Order of effects: ask, apply, status, remove, events (architecture.md 1). A crash between any two leaves a
// state from which the same plan goes on.
import { type KubeObject, keyOf, type ObjectRef, type Resource } from '../../core/object.ts'
import type { Plan, Removal } from '../../core/plan.ts'
import { nameOf, type Sender, sendApply, takeOver, type WriteResult } from '../kube/apply.ts'
import { firstDifference, formerOwner, type Part } from '../kube/compare.ts'
import { isOutage } from '../kube/errors.ts'
import { sendRemoval } from '../kube/remove.ts'
import type { Log, LogFields, Observe } from '../observe.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Answers } from './answers.ts'
import type { EventSender } from './event-sender.ts'
import type { KeptWrites } from './kept-writes.ts'
import type { OwnWrite } from './own-writes.ts'

export type Tools = {
  readonly sender: Sender
  readonly snapshot: Snapshot
  readonly answers: Answers
  readonly events: EventSender
  readonly kept: KeptWrites
  readonly fieldManager: string
  readonly log: Log
  readonly observe: Observe
  readonly stop: AbortSignal
  /** Why removals have to wait: one of these kinds (all if absent) is not listed yet, or not heard of lately. Undefined: they need not. */
  removalsHeld(restOn?: readonly Resource[]): string | undefined
}

/** Who carries out, and what is asked of whoever called. */
export type PassOf = {
  readonly controller: string
  /** Of every line in the log: controller, key, and the key under the name of its kind (`module`, `node`). */
  readonly about: LogFields
  /** Names the key among all controllers'. */
  readonly id: string
  /** Whether a status that is not urgent may be written now. */
  readonly statusDue: boolean
  wrote(write: OwnWrite): void
}

export type Carried = {
  readonly wroteStatus: boolean
  /** A status was left out because it is not due. */
  readonly statusWaits: boolean
  /** Removals were left out: `until-seen` because this pass wrote, or for the reason given. */
  readonly held?: string
  /** Something was not as it was seen: look again soon. */
  readonly conflict: boolean
  /** What the server refused. The other effects were carried out. */
  readonly errors: readonly unknown[]
}

/** Carries out a plan. Rejects where the server is in trouble or `stop` is raised; nothing is sent after that. */
export async function carryOut(plan: Plan, pass: PassOf, tools: Tools): Promise<Carried> {
  for (const question of plan.questions) tools.answers.ask(question, pass.id)
  const errors: unknown[] = []
  let conflict = false
  let applied = 0

  // What is refused for one object must not stop the others of the plan.
  const attempt = async (effect: () => Promise<WriteResult | undefined>): Promise<WriteResult | undefined> => {
    tools.stop.throwIfAborted()
    try {
      const result = await effect()
      tools.stop.throwIfAborted()
      if (result?.result === 'again') conflict = true
      return result
    } catch (error) {
      if (isOutage(error)) throw error
      errors.push(error)
      return undefined
    }
  }

  for (const object of plan.apply) {
    const result = await attempt(() => applyOne(object, 'main', pass, tools))
    if (result?.result === 'written') applied += 1
  }
  const status = plan.status
  const statusDue = status !== undefined && (status.urgent || pass.statusDue)
  const statusDiffers = status !== undefined && !statusDue && differs(status.object, 'status', tools)
  const written = statusDue ? await attempt(() => applyOne(status.object, 'status', pass, tools)) : undefined

  let held: string | undefined
  const removed = new Set<string>()
  for (const removal of plan.remove) {
    const why = whyHeld(removal, applied, errors.length, tools)
    if (why !== undefined) held ??= why
    else if ((await attempt(() => removeOne(removal, pass, tools)))?.result === 'written') removed.add(removal.uid)
  }
  for (const event of plan.events) {
    if (event.ofRemoval === undefined || removed.has(event.ofRemoval)) tools.events.tell(event)
  }
  return {
    wroteStatus: written?.result === 'written',
    statusWaits: statusDiffers,
    conflict,
    errors,
    ...(held === undefined ? {} : { held }),
  }
}

function whyHeld(removal: Removal, applied: number, failed: number, tools: Tools): string | undefined {
  if (applied > 0) return 'until-seen'
  if (failed > 0) return 'a write failed'
  return tools.removalsHeld(removal.restsOn)
}

function watchOf(object: ObjectRef | KubeObject, tools: Tools) {
  const watch = tools.snapshot.watchOf(object)
  if (watch !== undefined) return watch
  throw new Error(
    `${object.apiVersion} ${object.kind} is not watched: what is not seen can be neither compared nor removed; add a watch`,
  )
}

function differs(object: KubeObject, part: Part, tools: Tools): boolean {
  const { resource, takeOver: former } = watchOf(object, tools)
  return firstDifference(object, tools.snapshot.get(resource, keyOf(object)), tools.fieldManager, part, former) !== undefined
}

async function applyOne(object: KubeObject, part: Part, pass: PassOf, tools: Tools): Promise<WriteResult | undefined> {
  const { snapshot, fieldManager, sender, stop, kept, log, observe } = tools
  const { resource, takeOver: former = [] } = watchOf(object, tools)
  const key = keyOf(object)
  const seen = snapshot.get(resource, key)
  if (isUnseen(object, part, seen)) return { result: 'gone' }
  const because = firstDifference(object, seen, fieldManager, part, former)
  if (because === undefined || kept.has(resource, object, part, seen)) return undefined
  const fields = { ...pass.about, because, ...(part === 'status' ? { part } : {}) }
  if (seen !== undefined && formerOwner(seen, former, part) !== undefined) {
    const taken = await takeOver(sender, resource, seen, former, part, fieldManager, stop)
    if (taken.result !== 'written') return taken
    log('info', `took over the fields of ${nameOf(object)}`, fields)
    pass.wrote(ownWrite(resource, key, taken.object, 'write'))
  }
  const result = await sendApply(sender, resource, object, part, fieldManager, stop)
  if (result.result !== 'written') {
    log('debug', `${nameOf(object)} is gone`, fields)
    return result
  }
  const changed = seen === undefined || result.object?.metadata.resourceVersion !== seen.metadata.resourceVersion
  observe({
    what: 'write',
    controller: pass.controller,
    verb: part === 'status' ? 'status' : 'apply',
    kind: object.kind,
    outcome: changed ? 'changed' : 'kept',
  })
  if (!changed) {
    kept.add(resource, object, part, seen)
    log('warn', `${nameOf(object)}: the server keeps ${because} as it is, whatever we apply`, fields)
    return undefined
  }
  log(part === 'status' ? 'debug' : 'info', `applied ${nameOf(object)}`, fields)
  pass.wrote(ownWrite(resource, key, result.object, 'write'))
  return result
}

async function removeOne(removal: Removal, pass: PassOf, tools: Tools): Promise<WriteResult> {
  const { snapshot, sender, stop, log, observe } = tools
  const { resource } = watchOf(removal.object, tools)
  const key = keyOf({ metadata: removal.object })
  const name = `${removal.object.kind} ${key}`
  const result = await sendRemoval(sender, resource, removal, snapshot.get(resource, key), stop)
  const fields = { ...pass.about, because: removal.because }
  if (result.result !== 'written') {
    log('debug', result.result === 'gone' ? `${name} is gone already` : `${name} changed before it could be removed`, fields)
    return result
  }
  const { finalizer } = removal
  observe({
    what: 'write',
    controller: pass.controller,
    verb: finalizer === undefined ? 'remove' : 'release',
    kind: removal.object.kind,
    outcome: 'changed',
  })
  log('info', finalizer === undefined ? `removed ${name}` : `took the finalizer ${finalizer} off ${name}`, fields)
  pass.wrote(ownWrite(resource, key, result.object, finalizer === undefined ? 'remove' : 'write', removal.uid))
  return result
}

/** What we do not create has to be there, in this incarnation; else the apply could only fail. */
function isUnseen(object: KubeObject, part: Part, seen: KubeObject | undefined): boolean {
  const { uid } = object.metadata
  if (seen === undefined) return part === 'status' || uid !== undefined
  return uid !== undefined && uid !== seen.metadata.uid
}

function ownWrite(
  resource: Resource,
  object: string,
  answered: KubeObject | undefined,
  did: OwnWrite['did'],
  uid?: string,
): OwnWrite {
  return { resource, object, uid: uid ?? answered?.metadata.uid, resourceVersion: answered?.metadata.resourceVersion, did }
}
