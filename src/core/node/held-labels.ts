// Which Module's loader holds a kernel module on this Node that another Module names too. The DaemonSets of the others keep off Nodes with
// this label: until the holder's driver is out of the kernel, a second load would find it there and be content with it.
import type { Node, Pod } from '../cluster.ts'
import { heldLabel } from '../names.ts'
import { type Labels, parseKey } from '../object.ts'
import { moduleKeyOf, operandOf } from '../operands.ts'
import type { Rivals } from './ready-labels.ts'
import { podKey, type SeenNode } from './seen-node.ts'

/** Who is in whose way on this node. */
export function rivalry({ pods, kernelModules }: SeenNode): Rivals {
  const byName = new Map<string, Pod[]>()
  for (const pod of pods) {
    for (const name of kernelModules.get(podKey(pod)) ?? []) {
      const same = byName.get(name)
      if (same === undefined) byName.set(name, [pod])
      else same.push(pod)
    }
  }
  // On nearly every node each kernel module has one loader.
  if (byName.values().every(same => same.length === 1)) return () => none
  return pod => {
    const names = kernelModules.get(podKey(pod)) ?? []
    const others = names.flatMap(name => byName.get(name) ?? []).filter(other => moduleKeyOf(other) !== moduleKeyOf(pod))
    return [...new Set(others)]
  }
}

const none: readonly Pod[] = []

/**
 * Set while a loader of the Module is on the node, until its pod is released; never begun where loaders of two Modules are there
 * together already: the label of one would end the other, and with it the driver of both.
 */
export function heldLabels(node: Node, { pods, contested }: SeenNode, rivals: Rivals): Labels {
  const wanted: Record<string, string> = {}
  for (const pod of pods) {
    const moduleKey = moduleKeyOf(pod)
    if (moduleKey === undefined || operandOf(pod) !== 'loader') continue
    const isAlone = rivals(pod).length === 0
    if (!contested.has(moduleKey) && isAlone) continue
    const { namespace = '', name } = parseKey(moduleKey)
    const key = heldLabel(namespace, name)
    if (isAlone || node.metadata.labels?.[key] !== undefined) wanted[key] = ''
  }
  return wanted
}
