// What the operator's own registry said, as far as it stands in the Modules' status: a command that asks no registry then says the same.
import type { Module } from '../../api/module.ts'
import type { KubeObject } from '../../core/object.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { isModule } from './modules.ts'

/** Knows of the images that the operator found missing. */
export function toldAnswers(objects: readonly KubeObject[]): (question: Question) => Answer | undefined {
  const kernels = (objects as readonly (KubeObject & Partial<Pick<Module, 'status'>>)[])
    .filter(isModule)
    .flatMap(({ status }) => status?.kernels ?? [])
  const missing = new Set(kernels.flatMap(({ image, reason }) => (reason === 'ImageMissing' ? (image ?? []) : [])))
  return question => (missing.has(question.image) ? { exists: false } : undefined)
}
