// Ready, Reconciling, Stalled: what kubectl wait, Argo and Flux understand (kstatus).
import type { StatusCondition } from '../../api/module.ts'
import type { Problem } from '../problem.ts'

export type Verdict = {
  readonly isReady: boolean
  /** The Module is paused, breaks a rule or is being deleted: nothing is done for it. */
  readonly blocker: Problem | undefined
  readonly stopped: Problem | undefined
  readonly worst: Problem | undefined
  /** What is wrong beside the drivers of the selected nodes (docs/decisions/0012). */
  readonly beside: readonly Problem[]
  /** Something is under way, or is tried again by itself. */
  readonly isMoving: boolean
  /** For example `3 of 5 nodes have the driver of Module ns/name`. */
  readonly counts: string
  readonly matching: number
  /** As JSON. */
  readonly selector: string
}

export function conditionsOf(
  verdict: Verdict,
  before: readonly StatusCondition[],
  generation: number | undefined,
  now: string,
): readonly StatusCondition[] {
  const { reason, message } = ready(verdict)
  const isStalled = verdict.blocker?.code === 'RuleViolated' || (!verdict.isReady && !verdict.isMoving)
  const isReconciling = !verdict.isReady && !isStalled
  const condition = (type: string, isTrue: boolean, why: string, text: string): StatusCondition => {
    const status = isTrue ? 'True' : 'False'
    const old = before.find(other => other.type === type)
    return {
      type,
      status,
      reason: why,
      message: text,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }
  }
  return [
    condition('Ready', verdict.isReady, reason, message),
    condition(
      'Reconciling',
      isReconciling,
      isReconciling ? reason : 'Settled',
      isReconciling ? todo(verdict, message) : 'nothing is under way',
    ),
    condition(
      'Stalled',
      isStalled,
      isStalled ? reason : 'NotStalled',
      isStalled ? todo(verdict, message) : 'nothing waits for a person',
    ),
  ]
}

function ready({ blocker, stopped, worst, beside, isReady, counts, matching, selector }: Verdict): {
  readonly reason: string
  readonly message: string
} {
  if (blocker?.code === 'BeingDeleted') {
    const left = worst === undefined || worst.code === blocker.code ? '' : `; ${worst.message}`
    return { reason: blocker.code, message: `${blocker.message}${left}` }
  }
  if (blocker !== undefined) return { reason: blocker.code, message: `${blocker.message}; ${counts}` }
  if (stopped !== undefined) return { reason: stopped.code, message: `${stopped.message}; ${counts}` }
  if (!isReady && worst !== undefined) return { reason: worst.code, message: `${counts}; ${worst.message}` }
  const [first, ...others] = beside
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `; the like on ${others.length} more node(s)`
    return { reason: first.code, message: `${counts}; ${first.message}${more}` }
  }
  if (matching === 0) return { reason: 'NoMatchingNodes', message: noNode(selector) }
  return { reason: 'Loaded', message: counts }
}

/** An empty selector selects every node. */
const noNode = (selector: string): string =>
  selector === '{}' ? 'there is no node' : `no node has the labels ${selector} of the selector`

/** With what to do next, unless it ends by itself for sure. */
function todo({ blocker, stopped, worst }: Verdict, message: string): string {
  const found = blocker?.code === 'BeingDeleted' ? worst : (blocker ?? stopped ?? worst)
  if (found === undefined || (found.passing && found.retry === 'on-change')) return message
  return `${message.replace(/\.$/, '')}. ${found.todo}`
}
