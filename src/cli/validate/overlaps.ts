// Two Modules that want the same kernel module on the same nodes: legal, but only the older one would get it (decisions.md 15).
import type { KernelMapping, Module } from '../../api/module.ts'
import { compileGoRegexp } from '../../core/kernel/regexp.ts'
import { kernelModulesOf } from '../../core/loading/kernel-modules.ts'
import { keyOf, type Labels } from '../../core/object.ts'

export type Overlap = { readonly module: Module; readonly path: string; readonly message: string }

/** One for each pair of Modules, said of the one that comes later by name. */
export function findOverlaps(modules: readonly Module[]): readonly Overlap[] {
  const sorted = modules.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return sorted.flatMap((module, index) => sorted.slice(0, index).flatMap(other => overlapOf(module, other)))
}

function overlapOf(module: Module, other: Module): readonly Overlap[] {
  const [modprobe, otherModprobe] = [module.spec.moduleLoader.container.modprobe, other.spec.moduleLoader.container.modprobe]
  const theirs = new Set(kernelModulesOf(otherModprobe))
  const shared = kernelModulesOf(modprobe).find(name => theirs.has(name))
  if (shared === undefined || !canMeet(module.spec.selector, other.spec.selector)) return []
  if (!canShareKernel(module.spec.moduleLoader.container.kernelMappings, other.spec.moduleLoader.container.kernelMappings))
    return []
  const field = modprobe.moduleName?.replaceAll('-', '_') === shared ? 'moduleName' : 'modulesLoadingOrder'
  return [
    {
      module,
      path: `spec.moduleLoader.container.modprobe.${field}`,
      message:
        `names the kernel module ${shared}, which Module ${keyOf(other)} names too, and both can select the same node: ` +
        'the older Module gets it. Let only one of them name it, or make their selectors exclude each other',
    },
  ]
}

/** Equality selectors exclude each other only where they ask one label for two values. */
const canMeet = (a: Labels, b: Labels): boolean => Object.keys(a).every(label => b[label] === undefined || b[label] === a[label])

function canShareKernel(a: readonly KernelMapping[], b: readonly KernelMapping[]): boolean {
  return a.some(one => b.some(two => canMatchSameKernel(one, two)))
}

/** Two patterns are taken to have a kernel in common: to know it one would have to intersect them. */
function canMatchSameKernel(a: KernelMapping, b: KernelMapping): boolean {
  const [literalA, literalB] = [a.literal ?? '', b.literal ?? '']
  if (literalA !== '' && literalB !== '') return literalA === literalB
  if (literalA !== '') return isMatch(b.regexp ?? '', literalA)
  if (literalB !== '') return isMatch(a.regexp ?? '', literalB)
  return true
}

function isMatch(pattern: string, kernel: string): boolean {
  const compiled = compileGoRegexp(pattern)
  return !('error' in compiled) && compiled.matches(kernel)
}
