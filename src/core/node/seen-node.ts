import type { Module } from '../../api/module.ts'
import type { DaemonSet, KubeEvent, Node, Pod } from '../cluster.ts'
import type { Look } from '../controller.ts'
import { kernelModulesOn, otherModulesNaming } from '../loading/kernel-modules.ts'
import { daemonSetsByModule, eventsByObjectUid, isDeleting, moduleKeyOf, operandOf, podsByNode } from '../operands.ts'
import { crds, modules, namespaces, nodes } from '../resources.ts'
import { admits, isUnversioned } from '../upgrade/before-versions.ts'
import { versionedModules } from '../upgrade/version-labels.ts'

const crdName = `${modules.plural}.${modules.apiVersion.split('/')[0]}`

/** What the plan of one Node rests on. */
export type SeenNode = {
  readonly name: string
  readonly node: Node | undefined
  /** Our pods on it, sorted by key. */
  readonly pods: readonly Pod[]
  /** By `namespace/name`: the Modules that its pods or version labels name, as far as they exist. */
  readonly modules: ReadonlyMap<string, Module>
  /** By `namespace/name`: those Modules of its version labels that have loaders from before they had a version, which may come to this node. */
  readonly unversionedLoaders: ReadonlySet<string>
  /** What each loader pod was made to load. By pod key. */
  readonly kernelModules: ReadonlyMap<string, readonly string[]>
  /** By `namespace/name`: those Modules with a loader here of which another Module names a kernel module too. */
  readonly contested: ReadonlySet<string>
  /** Keys of pods whose namespace, or whose Module kind, is being removed. */
  readonly endOfService: ReadonlySet<string>
  readonly events: readonly KubeEvent[]
}

export function observeNode(look: Look, name: string): SeenNode {
  const node = look.get(nodes, name)
  const pods = (look.by(podsByNode, name) as readonly Pod[]).toSorted((a, b) => (podKey(a) < podKey(b) ? -1 : 1))
  const keys = new Set(pods.flatMap(pod => moduleKeyOf(pod) ?? []))
  const versioned = versionedModules(node?.metadata.labels)
  for (const key of versioned) keys.add(key)
  const found = new Map<string, Module>()
  for (const key of [...keys].sort()) {
    const module = look.get(modules, key) as Module | undefined
    if (module !== undefined) found.set(key, module)
  }
  const kernelModules = new Map(pods.map(pod => [podKey(pod), kernelModulesOn(look, pod)]))
  return {
    name,
    node,
    pods,
    modules: found,
    kernelModules,
    contested: new Set(
      pods.flatMap(pod => {
        const key = moduleKeyOf(pod)
        const names = kernelModules.get(podKey(pod)) ?? []
        return key !== undefined && otherModulesNaming(look, key, names).length > 0 ? [key] : []
      }),
    ),
    unversionedLoaders: new Set(node === undefined ? [] : versioned.filter(key => hasUnversionedLoader(look, key, node))),
    endOfService: new Set(pods.filter(pod => isServiceEnding(look, pod)).map(podKey)),
    events: pods.flatMap(pod =>
      isDeleting(pod) ? (look.by(eventsByObjectUid, pod.metadata.uid ?? '') as readonly KubeEvent[]) : [],
    ),
  }
}

const hasUnversionedLoader = (look: Look, moduleKey: string, node: Node): boolean =>
  (look.by(daemonSetsByModule, moduleKey) as readonly DaemonSet[]).some(
    daemonSet => operandOf(daemonSet) === 'loader' && isUnversioned(daemonSet) && admits(daemonSet, node),
  )

export const podKey = (pod: Pod): string => `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`

export function isServiceEnding(look: Look, pod: Pod): boolean {
  const namespace = look.get(namespaces, pod.metadata.namespace ?? '')
  const crd = look.get(crds, crdName)
  return (namespace !== undefined && isDeleting(namespace)) || (crd !== undefined && isDeleting(crd))
}
