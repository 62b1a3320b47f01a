// What a simulation begins with: Modules, nodes, images, and what is wrong on purpose.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import type { Node } from '../../core/cluster.ts'
import { resolveMapping } from '../../core/kernel/mapping.ts'
import { userVersionLabel } from '../../core/names.ts'
import { type KubeObject, keyOf, type Labels } from '../../core/object.ts'
import { matchesLabels } from '../../core/selectors.ts'
import type { AdmissionAnswer, AdmissionReview } from '../../model/api/types.ts'
import { brokenNode, toldFirmwarePath } from './broken-nodes.ts'
import { givenVersion, withVersion } from './change.ts'
import { type Failure, failures, isOfKernel, type KernelFailure, toldOfKernel } from './failures.ts'
import { imagesFor, type SimulatedImage } from './images.ts'
import { kernelsFor, nodesFor, type PlannedNode } from './kernels.ts'
import { restrictedIn } from './scc.ts'

export type World = {
  readonly modules: readonly Module[]
  readonly nodes: readonly PlannedNode[]
  /** Namespaces, Secrets and the like that the Modules may name. */
  readonly others: readonly KubeObject[]
  readonly images: readonly SimulatedImage[]
  /** Of the namespaces that the Modules are in. */
  readonly namespaceLabels: Labels
  /** What the cluster has beside the admission of every cluster. */
  readonly admit?: (review: AdmissionReview) => AdmissionAnswer
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

const supporting = new Set(['Namespace', 'Secret', 'ConfigMap', 'ServiceAccount', 'ResourceQuota'])

/** Objects of other kinds (Pods, DaemonSets ...) are what a simulation makes itself, so they are left out. */
export function createWorld(objects: readonly KubeObject[], options: WorldOptions): World {
  const wanted = new Set(options.failures)
  const stated = objects.filter(({ kind }) => kind === 'Module') as readonly KubeObject[] as readonly Module[]
  const modules = stated.map(module => (needsVersion(module, wanted) ? withVersion(module) : module))
  const given = objects.filter(({ kind }) => kind === 'Node') as readonly Node[]
  const kernels = options.kernels.length > 0 ? options.kernels : kernelsFor(modules)
  const changed = modules.filter(module => !stated.includes(module))
  const nodes = nodesFor(given, modules, options.count, kernels).map(node => askingFor(node, changed))
  const inUse = [...new Set(nodes.map(node => node.kernel))]
  const mapped = inUse.filter(kernel => modules.some(module => hasImage(module, kernel)))
  const broken = brokenKernels(mapped, options.failures)
  const plugins = wanted.has('plugin-stays') ? 'stay' : 'end when told to'
  const namespaces = new Set(modules.map(({ metadata }) => metadata.namespace ?? ''))
  return {
    modules,
    nodes: nodes.map(node => brokenNode(node, modules, broken.get(node.kernel))),
    namespaceLabels: wanted.has('pod-security') ? { 'pod-security.kubernetes.io/enforce': 'baseline' } : {},
    ...(wanted.has('scc') ? { admit: restrictedIn(namespaces) } : {}),
    ...(wanted.has('firmware-path') ? { firmwareClassPath: toldFirmwarePath } : {}),
    others: [
      ...objects.filter(({ kind }) => supporting.has(kind)),
      ...(wanted.has('quota') ? [...namespaces].map(namespace => tightQuota(namespace, modules, nodes)) : []),
    ],
    images: imagesFor(modules, inUse, broken, plugins).filter(({ image }) => options.isPushed(image)),
    flaws: [
      ...changed.map(module => `Module ${keyOf(module)} has no version, so here it is given version ${givenVersion}`),
      ...[...broken].map(([kernel, failure]) => toldOfKernel(failure, kernel)),
      ...[...wanted].flatMap(failure => {
        const entry = failures[failure]
        return entry.of === 'cluster' ? [entry.says] : []
      }),
    ],
  }
}

const hasImage = (module: Module, kernel: string): boolean => !('code' in resolveMapping(canonicalModule(module), kernel))

/** Without a version there is no label to wait for, and no ordered upgrade in which a device plugin could be in the way. */
function needsVersion({ spec }: Module, wanted: ReadonlySet<Failure>): boolean {
  if ((spec.moduleLoader.container.version ?? '') !== '') return false
  return wanted.has('no-version-label') || (wanted.has('plugin-stays') && spec.devicePlugin !== undefined)
}

/** As the owner of the node would label it for the versions that were given here. */
function askingFor(node: PlannedNode, modules: readonly Module[]): PlannedNode {
  const asked = modules
    .filter(({ spec }) => matchesLabels(spec.selector, node.labels))
    .map(({ metadata }) => [userVersionLabel(metadata.namespace ?? '', metadata.name), givenVersion] as const)
  return { ...node, labels: { ...node.labels, ...Object.fromEntries(asked) } }
}

/** One loader finds no room in it. */
function tightQuota(namespace: string, modules: readonly Module[], nodes: readonly PlannedNode[]): KubeObject {
  const drivers = modules
    .filter(({ metadata }) => (metadata.namespace ?? '') === namespace)
    .flatMap(module => nodes.filter(node => matchesLabels(module.spec.selector, node.labels) && hasImage(module, node.kernel)))
  const hard = { pods: String(Math.max(0, drivers.length - 1)) }
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'simulated', namespace }, spec: { hard } } as KubeObject
}

/** Each failure strikes one kernel that a Module has an image for, the last first, so that the others show how it should be. */
function brokenKernels(kernels: readonly string[], wanted: readonly Failure[]): ReadonlyMap<string, KernelFailure> {
  const broken = new Map<string, KernelFailure>()
  for (const [index, failure] of [...new Set(wanted)].filter(isOfKernel).entries()) {
    const kernel = kernels[(((kernels.length - 1 - index) % kernels.length) + kernels.length) % kernels.length]
    if (kernel !== undefined) broken.set(kernel, failure)
  }
  return broken
}
