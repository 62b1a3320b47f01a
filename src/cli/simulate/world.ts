// What a simulation begins with: Modules, nodes, images, and what is wrong on purpose.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import type { Node } from '../../core/cluster.ts'
import { resolveMapping } from '../../core/kernel/mapping.ts'
import type { KubeObject, Labels } from '../../core/object.ts'
import { driverNames, type ImageFailure, imageFailures, imagesFor, type SimulatedImage } from './images.ts'
import { kernelsFor, nodesFor, type PlannedNode } from './kernels.ts'

const otherFailures = ['pod-security', 'silent-node', 'in-use'] as const
export type Failure = ImageFailure | (typeof otherFailures)[number]
export const failures: readonly Failure[] = [...(Object.keys(imageFailures) as ImageFailure[]), ...otherFailures]
const isOfImages = (failure: Failure): failure is ImageFailure => failure in imageFailures

/** What the operator is told, and what the kernel of a broken node was told, to look for firmware. */
const [toldPath, otherPath] = ['/var/lib/firmware', '/usr/local/lib/firmware'] as const

export type World = {
  readonly modules: readonly Module[]
  readonly nodes: readonly PlannedNode[]
  /** Namespaces, Secrets and the like that the Modules may name. */
  readonly others: readonly KubeObject[]
  readonly images: readonly SimulatedImage[]
  /** Of the namespaces that the Modules are in. */
  readonly namespaceLabels: Labels
  /** The operator's setting. */
  readonly firmwareClassPath?: string
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
  const isRefused = options.failures.includes('pod-security')
  return {
    modules,
    nodes: nodes.map(node => brokenNode(node, modules, broken.get(node.kernel))),
    namespaceLabels: isRefused ? { 'pod-security.kubernetes.io/enforce': 'baseline' } : {},
    ...(options.failures.includes('firmware-path') ? { firmwareClassPath: toldPath } : {}),
    others: objects.filter(({ kind }) => supporting.has(kind)),
    images: imagesFor(modules, inUse, broken).filter(({ image }) => options.isPushed(image)),
    flaws: [
      ...[...broken].map(([kernel, failure]) => `the images for kernel ${kernel} ${imageFailures[failure].says}`),
      ...(isRefused ? ['the namespaces of the Modules enforce the level baseline of Pod Security'] : []),
    ],
  }
}

/** What lies in the nodes with a kernel for which it goes wrong. */
function brokenNode(node: PlannedNode, modules: readonly Module[], failure: ImageFailure | undefined): PlannedNode {
  if (failure === 'firmware-path') return { ...node, firmwareClassPath: otherPath }
  if (failure === 'no-mount') return { ...node, modulesDirectory: 'missing' }
  if (failure !== 'in-tree-twin') return node
  const names = modules.flatMap(module => {
    const spec = resolveMapping(canonicalModule(module), node.kernel)
    return 'code' in spec ? [] : driverNames(spec)
  })
  return { ...node, hostModules: [...new Set(names)].map(name => ({ name: `${name}_intree`, registers: name, loaded: true })) }
}

/** Each failure strikes one kernel that a Module has an image for, the last first, so that the others show how it should be. */
function brokenKernels(kernels: readonly string[], wanted: readonly Failure[]): ReadonlyMap<string, ImageFailure> {
  const broken = new Map<string, ImageFailure>()
  const ofImages = [...new Set(wanted)].filter(isOfImages)
  for (const [index, failure] of ofImages.entries()) {
    const kernel = kernels[(((kernels.length - 1 - index) % kernels.length) + kernels.length) % kernels.length]
    if (kernel !== undefined) broken.set(kernel, failure)
  }
  return broken
}
