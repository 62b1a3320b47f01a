// The Node controller: every label that we own on a Node, and the finalizers of the pods that ran there. It does the work of the
// original's PodNodeModule, NodeKernel and NodeLabelModuleVersion (decisions.md 21).
import type { Module } from '../api/module.ts'
import type { KubeEvent, Pod } from '../core/cluster.ts'
import type { Controller, Look } from '../core/controller.ts'
import { kernelModulesOf, otherModulesNaming, podsByKernelModule } from '../core/loading/kernel-modules.ts'
import { planNode } from '../core/node/plan.ts'
import { observeNode } from '../core/node/seen-node.ts'
import { type KubeObject, keyOf } from '../core/object.ts'
import { moduleKeyOf, podsByModule, podsByNamespace } from '../core/operands.ts'
import { isPaused } from '../core/paused.ts'
import { crds, daemonSets, events, modules, namespaces, nodes, pods } from '../core/resources.ts'
import { isUnversioned } from '../core/upgrade/before-versions.ts'
import { nodesByVersionedModule } from '../core/upgrade/version-labels.ts'

const ofPod = (pod: KubeObject): readonly string[] => {
  const nodeName = (pod as Pod).spec?.nodeName
  return nodeName === undefined || nodeName === '' ? [] : [nodeName]
}

const ofPods = (found: readonly KubeObject[]): readonly string[] => [...new Set(found.flatMap(ofPod))]

const whereModuleIs = (module: KubeObject, look: Look): readonly string[] => [
  ...look.by(nodesByVersionedModule, keyOf(module)).map(node => node.metadata.name),
  ...ofPods(look.by(podsByModule, keyOf(module))),
]

/** Loaders from before the Module had a version keep the nodes waiting that move on to one. */
const ofUnversioned = (daemonSet: KubeObject, look: Look): readonly string[] =>
  isUnversioned(daemonSet) ? look.by(nodesByVersionedModule, moduleKeyOf(daemonSet) ?? '').map(node => node.metadata.name) : []

/** Where its pods or version labels are, and where the pods of those are that name one of its kernel modules. */
function whereModuleMatters(module: KubeObject, look: Look): readonly string[] {
  const names = kernelModulesOf((module as Module).spec.moduleLoader.container.modprobe)
  const others = otherModulesNaming(look, keyOf(module), names).flatMap(key => ofPods(look.by(podsByModule, key)))
  const left = names.flatMap(name => ofPods(look.by(podsByKernelModule, name)))
  return [...new Set([...whereModuleIs(module, look), ...others, ...left])]
}

const namesOf = (module: KubeObject): string => kernelModulesOf((module as Module).spec.moduleLoader.container.modprobe).join(',')
const versionOf = (module: KubeObject): string => (module as Module).spec.moduleLoader.container.version ?? ''

export const nodeController: Controller = {
  name: 'Node',
  resource: nodes,
  wakes: [
    { resource: nodes, keys: node => [node.metadata.name] },
    { resource: pods, keys: ofPod },
    {
      resource: modules,
      keys: whereModuleMatters,
      // A status that moves concerns no Node.
      matters: (old, module) =>
        versionOf(old) !== versionOf(module) ||
        namesOf(old) !== namesOf(module) ||
        isPaused(old) !== isPaused(module) ||
        old.metadata.uid !== module.metadata.uid,
    },
    { resource: daemonSets, keys: ofUnversioned },
    { resource: namespaces, keys: (namespace, look) => ofPods(look.by(podsByNamespace, namespace.metadata.name)) },
    { resource: crds, keys: (_, look) => ofPods(look.list(pods)) },
    {
      resource: events,
      keys: (event, look) => {
        const { kind, namespace, name } = (event as KubeEvent).involvedObject ?? {}
        const pod = kind === 'Pod' ? look.get(pods, `${namespace ?? ''}/${name ?? ''}`) : undefined
        return pod === undefined ? [] : ofPod(pod)
      },
    },
  ],
  plan: (look, key, context) => planNode(observeNode(look, key), context),
}
