// The images of a simulation: what the build of each Module would have pushed for each kernel.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import { imagePartsOf } from '../../core/image-ref.ts'
import { type ResolvedSpec, resolveMapping } from '../../core/kernel/mapping.ts'
import { kernelModulesOf } from '../../core/loading/kernel-modules.ts'
import { baseFiles, type DriverImage, daemonImage, driverImage } from '../../model/cluster/images.ts'
import type { ImageContent } from '../../model/cluster/registry.ts'

export type SimulatedImage = { readonly image: string; readonly content: ImageContent }
/** How it goes wrong for one kernel: what is told of its images, and what their build has done wrong. Some of it lies in the nodes (world.ts). */
export const imageFailures = {
  'missing-image': { says: 'are not in the registry', flaw: {} },
  'missing-module': { says: 'hold no module for it', flaw: { modules: [] } },
  'no-depmod': { says: 'hold the modules, but depmod was not run on them', flaw: { index: 'missing' } },
  'wrong-kernel': { says: 'hold modules that were built for another kernel', flaw: { builtFor: '4.4.0-1.example.x86_64' } },
  unsigned: { says: 'hold modules without a signature, and the nodes ask for one', flaw: {} },
  'missing-symbol': { says: 'hold modules that need a symbol which the kernel does not have', flaw: {} },
  'missing-firmware': { says: 'hold modules that need a firmware file which is nowhere', flaw: {} },
  'firmware-path': { says: 'meet nodes that look for firmware elsewhere than the operator was told', flaw: {} },
  'in-tree-twin': { says: 'hold modules whose place a module of the kernel itself has taken', flaw: {} },
  'no-mount': { says: 'meet nodes that have no directory of modules for it', flaw: {} },
  'no-modprobe': { says: 'hold no modprobe', flaw: { base: baseFiles(['modprobe']) } },
  'no-shell': { says: 'hold no /bin/sh', flaw: { base: baseFiles(['sh']) } },
} as const satisfies Readonly<Record<string, { readonly says: string; readonly flaw: Partial<DriverImage> }>>
export type ImageFailure = keyof typeof imageFailures

/** The key whose certificate all simulated nodes trust. */
export const trustedKey = 'simulated-secure-boot-key'

/** One for each image reference; a reference that several kernels or Modules share holds the drivers of all of them. */
export function imagesFor(
  modules: readonly Module[],
  kernels: readonly string[],
  broken: ReadonlyMap<string, ImageFailure> = new Map(),
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
  return [...loaders, ...modules.flatMap(pluginImage)].filter(({ image }) => !missing.has(image))
}

function driverOf(spec: ResolvedSpec, failure: ImageFailure | undefined): DriverImage {
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
    ...(failure === undefined ? {} : imageFailures[failure].flaw),
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

/** Its command exists, and runs until it is told to end. */
function pluginImage(module: Module): readonly SimulatedImage[] {
  const container = module.spec.devicePlugin?.container
  if (container === undefined) return []
  const [command] = container.command ?? []
  const programs = Object.keys(baseFiles()).map(path => path.slice(path.lastIndexOf('/') + 1))
  if (command === undefined || programs.includes(command.slice(command.lastIndexOf('/') + 1)))
    return [{ image: container.image, content: daemonImage() }]
  return [{ image: container.image, content: daemonImage(command.startsWith('/') ? command : `/usr/bin/${command}`) }]
}
