// What people hear of a Module: that its drivers are loaded, and what fails, on the Module and on the node (decisions.md 22).
import type { NotReadyNode } from '../../api/module.ts'
import type { CanonicalModule } from '../canonical.ts'
import { isNodeReady } from '../cluster.ts'
import { refOf } from '../object.ts'
import type { PlannedEvent } from '../plan.ts'
import type { Problem, ProblemCode } from '../problem.ts'
import type { Verdict } from './conditions.ts'
import type { NodeState } from './node-state.ts'
import { isTold } from './worst.ts'

/** A line of status.notReadyNodes and what it rests on. */
export type Listed = {
  readonly entry: NotReadyNode
  readonly state: NodeState
  /** The reason is another one than in the last status. */
  readonly isNew: boolean
}

/** Somebody's will, not a failure. */
const willed: ReadonlySet<ProblemCode> = new Set(['Paused', 'WaitingForVersionLabel'])

/** A node that has begun to fail. On a silent node nothing new is known. */
export const isNewFailure = ({ isNew, state: { problem, target } }: Listed): boolean =>
  isNew && problem !== undefined && !problem.passing && !willed.has(problem.code) && isNodeReady(target.node)

export type EventFacts = {
  readonly module: CanonicalModule
  readonly states: readonly NodeState[]
  /** Of the Module and its kernels: not to be told again for each node. */
  readonly told: readonly Problem[]
  readonly verdict: Verdict
  readonly notReady: readonly Listed[]
}

/** For what has changed since the last status; to be sent only if the new one is written. */
export function eventsOf({ module, states, told, verdict, notReady }: EventFacts): readonly PlannedEvent[] {
  const was = module.status?.conditions?.find(condition => condition.type === 'Ready')
  const worst = verdict.blocker ?? verdict.stopped ?? verdict.worst
  const events: PlannedEvent[] = []
  if (verdict.isReady && was?.status !== 'True' && states.some(state => state.state === 'loaded'))
    events.push({ about: aboutOf(module), type: 'Normal', reason: 'DriverReady', message: verdict.counts })
  if (!verdict.isReady && worst !== undefined && !worst.passing && !willed.has(worst.code) && was?.reason !== worst.code)
    events.push({ about: aboutOf(module), type: 'Warning', reason: worst.code, message: worst.message })
  // Of a pause nobody need hear what is beside it.
  const [beside] = verdict.isReady && verdict.blocker === undefined ? verdict.beside : []
  if (beside !== undefined && was?.reason !== beside.code)
    events.push({ about: aboutOf(module), type: 'Warning', reason: beside.code, message: beside.message })
  for (const listed of notReady) {
    const { problem, target } = listed.state
    // The Node's own plan tells of a driver that is still loaded: it does so without the Module, too.
    if (problem === undefined || !isNewFailure(listed) || problem.code === 'StillLoaded' || isTold(problem, told)) continue
    events.push({ about: aboutOf(target.node), type: 'Warning', reason: problem.code, message: problem.message })
  }
  return events
}

const aboutOf = (object: Parameters<typeof refOf>[0]): PlannedEvent['about'] => {
  const { uid } = object.metadata
  return { ...refOf(object), ...(uid === undefined ? {} : { uid }) }
}
