// Kernels and nodes of a simulation: those in the input, else such as the Modules are made for.
import type { Module } from '../../api/module.ts'
import { kernelOf, type Node, type Taint } from '../../core/cluster.ts'
import { compileGoRegexp } from '../../core/kernel/regexp.ts'
import { userVersionLabel } from '../../core/names.ts'
import type { Labels } from '../../core/object.ts'

export type PlannedNode = {
  readonly name: string
  readonly kernel: string
  readonly labels: Labels
  readonly taints: readonly Taint[]
  /** Modules of the kernel itself that are loaded from boot on. */
  readonly hostModules?: readonly { readonly name: string; readonly registers: string; readonly loaded: true }[]
  readonly firmwareClassPath?: string
  /** Setting of its kubelet. */
  readonly maxPods?: number
  /** `missing`: there is no /lib/modules/KERNEL. */
  readonly modulesDirectory?: 'missing'
}

/** Kernels of well-known distributions, to find one that a regexp means. */
const wellKnown = [
  '5.14.0-284.25.1.el9_2.x86_64',
  '6.0.15-300.fc37.x86_64',
  '4.18.0-372.32.1.el8_6.x86_64',
  '6.5.6-300.fc39.x86_64',
  '6.12.0-55.9.1.el10_0.x86_64',
  '6.8.0-45-generic',
  '6.1.0-25-amd64',
  '6.12.117+deb12-cloud-amd64',
  '5.14.0-284.25.1.el9_2.aarch64',
] as const

/** One kernel for each mapping of each Module, without repetition; a regexp gets the first well-known kernel that it, and none before it, matches. */
export function kernelsFor(modules: readonly Module[]): readonly string[] {
  const kernels = modules.flatMap(module => {
    const found: string[] = []
    for (const mapping of module.spec.moduleLoader.container.kernelMappings) {
      const kernel = mapping.literal ? mapping.literal : firstMatch(mapping.regexp ?? '', found)
      if (kernel !== undefined) found.push(kernel)
    }
    return found
  })
  return kernels.length === 0 ? [wellKnown[0]] : [...new Set(kernels)]
}

function firstMatch(pattern: string, taken: readonly string[]): string | undefined {
  const compiled = compileGoRegexp(pattern)
  if ('error' in compiled) return undefined
  const matching = wellKnown.filter(kernel => compiled.matches(kernel))
  return matching.find(kernel => !taken.includes(kernel))
}

/** The nodes of the input, or `count` made ones whose labels satisfy the Modules, with the kernels in turn. */
export function nodesFor(
  given: readonly Node[],
  modules: readonly Module[],
  count: number,
  kernels: readonly string[],
): readonly PlannedNode[] {
  const kernelAt = (index: number) => kernels[index % kernels.length] ?? ''
  if (given.length > 0) {
    return given.map((node, index) => ({
      name: node.metadata.name,
      kernel: kernelOf(node) || kernelAt(index),
      labels: node.metadata.labels ?? {},
      taints: node.spec?.taints ?? [],
    }))
  }
  const width = String(count).length
  return Array.from({ length: count }, (_, index) => ({
    name: `node-${String(index + 1).padStart(width, '0')}`,
    kernel: kernelAt(index),
    labels: labelsFor(modules, index),
    taints: [],
  }))
}

/** Where selectors exclude each other the Modules take turns; with a version, the node asks for that very version, as its owner would. */
function labelsFor(modules: readonly Module[], turn: number): Labels {
  const labels: Record<string, string> = {}
  for (const [offset] of modules.entries()) {
    const module = modules[(turn + offset) % modules.length]
    if (module === undefined || Object.entries(module.spec.selector).some(([name, value]) => (labels[name] ?? value) !== value))
      continue
    Object.assign(labels, module.spec.selector)
    const { version = '' } = module.spec.moduleLoader.container
    if (version !== '') labels[userVersionLabel(module.metadata.namespace ?? '', module.metadata.name)] = version
  }
  return labels
}
