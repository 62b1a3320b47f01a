// One line of `kmm status`: a Module on a node, judged by the planners' own node states.
import type { Node, Pod } from '../cluster.ts'
import type { Look, PlanContext } from '../controller.ts'
import { isUnmapped, type KernelStep } from '../module/kernels.ts'
import { noPods, podsByNode } from '../module/node-pods.ts'
import type { NodeState } from '../module/node-state.ts'
import { type Survey, surveyModule } from '../module/plan.ts'
import { observeModule, type SeenModule } from '../module/seen-module.ts'
import { loaderVersionLabel } from '../names.ts'
import { isFailedPreStop, judgeFinalizer } from '../node/finalizer.ts'
import { isServiceEnding } from '../node/seen-node.ts'
import { keyOf, parseKey } from '../object.ts'
import { hasOurFinalizer, isDeleting, isServing, moduleKeyOf, operandOf } from '../operands.ts'
import { type Problem, type ProblemCode, problem } from '../problem.ts'
import { modules, nodes, pods } from '../resources.ts'

/**
 * `outdated`: a driver is loaded, but not the one that the Module asks for now. `still loaded`: its unload failed, so nothing newer is started.
 * `unknown`: the node is silent. `excluded`: the Module does not tolerate a taint. `no driver`: no mapping for the kernel.
 */
export type RowState =
  | 'loaded'
  | 'outdated'
  | 'waiting'
  | 'unloading'
  | 'still loaded'
  | 'failed'
  | 'unknown'
  | 'excluded'
  | 'no driver'

export type NodeRow = {
  /** `namespace/name` */
  readonly module: string
  readonly node: string
  readonly kernel: string
  /** Of the loader pod that counts here, else what the mapping names for this kernel. */
  readonly image?: string
  readonly version?: string
  readonly state: RowState
  /** Why the current driver is not loaded, or what is wrong although it is. */
  readonly problem?: Problem
  /** RFC 3339: since when the driver is loaded, or this reason was told; absent where nobody wrote it down. */
  readonly since?: string
  /** `namespace/name` of the loader pod. */
  readonly pod?: string
  /** `no`: the Module does not select the node (any more); `gone`: there is no such Module. */
  readonly selected: 'yes' | 'no' | 'gone'
}

export type ModuleRows = {
  readonly module: string
  /** Undefined for a Module that is gone but whose pods are not. */
  readonly survey: Survey | undefined
  readonly rows: readonly NodeRow[]
}

/** All Modules, and those that are gone but whose loader pods are not, sorted. */
export function moduleKeys(look: Look): readonly string[] {
  const left = (look.list(pods) as readonly Pod[]).flatMap(pod => (isBoundLoader(pod) ? (moduleKeyOf(pod) ?? []) : []))
  return [...new Set([...look.list(modules).map(keyOf), ...left])].sort()
}

/** A pod without a node has loaded nothing. */
const isBoundLoader = (pod: Pod): boolean => operandOf(pod) === 'loader' && (pod.spec?.nodeName ?? '') !== ''

/** One row for each node that the Module selects, then one for each loader pod on another node. */
export function moduleRows(look: Look, key: string, context: PlanContext): ModuleRows {
  const seen = observeModule(look, key)
  const { module } = seen
  const survey = module === undefined ? undefined : surveyModule(seen, module, context)
  const byNode = podsByNode(seen.pods)
  const selected = (survey?.states ?? []).map(state => {
    const onNode = (byNode.get(state.target.node.metadata.name) ?? noPods).loaders
    return rowOf(seen, state, survey?.steps.get(state.target.kernel), onNode)
  })
  const known = new Set(selected.map(row => row.node))
  const left = seen.pods.filter(pod => isBoundLoader(pod) && !known.has(pod.spec?.nodeName ?? ''))
  return { module: key, survey, rows: [...selected, ...left.map(pod => leftRow(look, seen, survey, pod, context.nowMs))] }
}

