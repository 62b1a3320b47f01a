// Modules in the input, measured against their CRD before any planner or rule reads their fields.
import { type KubeObject, keyOf } from '../../core/object.ts'
import { modules } from '../../core/resources.ts'
import { checkModuleShape } from '../../manifests/shape.ts'
import type { Io } from '../io.ts'
import { badField, type InputObject } from './objects.ts'
import { pathOf } from './shape.ts'

export const isModule = (object: KubeObject): boolean => object.apiVersion === modules.apiVersion && object.kind === modules.kind

/** Throws BadInput for a value of another type than its field has: that is no Module that could be judged. */
export function refuseWrongTypes({ object, source }: InputObject): void {
  const wrong = checkModuleShape(object).find(violation => violation.code === 'WrongType')
  if (wrong !== undefined) throw badField(source, pathOf(wrong.path), wrong.message, `Module ${keyOf(object)}`)
}

/** For planners: throws BadInput for a Module that the API server would refuse, and tells of fields that it would drop. */
export function refuseWrongModules(inputs: readonly InputObject[], io: Pick<Io, 'err'>): void {
  for (const input of inputs.filter(({ object }) => isModule(object))) {
    for (const { code, path, message } of checkModuleShape(input.object)) {
      const name = `Module ${keyOf(input.object)}`
      if (code !== 'UnknownField') throw badField(input.source, pathOf(path), message, name)
      io.err(
        `kmm: warning: ${input.source.file}:${input.source.line(pathOf(path))}: ${name}: ${path} ${message}; the API server would drop it\n`,
      )
    }
  }
}
