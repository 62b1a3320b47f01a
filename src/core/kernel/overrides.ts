// What a kernel mapping says on top of the container: property by property (behaviour.md 3.3, 3.6).
import type { Build } from '../../api/module.ts'
import type { CanonicalSign } from '../canonical.ts'

type BuildArg = { readonly name: string; readonly value: string }

/** The mapping's text, or the container's; an empty text says nothing. */
export const textOf = (mapping: string | undefined, container: string | undefined): string => mapping || container || ''

export function mergeBuild(container: Build | undefined, mapping: Build | undefined): Build | undefined {
  if (container === undefined || mapping === undefined) return mapping ?? container
  const secrets = [...(container.secrets ?? []), ...(mapping.secrets ?? [])]
  const buildArgs = mergeBuildArgs(container.buildArgs ?? [], mapping.buildArgs ?? [])
  return {
    ...container,
    ...mapping,
    dockerfileConfigMap: mapping.dockerfileConfigMap.name === '' ? container.dockerfileConfigMap : mapping.dockerfileConfigMap,
    ...(buildArgs.length === 0 ? {} : { buildArgs }),
    ...(secrets.length === 0 ? {} : { secrets }),
  }
}

/**
 * An override takes the place of the base's argument of the same name; new names follow in the order in which they appear. The last
 * value of a repeated override wins.
 */
export function mergeBuildArgs(base: readonly BuildArg[], overrides: readonly BuildArg[]): readonly BuildArg[] {
  const values = new Map(overrides.map(({ name, value }) => [name, value]))
  const known = new Set(base.map(({ name }) => name))
  return [
    ...base.map(({ name, value }) => ({ name, value: values.get(name) ?? value })),
    ...[...values].filter(([name]) => !known.has(name)).map(([name, value]) => ({ name, value })),
  ]
}

export function mergeSign(container: CanonicalSign | undefined, mapping: CanonicalSign | undefined): CanonicalSign | undefined {
  if (container === undefined || mapping === undefined) return mapping ?? container
  const unsignedImage = textOf(mapping.unsignedImage, container.unsignedImage)
  const filesToSign = [...(container.filesToSign ?? []), ...(mapping.filesToSign ?? [])]
  return {
    ...container,
    ...mapping,
    keySecret: mapping.keySecret.name === '' ? container.keySecret : mapping.keySecret,
    certSecret: mapping.certSecret.name === '' ? container.certSecret : mapping.certSecret,
    ...(unsignedImage === '' ? {} : { unsignedImage }),
    ...(filesToSign.length === 0 ? {} : { filesToSign }),
  }
}
