// `kmm validate`: the rules of the CRD and of the admission webhook, all at once, for Modules in files.

import type { Module } from '../../api/module.ts'
import { judgeModule } from '../../core/module/rules.ts'
import { keyOf, refOf } from '../../core/object.ts'
import { checkModuleShape } from '../../manifests/shape.ts'
import { readObjects } from '../input/files.ts'
import { isModule, refuseWrongTypes } from '../input/modules.ts'
import type { InputObject } from '../input/objects.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'
import { printJson } from '../json.ts'
import type { Findings } from './findings.ts'
import { findOverlaps } from './overlaps.ts'
import { printFindingsAsText } from './text.ts'

export type ValidateOptions = {
  readonly filename: readonly string[]
  readonly old: readonly string[]
  readonly output: 'json' | 'text'
}

/** Resolves to the exit code: 1 when there is an error. Throws BadInput and UsageError. */
export async function validate(options: ValidateOptions, io: Io): Promise<number> {
  const next = modulesIn(await readObjects(options.filename, io))
  const old = options.old.length === 0 ? [] : modulesIn(await readObjects(options.old, io))
  for (const { object, source } of old) {
    if (!next.some(input => keyOf(input.object) === keyOf(object))) {
      throw new UsageError(`--old holds Module ${keyOf(object)} (${source.file}), which the input of -f does not hold`)
    }
  }
  if (next.length === 0) io.err('kmm: there is no Module in the input, so nothing was checked\n')
  const findings = judgeModules(next, old)
  io.out(options.output === 'json' ? printJson(findings) : printFindingsAsText(findings, next))
  return findings.errors.length > 0 ? exitCodes.no : exitCodes.fine
}

/** Of objects in any order; the findings are sorted by object, and within one in the order of the rules. */
export function judgeModules(next: readonly InputObject[], old: readonly InputObject[]): Findings {
  const sorted = next.toSorted((a, b) => (keyOf(a.object) < keyOf(b.object) ? -1 : 1))
  const judged = sorted.map(input =>
    judgeOne(
      input,
      old.find(other => keyOf(other.object) === keyOf(input.object)),
    ),
  )
  const overlaps = findOverlaps(judged.flatMap(one => (one.module === undefined ? [] : [one.module])))
  return {
    errors: judged.flatMap(one => one.errors),
    warnings: [
      ...judged.flatMap(one => one.warnings),
      ...overlaps.map(({ module, path, message }) => ({ object: refOf(module), path, code: 'ModuleNameTaken', message })),
    ],
  }
}

/** The rules read the fields, so they are asked only of a Module that has the form of one. */
function judgeOne(input: InputObject, old: InputObject | undefined): Findings & { readonly module?: Module } {
  refuseWrongTypes(input)
  const object = refOf(input.object)
  const misshapen = checkModuleShape(input.object).map(violation => ({ object, ...violation }))
  if (misshapen.some(({ code }) => code !== 'UnknownField')) return { errors: misshapen, warnings: [] }
  const module = input.object as Module
  const { errors, warnings } = judgeModule(module, old?.object as Module | undefined)
  return {
    errors: [...misshapen, ...errors.map(violation => ({ object, ...violation }))],
    warnings: warnings.map(violation => ({ object, ...violation })),
    module,
  }
}

const modulesIn = (inputs: readonly InputObject[]): readonly InputObject[] => inputs.filter(input => isModule(input.object))
