// One selected node of one Module, as it is in the end: what the user asked for, and what is really there.
import type { Module } from '../../src/api/module.ts'
import { canonicalModule } from '../../src/core/canonical.ts'
import type { Node, Pod } from '../../src/core/cluster.ts'
import { resolveMapping } from '../../src/core/kernel/mapping.ts'
import { userVersionLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import { pods } from '../../src/core/resources.ts'
import { driverOf } from './never.ts'
import type { World } from './world.ts'

export type Place = {
  readonly world: World
  readonly module: Module
  readonly node: Node
  /** The image that the mapping says; undefined without a mapping. */
  readonly image: string | undefined
  /** Loader pods of the Module on the node. */
  readonly loaders: readonly Pod[]
  /** The image of the Module's driver in the kernel; undefined where it is not loaded. */
  readonly inKernel: string | undefined
  readonly version: string
  /** The value of the user's label, empty as long as there is none. */
  readonly asked: string
  /** What the status says of the node; undefined where it is not listed. */
  readonly reason: string | undefined
}

export function placeOf(world: World, module: Module, node: Node): Place {
  const { api } = world.cluster
  const { namespace = '', name } = module.metadata
  const { kernel } = world.cluster.node(node.metadata.name)
  const spec = resolveMapping(canonicalModule(module), kernel.release)
  const isLoader = (pod: Pod) =>
    pod.spec?.nodeName === node.metadata.name && moduleKeyOf(pod) === keyOf(module) && operandOf(pod) === 'loader'
  return {
    world,
    module,
    node,
    image: 'code' in spec ? undefined : spec.image,
    loaders: (api.list(pods) as readonly Pod[]).filter(isLoader),
    inKernel: kernel.loaded.get(driverOf(module))?.image,
    version: module.spec.moduleLoader.container.version ?? '',
    asked: node.metadata.labels?.[userVersionLabel(namespace, name)] ?? '',
    reason: module.status?.notReadyNodes?.find(entry => entry.name === node.metadata.name)?.reason,
  }
}
