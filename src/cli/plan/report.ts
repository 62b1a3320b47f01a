// A plan as `kmm plan` prints it: the same bytes for the same plan. The shape is a promise to scripts (docs/reference/cli.md).
import { watches } from '../../controllers/index.ts'
import type { Look } from '../../core/controller.ts'
import { fieldManager } from '../../core/names.ts'
import { type KubeObject, type ObjectRef, refOf } from '../../core/object.ts'
import type { Question } from '../../core/plan.ts'
import type { Problem } from '../../core/problem.ts'
import { needsApply } from '../../shell/kube/compare.ts'
import { firstGivenUp } from './given-up.ts'
import type { PlanOfKey } from './run.ts'

export type PlanReport = {
  readonly controller: string
  readonly key: string
  readonly questions: readonly Question[]
  readonly apply: readonly KubeObject[]
  /** Names those of `apply` that differ from what was seen. */
  readonly writes: readonly ObjectRef[]
  readonly status: object | null
  readonly remove: readonly { readonly object: ObjectRef; readonly because: string; readonly finalizer?: string }[]
  readonly problems: readonly Pick<Problem, 'code' | 'message' | 'kernel' | 'node' | 'image'>[]
}

export function reportOf({ controller, key, plan }: PlanOfKey, look: Look): PlanReport {
  return {
    controller,
    key,
    questions: plan.questions,
    apply: plan.apply,
    writes: plan.apply.filter(object => isWritten(object, look)).map(refOf),
    status: plan.status?.object.status ?? null,
    remove: plan.remove.map(({ object, because, finalizer }) => ({
      object,
      because,
      ...(finalizer === undefined ? {} : { finalizer }),
    })),
    problems: plan.problems.map(({ code, message, kernel, node, image }) => ({
      code,
      message,
      ...(kernel === undefined ? {} : { kernel }),
      ...(node === undefined ? {} : { node }),
      ...(image === undefined ? {} : { image }),
    })),
  }
}

/** The object as last seen, if at all. */
export function seenOf(object: KubeObject, look: Look): KubeObject | undefined {
  const { namespace, name } = object.metadata
  const resource = { apiVersion: object.apiVersion, kind: object.kind, plural: '', namespaced: namespace !== undefined }
  return look.get(resource, namespace === undefined ? name : `${namespace}/${name}`)
}

/** Whether the shell would send it: nothing is sent that would change nothing. */
export function isWritten(object: KubeObject, look: Look, part: 'main' | 'status' = 'main'): boolean {
  const seen = seenOf(object, look)
  const watch = watches.find(({ resource }) => resource.apiVersion === object.apiVersion && resource.kind === object.kind)
  if (needsApply(object, seen, fieldManager, part, watch?.takeOver)) return true
  return (
    part === 'main' &&
    seen?.metadata.managedFields === undefined &&
    seen !== undefined &&
    firstGivenUp(object, seen) !== undefined
  )
}
