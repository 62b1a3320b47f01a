// How far the cluster is, by the bench's own watch. Each answer is true, or says how far.
import { kernelLabelValue } from '../../src/core/kernel/version.ts'
import { labels } from '../../src/core/names.ts'
import type { Rig } from './rig.ts'
import { pluginLabelOf, readyLabelOf } from './shape.ts'

export type Progress = true | string

const of = (count: number, all: number, what: string): Progress => (count === all ? true : `${count} of ${all} ${what}`)

/** Every Node carries the label of its kernel. */
export function kernelsAreLabelled({ observer, shape }: Rig): Progress {
  const right = [...observer.nodes.values()].filter(node => node.labels[labels.kernel] === kernelLabelValue(node.kernel))
  return of(right.length, shape.nodes, 'nodes have the label of their kernel')
}

/** Every node runs one loader of each Module, of this image and the node's kernel, is labelled with it, and runs nothing older. */
export function allLoaded({ observer, shape }: Rig, modules: readonly string[], image: string): Progress {
  const wanted = new Set(modules)
  let loaded = 0
  let others = 0
  for (const pod of observer.pods.values()) {
    if (!wanted.has(pod.group)) continue
    const node = observer.nodes.get(pod.node)
    if (node === undefined) continue
    const isRight = pod.image.endsWith(`:${image}-${node.kernel}`) && pod.isReady && node.labels[readyLabelOf(pod.group)] === ''
    if (isRight) loaded += 1
    else others += 1
  }
  if (others > 0) return `${loaded} of ${shape.nodes * modules.length} drivers are loaded, ${others} pods are not`
  const drivers = of(loaded, shape.nodes * modules.length, 'drivers are loaded')
  return drivers === true && shape.devicePlugin ? pluginsReady({ observer, shape }, modules) : drivers
}

function pluginsReady({ observer, shape }: Pick<Rig, 'observer' | 'shape'>, modules: readonly string[]): Progress {
  let ready = 0
  for (const node of observer.nodes.values())
    for (const module of modules) if (node.labels[pluginLabelOf(module)] === '') ready += 1
  return of(ready, shape.nodes * modules.length, 'device plugins are told ready')
}

/** No pod of these groups is left, and no ready label of these Modules. */
export function allGone({ observer }: Rig, modules: readonly string[]): Progress {
  const wanted = new Set(modules.flatMap(module => [module, `${module} plugin`]))
  let left = 0
  for (const pod of observer.pods.values()) if (wanted.has(pod.group)) left += 1
  for (const node of observer.nodes.values()) for (const module of modules) if (readyLabelOf(module) in node.labels) left += 1
  return left === 0 ? true : `${left} pods and labels are left`
}
