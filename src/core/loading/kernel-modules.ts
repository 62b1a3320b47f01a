// Which kernel modules a Module asks for by name, and which ones a loader pod was made to load. Two Modules that name the same one get in
// each other's way on a node: the kernel has it once, and whoever unloads it takes it from both (decisions.md 15).
import type { Modprobe, Module } from '../../api/module.ts'
import type { Pod } from '../cluster.ts'
import type { Index, Look } from '../controller.ts'
import { annotations } from '../names.ts'
import { type KubeObject, keyOf } from '../object.ts'
import { moduleKeyOf, operandOf } from '../operands.ts'
import { modules, pods } from '../resources.ts'

type Named = Pick<Modprobe, 'moduleName' | 'modulesLoadingOrder'>

/** The kernel takes `-` and `_` in module names for the same (kernel/module/main.c); so do we. */
const normalise = (name: string): string => name.replaceAll('-', '_')

export function kernelModulesOf(modprobe: Named): readonly string[] {
  const names = [modprobe.moduleName ?? '', ...(modprobe.modulesLoadingOrder ?? [])].filter(name => name !== '')
  return [...new Set(names.map(normalise))]
}

export const modulesByKernelModule: Index = {
  name: 'kernel-module',
  resource: modules,
  values: object => kernelModulesOf((object as Module).spec.moduleLoader.container.modprobe),
}

/** What its annotation says; undefined for pods of an older operator. */
export const kernelModulesOfPod = (pod: KubeObject): readonly string[] | undefined =>
  pod.metadata.annotations?.[annotations.kernelModules]?.split(',').filter(name => name !== '')

export const podsByKernelModule: Index = {
  name: 'kernel-module',
  resource: pods,
  values: pod => (operandOf(pod) === 'loader' ? (kernelModulesOfPod(pod) ?? []) : []),
}

/** What the pod was made to load, or, where it does not say so, what its Module names now. */
export function kernelModulesOn(look: Look, pod: Pod): readonly string[] {
  const said = kernelModulesOfPod(pod)
  if (said !== undefined || operandOf(pod) !== 'loader') return said ?? []
  const module = look.get(modules, moduleKeyOf(pod) ?? '') as Module | undefined
  return module === undefined ? [] : kernelModulesOf(module.spec.moduleLoader.container.modprobe)
}

/** Keys of the Modules, other than this one, that name one of these kernel modules. */
export function otherModulesNaming(look: Look, moduleKey: string, names: readonly string[]): readonly string[] {
  const keys = new Set<string>()
  for (const name of names) for (const module of look.by(modulesByKernelModule, name)) keys.add(keyOf(module))
  keys.delete(moduleKey)
  return keys.size === 0 ? nobody : [...keys].sort()
}

const nobody: readonly string[] = []
