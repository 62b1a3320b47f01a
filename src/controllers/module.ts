// The Module controller: DaemonSets, the pace of a change, and the status of each Module.
import type { Module } from '../api/module.ts'
import type { KubeEvent } from '../core/cluster.ts'
import type { Controller, Look } from '../core/controller.ts'
import { kernelModulesOf, kernelModulesOfPod, modulesByKernelModule } from '../core/loading/kernel-modules.ts'
import { planModule } from '../core/module/plan.ts'
import { observeModule } from '../core/module/seen-module.ts'
import { type KubeObject, keyOf } from '../core/object.ts'
import { moduleKeyOf, podsByNode } from '../core/operands.ts'
import { daemonSets, events, modules, nodes, pods } from '../core/resources.ts'
import { matchesLabels } from '../core/selectors.ts'

const ofLabel = (object: KubeObject): readonly string[] => {
  const key = moduleKeyOf(object)
  return key === undefined ? [] : [key]
}

/** Modules that name the same kernel module: one of them may have to give way, or may now take it. */
function itselfAndRivals(object: KubeObject, look: Look): readonly string[] {
  const names = kernelModulesOf((object as Module).spec.moduleLoader.container.modprobe)
  return [keyOf(object), ...names.flatMap(name => look.by(modulesByKernelModule, name).map(keyOf))]
}

/** A Module whose mapping went holds its kernel modules for as long as its DaemonSet is there. */
function ofDaemonSet(object: KubeObject, look: Look): readonly string[] {
  const [key] = ofLabel(object)
  if (key === undefined) return []
  const module = look.get(modules, key)
  return module === undefined ? [key] : itselfAndRivals(module, look)
}

const thatSelect = (node: KubeObject, look: Look): readonly string[] =>
  look
    .list(modules)
    .filter(module => matchesLabels((module as Module).spec.selector, node.metadata.labels))
    .map(keyOf)

/** Its Module, and those that wait for a kernel module that it may have in the kernel. */
function ofPod(pod: KubeObject, look: Look): readonly string[] {
  const waiting = (kernelModulesOfPod(pod) ?? []).flatMap(name => look.by(modulesByKernelModule, name).map(keyOf))
  return [...new Set([...ofLabel(pod), ...waiting])]
}

/** Those that select it, and those that have left a pod there. */
const ofNode = (node: KubeObject, look: Look): readonly string[] => [
  ...new Set([...thatSelect(node, look), ...look.by(podsByNode, node.metadata.name).flatMap(ofLabel)]),
]

/** Only events about a DaemonSet or a pod of ours. */
function ofEvent(object: KubeObject, look: Look): readonly string[] {
  const { kind, namespace, name } = (object as KubeEvent).involvedObject ?? {}
  const resource = kind === 'Pod' ? pods : kind === 'DaemonSet' ? daemonSets : undefined
  const about = resource === undefined ? undefined : look.get(resource, `${namespace ?? ''}/${name ?? ''}`)
  return about === undefined ? [] : ofLabel(about)
}

export const moduleController: Controller = {
  name: 'Module',
  resource: modules,
  wakes: [
    { resource: modules, keys: itselfAndRivals },
    { resource: daemonSets, keys: ofDaemonSet },
    { resource: pods, keys: ofPod },
    { resource: nodes, keys: ofNode },
    { resource: events, keys: ofEvent },
  ],
  coalesceMs: 500,
  plan: (look, key, context) => planModule(observeModule(look, key), context),
}