function rowOf(seen: SeenModule, state: NodeState, step: KernelStep | undefined, onNode: readonly Pod[]): NodeRow {
  const { target, problem: found } = state
  // Where the planners have none to judge, what runs is a loader of another version or kernel.
  const pod = state.pod ?? onNode.find(isServing)
  const node = target.node.metadata.name
  const { taint } = target
  const excluded =
    state.state === 'excluded' && taint !== undefined
      ? problem('NodeTainted', { module: seen.key, node, taint: `${taint.key}:${taint.effect}` })
      : undefined
  const why = found ?? excluded
  const image = pod?.spec?.containers?.[0]?.image ?? step?.spec?.image ?? step?.problem?.image
  const version = (pod === undefined ? undefined : versionOf(seen.key, pod)) ?? seen.module?.spec.moduleLoader.container.version
  const since = sinceOf(seen, state)
  return {
    module: seen.key,
    node,
    kernel: target.kernel,
    ...(image === undefined || image === '' ? {} : { image }),
    ...(version === undefined || version === '' ? {} : { version }),
    state: stateOf(state, step, pod),
    ...(why === undefined ? {} : { problem: why }),
    ...(since === undefined ? {} : { since }),
    ...(pod === undefined ? {} : { pod: keyOf(pod) }),
    selected: 'yes',
  }
}

function stateOf({ state, problem: found }: NodeState, step: KernelStep | undefined, pod: Pod | undefined): RowState {
  if (state !== 'not loaded' || found === undefined) return state === 'excluded' ? 'excluded' : 'loaded'
  if (found.code === 'StillLoaded') return 'still loaded'
  if (found.code === 'NodeNotReady') return 'unknown'
  if (pod !== undefined && isDeleting(pod)) return 'unloading'
  if (pod !== undefined && isServing(pod)) return 'outdated'
  if (step !== undefined && isUnmapped(step) && found.code === step.problem?.code) return 'no driver'
  return found.passing || isWaiting.has(found.code) ? 'waiting' : 'failed'
}

/** They need a person, but nothing has failed. */
const isWaiting: ReadonlySet<ProblemCode> = new Set(['WaitingForVersionLabel', 'ImageUnknown', 'Paused'])

const versionOf = (key: string, pod: Pod): string | undefined => {
  const { namespace = '', name } = parseKey(key)
  return pod.metadata.labels?.[loaderVersionLabel(namespace, name)]
}

function sinceOf(seen: SeenModule, { target, state, problem: found, pod }: NodeState): string | undefined {
  if (state === 'loaded' && pod !== undefined) return readySince(pod)
  if (found?.code === 'NodeNotReady') return readySince(target.node)
  const told = seen.module?.status?.notReadyNodes?.find(entry => entry.name === target.node.metadata.name)
  return found !== undefined && told?.reason === found.code ? told.since : undefined
}

const readySince = ({ status }: Pick<Node | Pod, 'status'>): string | undefined =>
  status?.conditions?.find(condition => condition.type === 'Ready')?.lastTransitionTime

/** A loader on a node that the Module does not select (any more): it runs, it ends, or it is held because its unload failed. */
function leftRow(look: Look, seen: SeenModule, survey: Survey | undefined, pod: Pod, nowMs: number): NodeRow {
  const name = pod.spec?.nodeName ?? ''
  const node: Node | undefined = look.get(nodes, name)
  const [image, version, since] = [pod.spec?.containers?.[0]?.image, versionOf(seen.key, pod), readySince(pod)]
  const found = survey?.unselected.find(one => one.pod === pod)?.problem
  const ending = isDeleting(pod) ? endingOf(look, seen, pod, node, nowMs) : undefined
  return {
    module: seen.key,
    node: name,
    kernel: node?.status?.nodeInfo?.kernelVersion ?? '',
    ...(image === undefined ? {} : { image }),
    ...(version === undefined ? {} : { version }),
    ...(found === undefined ? {} : { problem: found }),
    ...(ending ?? { state: isServing(pod) ? 'loaded' : 'waiting', ...(since === undefined ? {} : { since }) }),
    pod: keyOf(pod),
    selected: seen.module === undefined ? 'gone' : 'no',
  }
}

function endingOf(
  look: Look,
  seen: SeenModule,
  pod: Pod,
  node: Node | undefined,
  nowMs: number,
): Pick<NodeRow, 'state' | 'problem'> {
  const about = { module: seen.key, node: pod.spec?.nodeName ?? '' }
  const failedPreStop = seen.eventsOf(pod.metadata.uid).some(event => isFailedPreStop(event, pod))
  const verdict = judgeFinalizer(pod, { node, endOfService: isServiceEnding(look, pod), failedPreStop, nowMs })
  if (hasOurFinalizer(pod) && verdict.do === 'hold') {
    const words = verdict.words === '' ? verdict.because : verdict.words
    return { state: 'still loaded', problem: problem('StillLoaded', { ...about, pod: pod.metadata.name, words }) }
  }
  return { state: 'unloading', problem: problem('Unloading', about) }
}
