// From a Module and a kernel to what has to run on the nodes with this kernel, or why nothing can (behaviour.md 3).
import type { Build, TlsOptions } from '../../api/module.ts'
import type { CanonicalKernelMapping, CanonicalModprobe, CanonicalModule, CanonicalSign } from '../canonical.ts'
import { imagePartsOf, printImageRef } from '../image-ref.ts'
import { keyOf } from '../object.ts'
import { type Problem, problem } from '../problem.ts'
import { type Substituted, substitute } from '../template.ts'
import { mergeBuild, mergeSign, textOf } from './overrides.ts'
import { compileGoRegexp, printPattern } from './regexp.ts'
import { kernelPieces, kernelTag, withoutPlus } from './version.ts'

/** One driver for one kernel: the mapping and the container in one, all names substituted. */
export type ResolvedSpec = {
  /** As the node reports it. */
  readonly kernel: string
  readonly image: string
  readonly imagePullPolicy?: string
  readonly build?: Build
  readonly sign?: CanonicalSign
  readonly modprobe: CanonicalModprobe
  readonly inTreeModuleToRemove?: string
  readonly registryTls: TlsOptions
  readonly version?: string
  /** Place in spec.moduleLoader.container.kernelMappings. */
  readonly mappingIndex: number
  readonly because: string
}

/** The first mapping, in list order, that fits the kernel with or without its final `+` (behaviour.md 3.1, decisions.md 10). */
export function resolveMapping(module: CanonicalModule, kernel: string): ResolvedSpec | Problem {
  const about = { module: keyOf(module), kernel }
  const found = selectMapping(module.spec.moduleLoader.container.kernelMappings, kernel)
  if (found === undefined) return problem('NoKernelMapping', about)
  if ('error' in found) return problem('MappingInvalid', { ...about, error: found.error })
  const spec = specOf(module, kernel, found)
  if ('error' in spec) return problem('MappingInvalid', { ...about, error: `kernelMappings[${found.index}]: ${spec.error}` })
  return spec
}

type Selected = { readonly mapping: CanonicalKernelMapping; readonly index: number; readonly because: string }

function selectMapping(
  mappings: readonly CanonicalKernelMapping[],
  kernel: string,
): Selected | { readonly error: string } | undefined {
  const spellings = [...new Set([kernel, withoutPlus(kernel)])]
  for (const [index, mapping] of mappings.entries()) {
    const { literal = '', regexp = '' } = mapping
    const place = `kernelMappings[${index}]`
    if (literal !== '' && spellings.includes(literal)) {
      return { mapping, index, because: `${place}: literal ${JSON.stringify(literal)} is kernel ${kernel}` }
    }
    if (regexp === '') continue
    const pattern = compileGoRegexp(regexp)
    if ('error' in pattern) {
      return { error: `regexp ${printPattern(regexp)} of ${place} is not valid in Go's syntax: ${pattern.error}` }
    }
    if (spellings.some(spelling => pattern.matches(spelling))) {
      return { mapping, index, because: `${place}: regexp ${printPattern(regexp)} matches kernel ${kernel}` }
    }
  }
  return undefined
}

function specOf(
  module: CanonicalModule,
  kernel: string,
  { mapping, index, because }: Selected,
): ResolvedSpec | { error: string } {
  const { container } = module.spec.moduleLoader
  const kernelOnly = kernelVariables(kernel)
  const template = textOf(mapping.containerImage, container.containerImage)
  if (template === '') return { error: 'neither this mapping nor the container names a containerImage' }
  const image = substituteImage(template, {
    ...kernelOnly,
    MOD_NAME: module.metadata.name,
    MOD_NAMESPACE: module.metadata.namespace ?? '',
  })
  if ('error' in image) return { error: `containerImage ${image.error}` }
  const merged = mergeSign(container.sign, mapping.sign)
  const sign = merged === undefined ? undefined : substituteSign(merged, kernelOnly)
  if (sign !== undefined && 'error' in sign) return sign
  const build = mergeBuild(container.build, mapping.build)
  const inTree = textOf(mapping.inTreeModuleToRemove, container.inTreeModuleToRemove)
  return {
    kernel,
    image: image.text,
    ...(container.imagePullPolicy ? { imagePullPolicy: container.imagePullPolicy } : {}),
    ...(build === undefined ? {} : { build }),
    ...(sign === undefined ? {} : { sign }),
    modprobe: container.modprobe,
    ...(inTree === '' ? {} : { inTreeModuleToRemove: inTree }),
    registryTls: mapping.registryTLS ?? container.registryTLS ?? {},
    ...(container.version ? { version: container.version } : {}),
    mappingIndex: index,
    because,
  }
}

/** The `KERNEL_*` variables of behaviour.md 3.5. */
export function kernelVariables(kernel: string): Readonly<Record<string, string>> {
  const { x, y, z, xyz } = kernelPieces(kernel)
  return { KERNEL_FULL_VERSION: kernel, KERNEL_VERSION: kernel, KERNEL_XYZ: xyz, KERNEL_X: x, KERNEL_Y: y, KERNEL_Z: z }
}

/** In the tag of what was substituted, characters that no tag may hold become `_`, such as the `+` of a kernel (decisions.md 10). */
function substituteImage(template: string, variables: Readonly<Record<string, string>>): Substituted {
  const result = substitute(template, variables)
  if ('error' in result || result.text === template) return result
  const parts = imagePartsOf(result.text)
  return { text: parts.tag === undefined ? result.text : printImageRef({ ...parts, tag: kernelTag(parts.tag) }) }
}

function substituteSign(sign: CanonicalSign, variables: Readonly<Record<string, string>>): CanonicalSign | { error: string } {
  const files: string[] = []
  for (const file of sign.filesToSign ?? []) {
    const result = substitute(file, variables)
    if ('error' in result) return { error: `filesToSign ${result.error}` }
    files.push(result.text)
  }
  const unsigned = sign.unsignedImage ? substituteImage(sign.unsignedImage, variables) : { text: '' }
  if ('error' in unsigned) return { error: `unsignedImage ${unsigned.error}` }
  return {
    ...sign,
    ...(sign.filesToSign === undefined ? {} : { filesToSign: files }),
    ...(unsigned.text === '' ? {} : { unsignedImage: unsigned.text }),
  }
}
