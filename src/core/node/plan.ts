// Everything that we own on a Node, in one object under one field manager, and the finalizers of the pods that ran there.
import type { Module } from '../../api/module.ts'
import { kernelOf, type Node, type Pod } from '../cluster.ts'
import type { PlanContext } from '../controller.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { labels, loaderVersionLabel, pluginVersionLabel, podFinalizer, userVersionLabel } from '../names.ts'
import { type KubeObject, type Labels, parseKey, refOf } from '../object.ts'
import { hasOurFinalizer, isDeleting, moduleKeyOf, operandOf } from '../operands.ts'
import { isPaused } from '../paused.ts'
import { emptyPlan, type Plan, type PlannedEvent, type Removal } from '../plan.ts'
import { events, namespaces, nodes, pods as podKind } from '../resources.ts'
import { labelsAfter, nextStep, type VersionLabels } from '../upgrade/moves.ts'
import { versionedModules } from '../upgrade/version-labels.ts'
import { type FinalizerVerdict, isFailedPreStop, judgeFinalizer } from './finalizer.ts'
import { heldLabels, rivalry } from './held-labels.ts'
import { readyLabels, unheardOnNewNodeMs } from './ready-labels.ts'
import { podKey, type SeenNode } from './seen-node.ts'

export function planNode(seen: SeenNode, context: PlanContext): Plan {
  const { node } = seen
  const alone = seen.pods
    .filter(pod => isDeleting(pod) && hasOurFinalizer(pod))
    .map(pod => ({ pod, verdict: verdictOf(pod, seen, context.nowMs) }))
  const verdicts = alone
    .map(({ pod, verdict }) => ({ pod, verdict: verdict.do === 'hold' ? afterSuccessor(pod, verdict, alone, seen) : verdict }))
    // What rests on another pod's words goes first: after a crash in between that pod would be gone, and its words with it.
    .toSorted((a, b) => Number(restsOnAnother(b.verdict)) - Number(restsOnAnother(a.verdict)))
  return {
    ...emptyPlan,
    apply: node === undefined || isDeleting(node) ? [] : [stated(node, labelsOf(node, seen, context.nowMs))],
    remove: verdicts.flatMap(({ pod, verdict }) => (verdict.do === 'release' ? [releaseOf(pod, verdict.because)] : [])),
    events: node === undefined ? [] : verdicts.flatMap(({ pod, verdict }) => eventOf(node, pod, verdict)),
    ...lookAgain([
      ...verdicts.flatMap(({ verdict }) => (verdict.do === 'wait' ? (verdict.lookAgainInMs ?? []) : [])),
      ...(node === undefined ? [] : seen.pods.map(pod => unheardOnNewNodeMs(pod, node, context.nowMs)).filter(ms => ms > 0)),
    ]),
  }
}

function labelsOf(node: Node, seen: SeenNode, nowMs: number): Labels {
  const rivals = rivalry(seen)
  return {
    ...kernelLabel(node, seen.pods),
    ...readyLabels(node, seen.pods, rivals, nowMs),
    ...heldLabels(node, seen, rivals),
    ...versionLabels(node, seen),
  }
}

const lookAgain = (times: readonly number[]): Pick<Plan, 'lookAgainInMs'> =>
  times.length === 0 ? {} : { lookAgainInMs: Math.min(...times) }

/** The uid keeps an apply from making a Node that was deleted in the meantime (decisions.md 4). */
const stated = (node: Node, stated: Labels): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: node.metadata.name, ...(node.metadata.uid === undefined ? {} : { uid: node.metadata.uid }), labels: stated },
})

/**
 * After a kernel change the label first goes away and comes back when no loader of another kernel is left: else the end of the
 * old loader would take the new driver away (decisions.md 11).
 */
function kernelLabel(node: Node, pods: readonly Pod[]): Labels {
  const kernel = kernelOf(node)
  const present = node.metadata.labels?.[labels.kernel]
  // Without a word of the kubelet nothing has changed.
  if (kernel === '') return present === undefined ? {} : { [labels.kernel]: present }
  const value = kernelLabelValue(kernel)
  const isOfAnotherKernel = (pod: Pod) => operandOf(pod) === 'loader' && pod.metadata.labels?.[labels.kernel] !== value
  return pods.some(isOfAnotherKernel) ? {} : { [labels.kernel]: value }
}

