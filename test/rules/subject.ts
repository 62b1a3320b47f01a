// A valid Module to break, and what the rules say of it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { judgeModule, type Violation } from '../../src/core/module/rules.ts'

type Writable<T> = T extends readonly (infer Item)[]
  ? Writable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Writable<T[Key]> }
    : T
export type Draft = Writable<Module>
export type Edit = (draft: Draft) => void

const valid: Module = {
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name: 'driver', namespace: 'drivers' },
  spec: {
    selector: { 'feature.example.com/card': 'true' },
    moduleLoader: {
      maxUnavailable: 1,
      container: {
        kernelMappings: [
          { literal: '6.0.15-300.fc37.x86_64', containerImage: 'registry.example.com/driver:fc37' },
          { regexp: '^.+\\.el9\\.x86_64$', containerImage: 'registry.example.com/driver:${KERNEL_FULL_VERSION}' },
        ],
        modprobe: { moduleName: 'driver' },
      },
    },
  },
}

export function moduleWith(...edits: readonly Edit[]): Module {
  const draft = structuredClone(valid) as Draft
  for (const edit of edits) edit(draft)
  return deepFrozen(draft)
}

/** Code and path of each, for tables. */
export const summaryOf = (violations: readonly Violation[]) => violations.map(({ code, path }) => `${code} at ${path}`)
export const errorsOf = (next: Module, old?: Module) => summaryOf(judgeModule(next, old).errors)
export const warningsOf = (next: Module, old?: Module) => summaryOf(judgeModule(next, old).warnings)

export function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFrozen)
  }
  return value
}

export const containerOf = (draft: Draft) => draft.spec.moduleLoader.container

export function firstMapping(draft: Draft) {
  const [mapping] = containerOf(draft).kernelMappings
  assert(mapping)
  return mapping
}

/** A violated rule, and the nearest Module that does not violate it. */
export type Row = { readonly sentence: string; readonly wrong: Edit; readonly errors: readonly string[]; readonly right: Edit }

export function describeErrors(what: string, rows: readonly Row[]): void {
  describe(what, () => {
    for (const { sentence, wrong, errors, right } of rows) {
      it(sentence, () => {
        assert.deepEqual(errorsOf(moduleWith(wrong)), errors)
        assert.deepEqual(errorsOf(moduleWith(right)), [])
      })
    }
  })
}
