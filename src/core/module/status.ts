// What the Module's status says: a judgement on what was seen (architecture.md 7, decisions.md 20).
import type { KernelStatus, ModuleStatus, OperandCounters } from '../../api/module.ts'
import type { CanonicalModule } from '../canonical.ts'
import type { KubeObject } from '../object.ts'
import { operandOf } from '../operands.ts'
import type { PlannedEvent, PlannedStatus } from '../plan.ts'
import { type Problem, type ProblemCode, problem } from '../problem.ts'
import { isStillUnloading } from './being-deleted.ts'
import { conditionsOf, type Verdict } from './conditions.ts'
import { eventsOf, isNewFailure, type Listed } from './events.ts'
import { isUnmapped, type KernelStep } from './kernels.ts'
import type { NodeState } from './node-state.ts'
import type { SeenModule } from './seen-module.ts'
import { worstFirst, worstProblem } from './worst.ts'

export type StatusFacts = {
  readonly seen: SeenModule
  readonly module: CanonicalModule
  readonly steps: ReadonlyMap<string, KernelStep>
  readonly states: readonly NodeState[]
  /** Other nodes on which a driver stays: in no counter. */
  readonly unselected: readonly NodeState[]
  /** Of the Module and its kernels. */
  readonly problems: readonly Problem[]
  readonly nowMs: number
}

const listedNodes = 20
const blockers: ReadonlySet<ProblemCode> = new Set(['Paused', 'RuleViolated', 'BeingDeleted'])

