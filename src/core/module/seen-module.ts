import type { Module } from '../../api/module.ts'
import { type CanonicalModule, canonicalModule } from '../canonical.ts'
import type { DaemonSet, KubeEvent, Node, Pod } from '../cluster.ts'
import type { Look } from '../controller.ts'
import { kernelModulesOf, kernelModulesOn, otherModulesNaming, podsByKernelModule } from '../loading/kernel-modules.ts'
import { labels } from '../names.ts'
import { isServiceEnding } from '../node/seen-node.ts'
import { keyOf } from '../object.ts'
import { daemonSetsByModule, eventsByObjectUid, moduleKeyOf, operandOf, ownerUidOf, podsByModule } from '../operands.ts'
import type { Answer, Question } from '../plan.ts'
import { modules, nodes } from '../resources.ts'
import { matchesLabels } from '../selectors.ts'
import type { Rival } from './claims.ts'

/** What the plan of one Module rests on: one moment of the cluster. */
export type SeenModule = {
  /** `namespace/name` */
  readonly key: string
  readonly module: CanonicalModule | undefined
  /** All that match the selector, schedulable or not, sorted by name. */
  readonly nodes: readonly Node[]
  /** Controlled by this very Module (uid) or by nobody: left by a deletion that orphans, or restored. Sorted by name. */
  readonly daemonSets: readonly DaemonSet[]
  /** With our labels, but of a deleted Module of the same name. */
  readonly leftDaemonSets: readonly DaemonSet[]
  readonly pods: readonly Pod[]
  /** Also one that the selector does not match. */
  nodeOf(name: string): Node | undefined
  /** Other Modules that name one of its kernel modules. */
  readonly rivals: readonly Rival[]
  /** Loader pods of other Modules, also of deleted ones, that were made to load one of its kernel modules. */
  readonly rivalPods: readonly Pod[]
  /** Its namespace or our CRD is going away, so that it is released whatever it says. */
  isServiceEnding(pod: Pod): boolean
  eventsOf(uid: string | undefined): readonly KubeEvent[]
  answer(question: Question): Answer | undefined
}

export function observeModule(look: Look, key: string): SeenModule {
  const found = look.get(modules, key) as Module | undefined
  const module = found === undefined ? undefined : canonicalModule(found)
  const uid = module?.metadata.uid
  const ofModule = byName(look.by(daemonSetsByModule, key) as readonly DaemonSet[])
  return {
    key,
    module,
    nodes:
      module === undefined
        ? []
        : byName((look.list(nodes) as readonly Node[]).filter(node => matchesLabels(module.spec.selector, node.metadata.labels))),
    daemonSets: ofModule.filter(daemonSet => (ownerUidOf(daemonSet) ?? uid) === uid),
    leftDaemonSets: ofModule.filter(daemonSet => (ownerUidOf(daemonSet) ?? uid) !== uid),
    pods: byName(look.by(podsByModule, key) as readonly Pod[]),
    rivals: module === undefined ? [] : rivalsOf(look, module),
    rivalPods: module === undefined ? [] : rivalPodsOf(look, module),
    nodeOf: name => look.get(nodes, name),
    isServiceEnding: pod => isServiceEnding(look, pod),
    eventsOf: objectUid => (objectUid === undefined ? [] : look.by(eventsByObjectUid, objectUid)),
    answer: question => look.answer(question),
  }
}

const byName = <T extends { readonly metadata: { readonly name: string } }>(objects: readonly T[]): readonly T[] =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0))

function rivalsOf(look: Look, module: CanonicalModule): readonly Rival[] {
  const names = kernelModulesOf(module.spec.moduleLoader.container.modprobe)
  return otherModulesNaming(look, keyOf(module), names).flatMap(key => {
    const found = look.get(modules, key) as Module | undefined
    if (found === undefined) return []
    const kernels = look
      .by(daemonSetsByModule, key)
      .flatMap(daemonSet => (operandOf(daemonSet) === 'loader' ? (daemonSet.metadata.labels?.[labels.kernel] ?? []) : []))
    return [{ module: canonicalModule(found), kernels: new Set(kernels) }]
  })
}

function rivalPodsOf(look: Look, module: CanonicalModule): readonly Pod[] {
  const key = keyOf(module)
  const names = kernelModulesOf(module.spec.moduleLoader.container.modprobe)
  const saying = names.flatMap(name => look.by(podsByKernelModule, name) as readonly Pod[])
  const silent = otherModulesNaming(look, key, names)
    .flatMap(other => look.by(podsByModule, other) as readonly Pod[])
    .filter(pod => kernelModulesOn(look, pod).some(name => names.includes(name)))
  return byName([...new Set([...saying, ...silent])].filter(pod => moduleKeyOf(pod) !== key))
}
