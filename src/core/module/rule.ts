// The form of one admission rule. A rule looks at one Module, and on an update at what it was before; it never looks at the cluster.
import type { KernelMapping, Module } from '../../api/module.ts'
import type { CanonicalContainer, CanonicalModule } from '../canonical.ts'
import { printPath, type Step } from './violation.ts'

export type Subject = {
  /** As the user wrote it, with the user's spelling of fields. */
  readonly written: Module
  readonly module: CanonicalModule
  readonly container: CanonicalContainer
}

export type Found = { readonly path: string; readonly message: string }

export type Rule = {
  readonly code: string
  /** `update` rules are about the change itself, so `old` is there. */
  readonly on: 'update' | 'both'
  readonly severity: 'error' | 'warning'
  check(next: Subject, old?: Subject): readonly Found[]
}

const containerSteps = ['spec', 'moduleLoader', 'container'] as const

/** Path of a field below spec.moduleLoader.container. */
export const inContainer = (...steps: readonly Step[]): string => printPath([...containerSteps, ...steps])
export const inMapping = (index: number, ...steps: readonly Step[]): string => inContainer('kernelMappings', index, ...steps)

/** What a rule says of each mapping; undefined where it is fine. */
export function eachMapping(
  { written }: Subject,
  judge: (mapping: KernelMapping, index: number) => { readonly field?: string; readonly message: string } | undefined,
): readonly Found[] {
  return written.spec.moduleLoader.container.kernelMappings.flatMap((mapping, index) => {
    const found = judge(mapping, index)
    if (found === undefined) return []
    return [{ path: found.field === undefined ? inMapping(index) : inMapping(index, found.field), message: found.message }]
  })
}

export const has = (text: string | undefined): text is string => text !== undefined && text !== ''