export function planStatus(facts: StatusFacts): { readonly status: PlannedStatus; readonly events: readonly PlannedEvent[] } {
  const { module, nowMs } = facts
  // metav1.Time has whole seconds.
  const now = new Date(Math.floor(nowMs / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  const verdict = judge(facts)
  const conditions = conditionsOf(verdict, module.status?.conditions ?? [], module.metadata.generation, now)
  const notReady = notReadyNodes(facts, now)
  const status: ModuleStatus = {
    ...(module.metadata.generation === undefined ? {} : { observedGeneration: module.metadata.generation }),
    conditions: [...conditions],
    kernels: kernels(facts),
    notReadyNodes: notReady.map(({ entry }) => entry),
    moduleLoader: counters(facts, 'loader'),
    ...(module.spec.devicePlugin === undefined ? {} : { devicePlugin: counters(facts, 'plugin') }),
  }
  const urgent = isUrgent(module.status, status) || notReady.some(isNewFailure)
  return {
    status: { object: { ...statusTarget(module), status }, urgent },
    events: urgent ? eventsOf({ module, states: facts.states, told: facts.problems, verdict, notReady }) : [],
  }
}

const statusTarget = (module: CanonicalModule): KubeObject => {
  const { name, namespace, uid } = module.metadata
  return {
    apiVersion: module.apiVersion,
    kind: module.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
  }
}

/**
 * Ready: every matching node is excluded by a taint or has its current driver; silent nodes are told but do not count. Of a Module that
 * breaks a rule nobody can say what its drivers should be (docs/decisions/0012).
 */
function judge({ module, states, unselected, problems, seen }: StatusFacts): Verdict {
  const targets = states.filter(state => state.target.taint === undefined)
  const counted = targets.filter(state => state.state === 'not loaded' && state.problem?.code !== 'NodeNotReady')
  const loaded = targets.filter(state => state.state === 'loaded').length
  const blocker = problems.find(found => blockers.has(found.code))
  const stopped = problems.find(found => found.code === 'RolloutStopped')
  const held = [...states, ...unselected].filter(state => state.problem?.code === 'StillLoaded')
  const hasTurn = blocker === undefined && stopped === undefined
  return {
    isReady: counted.length === 0 && (blocker === undefined || blocker.code === 'Paused'),
    blocker,
    stopped,
    beside: worstFirst(
      [...unselected, ...states.filter(({ state }) => state === 'loaded')].flatMap(({ problem: found }) => found ?? []),
    ),
    worst: worstProblem([
      ...problems,
      ...[...counted, ...(blocker?.code === 'BeingDeleted' ? held : [])].flatMap(state => state.problem ?? []),
    ]),
    // Where nothing is done for the Module, only what the cluster does with its pods goes on.
    isMoving:
      blocker?.code === 'BeingDeleted'
        ? isStillUnloading(seen, held.length)
        : counted.some(({ problem: found, pod }) =>
            found?.code === 'Outdated'
              ? hasTurn
              : (blocker === undefined || pod !== undefined) && (found?.passing === true || found?.retry === 'backoff'),
          ),
    counts: `${loaded} of ${targets.length} nodes have the driver of Module ${seen.key}`,
    matching: states.length,
    selector: JSON.stringify(module.spec.selector),
  }
}

function counters({ seen, states, steps }: StatusFacts, operand: 'loader' | 'plugin'): OperandCounters {
  const available = seen.daemonSets
    .filter(daemonSet => operandOf(daemonSet) === operand)
    .reduce((sum, daemonSet) => sum + (daemonSet.status?.numberAvailable ?? 0), 0)
  const isMapped = ({ target }: NodeState) => {
    const step = steps.get(target.kernel)
    return step !== undefined && !isUnmapped(step)
  }
  return {
    nodesMatchingSelectorNumber: states.length,
    desiredNumber: states.filter(state => state.target.taint === undefined && isMapped(state)).length,
    availableNumber: available,
  }
}

function kernels({ seen, steps, states }: StatusFacts): KernelStatus[] {
  const byKernel = Map.groupBy(states, state => state.target.kernel)
  return [...steps.values()].map(step => {
    const ofKernel = byKernel.get(step.kernel) ?? []
    const found = [...(step.problem === undefined ? [] : [step.problem]), ...ofKernel.flatMap(state => state.problem ?? [])]
    const worst = worstProblem(found.length > 0 ? found : allTainted(seen.key, ofKernel))
    const image = step.spec?.image ?? step.problem?.image ?? step.daemonSet?.spec?.template?.spec?.containers?.[0]?.image
    return {
      kernel: step.kernel,
      ...(image === undefined || image === '' ? {} : { image }),
      nodes: ofKernel.length,
      ready: ofKernel.filter(state => state.state === 'loaded').length,
      reason: worst?.code ?? 'Loaded',
      ...(worst === undefined ? {} : { message: worst.message }),
    }
  })
}

/** No node of the kernel is a target: that is why none is ready. */
function allTainted(module: string, states: readonly NodeState[]): readonly Problem[] {
  if (states.some(state => state.state !== 'excluded')) return []
  return states.flatMap(({ target: { node, taint } }) =>
    taint === undefined
      ? []
      : problem('NodeTainted', { module, node: node.metadata.name, taint: `${taint.key}:${taint.effect}` }),
  )
}

/** The worst 20: what needs a person first, then by name. `since` is when this reason was first told. */
function notReadyNodes({ states, unselected, module }: StatusFacts, now: string): readonly Listed[] {
  const before = new Map((module.status?.notReadyNodes ?? []).map(entry => [entry.name, entry]))
  return [...states, ...unselected]
    .filter(({ state, problem: found }) => state === 'not loaded' && found !== undefined && found.code !== 'BeingDeleted')
    .toSorted(
      (a, b) =>
        Number(a.problem?.passing) - Number(b.problem?.passing) ||
        (a.target.node.metadata.name < b.target.node.metadata.name ? -1 : 1),
    )
    .slice(0, listedNodes)
    .map(state => {
      const name = state.target.node.metadata.name
      const reason = state.problem?.code ?? ''
      const known = before.get(name)
      const isNew = known?.reason !== reason
      return {
        state,
        isNew,
        entry: { name, reason, message: state.problem?.message ?? '', since: isNew ? now : (known?.since ?? now) },
      }
    })
}

/** A condition that turned is told at once; counters and sentences may wait. */
function isUrgent(before: ModuleStatus | undefined, after: ModuleStatus): boolean {
  if (before?.observedGeneration !== after.observedGeneration) return true
  const turned = (after.conditions ?? []).some(condition => {
    const old = before?.conditions?.find(other => other.type === condition.type)
    return old?.status !== condition.status || old?.reason !== condition.reason
  })
  return turned
}
