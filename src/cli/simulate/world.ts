// What a simulation begins with: Modules, nodes, images, and what is wrong on purpose.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import type { Node } from '../../core/cluster.ts'
import { resolveMapping } from '../../core/kernel/mapping.ts'
import type { KubeObject } from '../../core/object.ts'
import { type ImageFailure, imageFailures, imagesFor, type SimulatedImage } from './images.ts'
import { kernelsFor, nodesFor, type PlannedNode } from './kernels.ts'

export type Failure = ImageFailure | 'in-use'
export const failures: readonly Failure[] = [...(Object.keys(imageFailures) as ImageFailure[]), 'in-use']

export type World = {
  readonly modules: readonly Module[]
  readonly nodes: readonly PlannedNode[]
  /** Namespaces, Secrets and the like that the Modules may name. */
  readonly others: readonly KubeObject[]
  readonly images: readonly SimulatedImage[]
  /** What is wrong, one sentence each. */
  readonly flaws: readonly string[]
}

export type WorldOptions = {
  readonly count: number
  /** Empty: what the Modules name. */
  readonly kernels: readonly string[]
  readonly failures: readonly Failure[]
  /** Whether the registry has this image. */
  readonly isPushed: (image: string) => boolean
}

const supporting = new Set(['Namespace', 'Secret', 'ConfigMap', 'ServiceAccount'])

/** Objects of other kinds (Pods, DaemonSets ...) are what a simulation makes itself, so they are left out. */
export function createWorld(objects: readonly KubeObject[], options: WorldOptions): World {
  const modules = objects.filter(({ kind }) => kind === 'Module') as readonly KubeObject[] as readonly Module[]
  const given = objects.filter(({ kind }) => kind === 'Node') as readonly Node[]
  const kernels = options.kernels.length > 0 ? options.kernels : kernelsFor(modules)
  const nodes = nodesFor(given, modules, options.count, kernels)
  const inUse = [...new Set(nodes.map(node => node.kernel))]
  const mapped = inUse.filter(kernel => modules.some(module => !('code' in resolveMapping(canonicalModule(module), kernel))))
  const broken = brokenKernels(mapped, options.failures)
  return {
    modules,
    nodes,
    others: objects.filter(({ kind }) => supporting.has(kind)),
    images: imagesFor(modules, inUse, broken).filter(({ image }) => options.isPushed(image)),
    flaws: [...broken].map(([kernel, failure]) => `the images for kernel ${kernel} ${imageFailures[failure].says}`),
  }
}

/** Each failure strikes one kernel that a Module has an image for, the last first, so that the others show how it should be. */
function brokenKernels(kernels: readonly string[], wanted: readonly Failure[]): ReadonlyMap<string, ImageFailure> {
  const broken = new Map<string, ImageFailure>()
  const ofImages = [...new Set(wanted)].filter(failure => failure !== 'in-use')
  for (const [index, failure] of ofImages.entries()) {
    const kernel = kernels[(((kernels.length - 1 - index) % kernels.length) + kernels.length) % kernels.length]
    if (kernel !== undefined) broken.set(kernel, failure)
  }
  return broken
}
