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
  const namesOf = (pod: Pod) => kernelModules.get(podKey(pod)) ?? []
  const loaders = pods.filter(pod => namesOf(pod).length > 0)
  return pod => {
    const names = namesOf(pod)
    if (names.length === 0 || loaders.length < 2) return []
    return loaders.filter(other => moduleKeyOf(other) !== moduleKeyOf(pod) && namesOf(other).some(name => names.includes(name)))
  }
}

/**
 * Set while a loader of the Module is on the node, until its pod is released; never begun where loaders of two Modules are there
 * together already: the label of one would end the other, and with it the driver of both.
 */
export function heldLabels(node: Node, { pods, contested }: SeenNode, rivals: Rivals): Labels {
  const wanted: Record<string, string> = {}
  for (const pod of pods) {
    const moduleKey = moduleKeyOf(pod)
    if (moduleKey === undefined || operandOf(pod) !== 'loader') continue
    const { namespace = '', name } = parseKey(moduleKey)
    const key = heldLabel(namespace, name)
    const others = rivals(pod)
    const isHeld = node.metadata.labels?.[key] !== undefined && (contested.has(moduleKey) || others.length > 0)
    if (isHeld || (contested.has(moduleKey) && others.length === 0)) wanted[key] = ''
  }
  return wanted
}
