// The admission rules of Module: one list, used by the webhook, by `kmm validate` and by the operator itself. Each rule is in the file
// of its subject. On an update only rules that the *change* violates are errors (decisions.md 26): an object that was stored before a
// rule existed can still be edited.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../canonical.ts'
import type { Rule, Subject } from './rule.ts'
import { imageRules } from './rules-images.ts'
import { mappingRules } from './rules-mappings.ts'
import { modprobeRules } from './rules-modprobe.ts'
import { namingRules } from './rules-naming.ts'
import { podRules } from './rules-pods.ts'
import { referenceRules } from './rules-references.ts'
import { signingRules } from './rules-signing.ts'
import type { Violation } from './violation.ts'

export type { Violation } from './violation.ts'

export type Verdict = { readonly errors: Violation[]; readonly warnings: Violation[] }

export const rules: readonly Rule[] = [
  ...namingRules,
  ...mappingRules,
  ...imageRules,
  ...modprobeRules,
  ...signingRules,
  ...referenceRules,
  ...podRules,
]

/**
 * Judges a Module that has the shape that the CRD asks for. `old` is what it was before, for an update. Objects that are being deleted
 * and writes that leave the spec equal have no errors: a finalizer or label must always be removable.
 */
export function judgeModule(next: Module, old?: Module): Verdict {
  if (next.metadata.deletionTimestamp !== undefined) return { errors: [], warnings: [] }
  const subject = subjectOf(next)
  const before = old === undefined ? undefined : subjectOf(old)
  const found = (severity: Rule['severity']) =>
    rules.filter(rule => rule.severity === severity).flatMap(rule => violationsOf(rule, subject, before))
  const errors = found('error')
  const older = before === undefined ? [] : olderOf(errors, before, isSameSpec(subject, before))
  return {
    errors: errors.filter(violation => !older.includes(violation)),
    warnings: [...older, ...found('warning')],
  }
}

const subjectOf = (written: Module): Subject => {
  const module = canonicalModule(written)
  return { written, module, container: module.spec.moduleLoader.container }
}

function violationsOf(rule: Rule, subject: Subject, before: Subject | undefined): readonly Violation[] {
  if (rule.on === 'update' && before === undefined) return []
  return rule.check(subject, before).map(({ path, message }) => ({ code: rule.code, path, message }))
}

/** Those that the old object violated too. A mapping that moved in its list is the same mapping. */
function olderOf(errors: readonly Violation[], before: Subject, isSame: boolean): readonly Violation[] {
  if (isSame) return errors
  const identity = ({ code, path, message }: Violation) => JSON.stringify([code, path, message]).replace(/\[\d+\]/g, '[]')
  const lasting = rules.filter(rule => rule.severity === 'error' && rule.on === 'both')
  const known = lasting.flatMap(rule => violationsOf(rule, before, undefined)).map(identity)
  return errors.filter(error => {
    const index = known.indexOf(identity(error))
    if (index >= 0) known.splice(index, 1)
    return index >= 0
  })
}

/** Aliases and defaults aside: those the API server may have written. */
const isSameSpec = (a: Subject, b: Subject) => sorted(a.module.spec) === sorted(b.module.spec)

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
