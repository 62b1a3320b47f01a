// Which loader pods of a Module on a node may be let go by a person: those that are held because their unload failed, and no others.
import type { KubeEvent, Node, Pod } from '../../core/cluster.ts'
import { isFailedPreStop, judgeFinalizer } from '../../core/node/finalizer.ts'
import { hasOurFinalizer, isDeleting, operandOf } from '../../core/operands.ts'

/**
 * `release`: held, so the finalizer may be taken off. `leave`: not held, or not yet judged. `reload`: started beside a held one, so its
 * modprobe may have been content with the old driver: it is deleted first, and its successor loads what the Module asks for.
 */
export type ReleaseDecision = { readonly pod: Pod; readonly do: 'release' | 'reload' | 'leave'; readonly because: string }

/** One for each loader pod, those to reload first; the operator's own judgement decides. */
export function decideReleases(
  pods: readonly Pod[],
  node: Node | undefined,
  events: readonly KubeEvent[],
  nowMs: number,
): readonly ReleaseDecision[] {
  const decisions = pods
    .filter(pod => operandOf(pod) === 'loader')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((pod): ReleaseDecision => ({ pod, ...decide(pod, node, events, nowMs) }))
  if (!decisions.some(decision => decision.do === 'release')) return decisions
  const [beside, others] = [decisions.filter(({ pod }) => !isDeleting(pod)), decisions.filter(({ pod }) => isDeleting(pod))]
  const because = 'it started beside the old driver, so what it has loaded is not known'
  return [...beside.map(({ pod }): ReleaseDecision => ({ pod, do: 'reload', because })), ...others]
}

function decide(
  pod: Pod,
  node: Node | undefined,
  events: readonly KubeEvent[],
  nowMs: number,
): Pick<ReleaseDecision, 'do' | 'because'> {
  const leave = (because: string) => ({ do: 'leave' as const, because })
  if (!isDeleting(pod)) return leave('it is not being deleted: its driver is in use by the Module and nothing has been unloaded')
  if (!hasOurFinalizer(pod)) return leave('it has no finalizer of KMM, so KMM does not hold it')
  const failedPreStop = events.some(event => isFailedPreStop(event, pod))
  const verdict = judgeFinalizer(pod, { node, endOfService: false, failedPreStop, nowMs })
  if (verdict.do === 'hold') return { do: 'release', because: verdict.because }
  if (verdict.do === 'wait') return leave(`it is not held (yet): ${verdict.because}`)
  return leave(`it is not held: ${verdict.because}, so the operator lets it go by itself`)
}