function versionLabels(node: Node, seen: SeenNode): Labels {
  const present = node.metadata.labels ?? {}
  const wanted: Record<string, string> = {}
  for (const moduleKey of versionedModules(present)) {
    const { namespace = '', name } = parseKey(moduleKey)
    const [loaderKey, pluginKey] = [loaderVersionLabel(namespace, name), pluginVersionLabel(namespace, name)]
    const module = seen.modules.get(moduleKey)
    const own = {
      ...(present[loaderKey] ? { loader: present[loaderKey] } : {}),
      ...(present[pluginKey] ? { plugin: present[pluginKey] } : {}),
    }
    const user = hasVersion(module) ? present[userVersionLabel(namespace, name)] : undefined
    const found: VersionLabels = { ...own, ...(user === undefined ? {} : { user }) }
    const ofModule = seen.pods.filter(pod => moduleKeyOf(pod) === moduleKey)
    const hasPlugin = (pod: Pod) => operandOf(pod) === 'plugin' && (hasVersion(module) || pod.metadata.labels?.[pluginKey])
    const running = {
      // Where the Module gave up its versions, the device plugin without one waits for nobody, and nobody for it.
      pluginPods: ofModule.filter(hasPlugin).length,
      loaderPods: ofModule.filter(pod => operandOf(pod) === 'loader').length + (seen.unversionedLoaders.has(moduleKey) ? 1 : 0),
    }
    const after = module !== undefined && isPaused(module) ? own : labelsAfter(found, nextStep(found, running))
    if (after.loader !== undefined) wanted[loaderKey] = after.loader
    if (after.plugin !== undefined) wanted[pluginKey] = after.plugin
  }
  return wanted
}

const hasVersion = (module: Module | undefined): boolean => (module?.spec.moduleLoader.container.version ?? '') !== ''

const becauseOfSuccessor = 'a later loader has unloaded the same kernel modules'
const restsOnAnother = (verdict: FinalizerVerdict): boolean => verdict.do === 'release' && verdict.because === becauseOfSuccessor

/** A later loader, content with the driver that this one had left, has taken it out of the kernel. */
function afterSuccessor(
  pod: Pod,
  verdict: FinalizerVerdict,
  others: readonly { readonly pod: Pod; readonly verdict: FinalizerVerdict }[],
  { kernelModules }: SeenNode,
): FinalizerVerdict {
  const names = kernelModules.get(podKey(pod)) ?? []
  const born = Date.parse(pod.metadata.creationTimestamp ?? '')
  const hasUnloaded = ({ pod: other, verdict: its }: (typeof others)[number]) => {
    const itsNames = kernelModules.get(podKey(other)) ?? []
    const isLater = Date.parse(other.metadata.creationTimestamp ?? '') > born
    return its.do === 'release' && its.unloaded && isLater && names.every(name => itsNames.includes(name))
  }
  return names.length > 0 && others.some(hasUnloaded) ? { do: 'release', because: becauseOfSuccessor, unloaded: false } : verdict
}

function verdictOf(pod: Pod, seen: SeenNode, nowMs: number): FinalizerVerdict {
  return judgeFinalizer(pod, {
    node: seen.node,
    endOfService: seen.endOfService.has(podKey(pod)),
    failedPreStop: seen.events.some(event => isFailedPreStop(event, pod)),
    nowMs,
  })
}

export const releaseOf = (pod: Pod, because: string): Removal => ({
  object: refOf(pod),
  uid: pod.metadata.uid ?? '',
  resourceVersion: pod.metadata.resourceVersion ?? '',
  because,
  finalizer: podFinalizer,
  // Not on Modules or DaemonSets: a pod has to be let go also when these kinds are gone.
  restsOn: [podKind, nodes, events, namespaces],
})

/** People hear of each unload, and of each one that failed, on the Node: the Module may be gone by then (decisions.md 1, 22). */
function eventOf(node: Node, pod: Pod, verdict: FinalizerVerdict): readonly PlannedEvent[] {
  const about = { ...refOf(node), ...(node.metadata.uid === undefined ? {} : { uid: node.metadata.uid }) }
  const module = moduleKeyOf(pod) ?? ''
  if (verdict.do === 'release' && verdict.unloaded) {
    return [
      {
        about,
        type: 'Normal',
        reason: 'DriverUnloaded',
        message: `the driver of Module ${module} was unloaded (pod ${podKey(pod)})`,
        ofRemoval: pod.metadata.uid ?? '',
      },
    ]
  }
  if (verdict.do !== 'hold') return []
  const words = verdict.words === '' ? '' : `: ${verdict.words}`
  return [
    {
      about,
      type: 'Warning',
      reason: 'StillLoaded',
      message: `the old driver of Module ${module} is still loaded: ${verdict.because}${words}`,
    },
  ]
}
