// A change of a Module that brings a new driver, as a person would make it.
import type { KernelMapping, Module } from '../../api/module.ts'
import { imagePartsOf } from '../../core/image-ref.ts'

const suffix = 'next'

/** The Module with another image for every kernel and, where it has a version, another version. */
export function nextDriver(module: Module): Module {
  const { container } = module.spec.moduleLoader
  const next = {
    ...container,
    ...(container.version === undefined || container.version === '' ? {} : { version: `${container.version}-${suffix}` }),
    ...(container.containerImage === undefined ? {} : { containerImage: nextImage(container.containerImage) }),
    kernelMappings: container.kernelMappings.map(nextMapping),
  }
  return { ...module, spec: { ...module.spec, moduleLoader: { ...module.spec.moduleLoader, container: next } } }
}

const nextMapping = (mapping: KernelMapping): KernelMapping =>
  mapping.containerImage === undefined || mapping.containerImage === ''
    ? mapping
    : { ...mapping, containerImage: nextImage(mapping.containerImage) }

/** The tag may hold variables, so it is only added to; a digest gives way to a tag. */
function nextImage(image: string): string {
  const { name, tag, digest } = imagePartsOf(image)
  return digest !== undefined || tag === undefined ? `${name}:${suffix}` : `${name}:${tag}-${suffix}`
}

/** A version that a Module has in a simulation only, where a failure needs one. */
export const givenVersion = '1'

export function withVersion(module: Module): Module {
  const container = { ...module.spec.moduleLoader.container, version: givenVersion }
  return { ...module, spec: { ...module.spec, moduleLoader: { ...module.spec.moduleLoader, container } } }
}
