// What must hold in any world that has come to rest.
import type { Module } from '../../src/api/module.ts'
import { canonicalModule } from '../../src/core/canonical.ts'
import { isNodeReady, type Node, type Pod } from '../../src/core/cluster.ts'
import { resolveMapping } from '../../src/core/kernel/mapping.ts'
import { readyLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import { modules, nodes, pods } from '../../src/core/resources.ts'
import { driverIn } from './never.ts'
import { nobodyHasIt } from './reasons.ts'
import { missingAtRest } from './should-have.ts'
import type { World } from './world.ts'

/** Sentences of what is wrong; empty where all is well. */
export function wrongAtRest(world: World): readonly string[] {
  const { cluster } = world
  const { api } = cluster
  const wrong: string[] = [...missingAtRest(world), ...nobodyHasIt(world)]
  for (const module of api.list(modules) as readonly Module[]) {
    const { namespace = '', name } = module.metadata
    const label = readyLabel(namespace, name)
    for (const node of api.list(nodes) as readonly Node[]) {
      if (!isNodeReady(node) || !cluster.nodeNames().includes(node.metadata.name)) continue
      const { kernel } = cluster.node(node.metadata.name)
      const isReported = node.metadata.labels?.[label] !== undefined
      const spec = resolveMapping(canonicalModule(module), kernel.release)
      const image = 'code' in spec ? undefined : spec.image
      const pod = (api.list(pods) as readonly Pod[]).find(
        candidate =>
          candidate.spec?.nodeName === node.metadata.name &&
          moduleKeyOf(candidate) === keyOf(module) &&
          operandOf(candidate) === 'loader' &&
          !isDeleting(candidate),
      )
      const running = pod?.spec?.containers?.[0]?.image
      const inKernel = driverIn(kernel, module, running)
      if (isReported && inKernel === undefined)
        wrong.push(`${node.metadata.name} is reported ready for ${name}, and its kernel has no driver`)
      if (isReported && inKernel !== undefined && running !== undefined && inKernel.image !== running)
        wrong.push(`${node.metadata.name} is reported ready for ${running}, and its kernel has that of ${inKernel.image}`)
      const listed = module.status?.notReadyNodes?.some(entry => entry.name === node.metadata.name) ?? false
      const isCurrent = isReported && inKernel?.image === image
      if (isCurrent && listed && image !== undefined)
        wrong.push(`${node.metadata.name} has its driver of ${name}, and the status lists it as not ready`)
    }
    const ready = module.status?.conditions?.find(condition => condition.type === 'Ready')
    if (ready === undefined) wrong.push(`Module ${name} has no Ready condition`)
    if (module.status?.observedGeneration !== module.metadata.generation)
      wrong.push(`the status of Module ${name} is of an older generation`)
  }
  for (const node of api.list(nodes)) {
    if (!cluster.nodeNames().includes(node.metadata.name)) wrong.push(`Node ${node.metadata.name} is a ghost`)
  }
  return wrong
}
