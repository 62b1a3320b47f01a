// The images of a simulation: what the build of each Module would have pushed for each kernel.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import { imagePartsOf } from '../../core/image-ref.ts'
import { type ResolvedSpec, resolveMapping } from '../../core/kernel/mapping.ts'
import { kernelModulesOf } from '../../core/loading/kernel-modules.ts'
import { baseFiles, type DriverImage, daemonImage, driverImage } from '../../model/cluster/images.ts'
import type { ImageContent } from '../../model/cluster/registry.ts'
import { deafImage } from './deaf-plugin.ts'
import type { KernelFailure } from './failures.ts'

export type SimulatedImage = { readonly image: string; readonly content: ImageContent }
/** What the build of the images for one kernel has done wrong. */
const flaws: Readonly<Partial<Record<KernelFailure, Partial<DriverImage>>>> = {
  'missing-module': { modules: [] },
  'no-depmod': { index: 'missing' },
  'wrong-kernel': { builtFor: '4.4.0-1.example.x86_64' },
  'no-modprobe': { base: baseFiles(['modprobe']) },
  'no-shell': { base: baseFiles(['sh']) },
}

/** The key whose certificate all simulated nodes trust. */
export const trustedKey = 'simulated-secure-boot-key'

/** One for each image reference; a reference that several kernels or Modules share holds the drivers of all of them. */
export function imagesFor(
  modules: readonly Module[],
  kernels: readonly string[],
  broken: ReadonlyMap<string, KernelFailure> = new Map(),
  plugins: 'end when told to' | 'stay' = 'end when told to',
): readonly SimulatedImage[] {
  const drivers = new Map<string, readonly DriverImage[]>()
  const missing = new Set<string>()
  for (const module of modules) {
    for (const kernel of kernels) {
      const spec = resolveMapping(canonicalModule(module), kernel)
      if ('code' in spec) continue
      if (broken.get(kernel) === 'missing-image') missing.add(spec.image)
      drivers.set(spec.image, together(drivers.get(spec.image) ?? [], driverOf(spec, broken.get(kernel))))
    }
  }
  const loaders = [...drivers].map(([image, built]) => ({ image, content: driverImage(...built) }))
  return [...loaders, ...modules.flatMap(module => pluginImage(module, plugins))].filter(({ image }) => !missing.has(image))
}

function driverOf(spec: ResolvedSpec, failure: KernelFailure | undefined): DriverImage {
  const { dirName, firmwarePath = '', parameters = [] } = spec.modprobe
  const names = driverNames(spec)
  return {
    kernel: spec.kernel,
    directory: dirName,
    modules: names.map(name => ({
      name,
      version: driverVersion(spec),
      ...(failure === 'unsigned' ? {} : { signer: trustedKey }),
      ...(failure === 'missing-symbol' ? { missingSymbols: [`${name}_symbol`] } : {}),
      ...(failure === 'in-tree-twin' ? { registers: name } : {}),
      ...(failure === 'missing-firmware' ? { firmware: [`${name}-missing.bin`] } : {}),
      params: parameters.map(parameter => parameter.split('=')[0] ?? ''),
    })),
    ...(firmwarePath === '' ? {} : { firmwarePath, firmware: { [`${names[0] ?? 'driver'}.bin`]: 'simulated firmware\n' } }),
    ...(failure === undefined ? {} : flaws[failure]),
  }
}

/** As if depmod had run over the modules of both. */
function together(built: readonly DriverImage[], next: DriverImage): readonly DriverImage[] {
  const same = built.find(other => other.kernel === next.kernel && other.directory === next.directory)
  if (same === undefined) return [...built, next]
  const names = new Set(same.modules.map(module => module.name))
  const modules = [...same.modules, ...next.modules.filter(module => !names.has(module.name))]
  return built.map(other => (other === same ? { ...same, ...next, modules } : other))
}

/** The kernel modules that modprobe is asked for. Of raw arguments: the last word that is neither an option nor a parameter. */
export function driverNames(spec: ResolvedSpec): readonly string[] {
  const named = kernelModulesOf(spec.modprobe)
  if (named.length > 0) return named
  const word = (spec.modprobe.rawArgs?.load ?? []).findLast(argument => !argument.startsWith('-') && !/[=/]/.test(argument))
  return word === undefined ? [] : [word]
}

/** The version of the Module, else the tag without the kernel in it, else the tag. */
export function driverVersion(spec: Pick<ResolvedSpec, 'image' | 'kernel' | 'version'>): string {
  if (spec.version !== undefined && spec.version !== '') return spec.version
  const { tag = 'latest' } = imagePartsOf(spec.image)
  const rest = tag
    .replace(spec.kernel, '')
    .replace(/[-_.]{2,}/g, '-')
    .replace(/^[-_.]+|[-_.]+$/g, '')
  return rest === '' ? tag : rest
}

/** Its command exists, and runs until it is told to end, or until it is killed. */
function pluginImage(module: Module, end: 'end when told to' | 'stay'): readonly SimulatedImage[] {
  const container = module.spec.devicePlugin?.container
  if (container === undefined) return []
  const [command = '/usr/bin/daemon'] = container.command ?? []
  const name = command.slice(command.lastIndexOf('/') + 1)
  const known = Object.keys(baseFiles()).find(path => path.endsWith(`/${name}`))
  const path = known ?? (command.startsWith('/') ? command : `/usr/bin/${command}`)
  if (end === 'stay') return [{ image: container.image, content: deafImage(path) }]
  return [{ image: container.image, content: known === undefined ? daemonImage(path) : daemonImage() }]
}
