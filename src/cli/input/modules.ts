// Modules in the input, measured against their CRD before any planner or rule reads their fields.

import type { Violation } from '../../core/module/violation.ts'
import { type KubeObject, keyOf } from '../../core/object.ts'
import { modules } from '../../core/resources.ts'
import { checkModuleShape } from '../../manifests/shape.ts'
import { BadInput } from '../../shell/yaml.ts'
import type { Io } from '../io.ts'
import type { InputObject } from './objects.ts'
import { pathOf } from './shape.ts'

export const isModule = (object: KubeObject): boolean => object.apiVersion === modules.apiVersion && object.kind === modules.kind

/** Throws BadInput for a value of another type than its field has: that is no Module that could be judged. */
export function refuseWrongTypes({ object, source }: InputObject): void {
  const wrong = checkModuleShape(object).find(violation => violation.code === 'WrongType')
  if (wrong !== undefined) throw badModule({ object, source }, wrong)
}

/** For planners: throws BadInput for a Module that the API server would refuse, and tells of fields that it would drop. */
export function refuseWrongModules(inputs: readonly InputObject[], io: Pick<Io, 'err'>): void {
  for (const input of inputs.filter(({ object }) => isModule(object))) {
    const violations = checkModuleShape(input.object)
    const wrong = violations.find(({ code }) => code !== 'UnknownField')
    if (wrong !== undefined) throw badModule(input, wrong)
    for (const violation of violations) io.err(`kmm: warning: ${badModule(input, violation).message}\n`)
  }
}

/** File, line, Module, field and sentence of one violation. */
export function badModule({ object, source }: InputObject, { path, message }: Violation): BadInput {
  const field = path === '' ? '' : `${path}: `
  return new BadInput(source.file, source.line(pathOf(path)), `Module ${keyOf(object)}: ${field}${message}`)
}
