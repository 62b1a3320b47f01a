// Rule over the history: a paced replacement takes the driver from no more nodes at a time than the Module allows.
import type { Module } from '../../src/api/module.ts'
import { type DaemonSet, isNodeReady, isPodReady, type Node } from '../../src/core/cluster.ts'
import { labels, userVersionLabel } from '../../src/core/names.ts'
import { type KubeObject, keyOf } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf, ownerUidOf } from '../../src/core/operands.ts'
import { matchesLabels } from '../../src/core/selectors.ts'
import type { Objects, Rule } from './history.ts'
import { podsOn, versionOf } from './plugin-order.ts'

/** Nodes that the loader DaemonSet leaves out. Read from the object itself, not with the functions under test. */
export function leftOut(object: KubeObject | undefined): readonly string[] {
  const daemonSet: DaemonSet | undefined = object
  const text = JSON.stringify(daemonSet?.spec?.template?.spec?.['affinity'] ?? null)
  return [...text.matchAll(/"key":"metadata\.name","operator":"NotIn","values":\["([^"]+)"\]/g)].map(([, name = '']) => name)
}

const isServed = (now: Objects, node: string, module: string): boolean =>
  podsOn(now, node, module, 'loader').some(pod => isPodReady(pod) && !isDeleting(pod))

const selected = (now: Objects, module: Module): readonly Node[] =>
  [...now.nodes.values()].filter(node => matchesLabels(module.spec.selector, node.metadata.labels))

const allowed = (module: Module, desired: number): number => {
  const { maxUnavailable = 1 } = module.spec.moduleLoader
  if (typeof maxUnavailable === 'number') return maxUnavailable
  return Math.max(1, Math.ceil((Number.parseInt(maxUnavailable, 10) * desired) / 100))
}

/** One for each history: it remembers which nodes were emptied and are not served again. */
export function replacementBudget(): Rule {
  const emptied = new Map<string, Set<string>>()
  return ({ kind, type, object }, old, now) => {
    if (kind === 'Module' && type !== 'MODIFIED') emptied.delete(keyOf(object))
    const module = moduleKeyOf(object)
    if (module === undefined || operandOf(object) !== 'loader') return []
    const nodes = emptied.get(module) ?? new Set<string>()
    emptied.set(module, nodes)
    for (const node of nodes) if (!leftOutAnywhere(now, module, node) && isServed(now, node, module)) nodes.delete(node)
    if (kind !== 'DaemonSet' || type !== 'MODIFIED') return []
    const owner = now.modules.get(module)
    const before = leftOut(old)
    const begun = leftOut(object).filter(node => !before.includes(node) && isServedBy(now, node, object))
    if (owner === undefined || begun.length === 0) return []
    // The DaemonSet of before the Module had a version: the user's labels say which nodes leave it.
    if (versionOf(object) !== owner.spec.moduleLoader.container.version) return []
    for (const node of begun) nodes.add(node)
    // A node that fell silent is not waited for, and yet one of those that a percentage is taken of.
    const away = selected(now, owner)
      .filter(node => isNodeReady(node) && nodes.has(node.metadata.name) && isAsked(owner, node))
      .map(node => node.metadata.name)
    const limit = allowed(owner, selected(now, owner).length)
    return away.length > limit
      ? [`${away.join(', ')} are without a driver of ${module} for a replacement, though only ${limit} may be`]
      : []
  }
}

/** A node from which the user has taken the version label is without a driver for that. */
function isAsked({ metadata: { namespace = '', name }, spec }: Module, node: Node): boolean {
  const { version } = spec.moduleLoader.container
  return version === undefined || node.metadata.labels?.[userVersionLabel(namespace, name)] === version
}

const leftOutAnywhere = (now: Objects, module: string, node: string): boolean =>
  [...now.daemonSets.values()].some(daemonSet => moduleKeyOf(daemonSet) === module && leftOut(daemonSet).includes(node))

const isServedBy = (now: Objects, node: string, daemonSet: KubeObject): boolean =>
  daemonSet.metadata.labels?.[labels.kernel] !== undefined &&
  podsOn(now, node, moduleKeyOf(daemonSet) ?? '', 'loader').some(
    pod => isPodReady(pod) && !isDeleting(pod) && ownerUidOf(pod) === daemonSet.metadata.uid,
  )
