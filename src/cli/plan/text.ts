// A plan for people: only what would be done, and what is in the way.
import type { DaemonSet } from '../../core/cluster.ts'
import type { Look } from '../../core/controller.ts'
import { type KubeObject, keyOf, type ObjectRef } from '../../core/object.ts'
import type { Plan, Question, Removal } from '../../core/plan.ts'
import { sameQuantity } from '../../shell/kube/quantity.ts'
import { type Path, printPath } from '../input/shape.ts'
import { firstGivenUp } from './given-up.ts'
import { isWritten, seenOf } from './report.ts'
import type { PlanOfKey } from './run.ts'

/** One paragraph for each key with something to do or to say, then one line on the others. */
export function printPlansAsText(plans: readonly PlanOfKey[], look: Look): string {
  const paragraphs = plans.map(one => ({ one, lines: linesOf(one.plan, look) }))
  const busy = paragraphs.filter(({ lines }) => lines.length > 0)
  const idle = paragraphs.length - busy.length
  const body = busy.map(({ one, lines }) => `${one.controller} ${one.key}\n${lines.map(line => `  ${line}\n`).join('')}`)
  if (idle > 0)
    body.push(busy.length === 0 ? `Nothing to do: ${idle} objects are as they should be.\n` : `Nothing to do for ${idle} more.\n`)
  if (paragraphs.length === 0) body.push('Nothing to do: no controller has anything to do with these objects.\n')
  return body.join('\n')
}

function linesOf(plan: Plan, look: Look): readonly string[] {
  return [
    ...plan.questions.map(question => line('ask', askedOf(question))),
    ...plan.apply.filter(object => isWritten(object, look)).map(object => writeLine(object, look)),
    ...statusLines(plan, look),
    ...plan.remove.map(removalLine),
    ...plan.problems.flatMap(({ code, message, todo }) => [line('problem', `${code}: ${message}`), line('', todo)]),
  ]
}

const line = (word: string, text: string) => `${word.padEnd(8)} ${text}`
const printRef = (ref: ObjectRef) => keyOf({ metadata: ref })

const askedOf = ({ ask, image, secret }: Question) => {
  const asked = {
    exists: `does ${image} exist?`,
    digest: `what is the digest of ${image}?`,
    files: `which files are in ${image}?`,
  }[ask]
  return secret === undefined ? asked : `${asked} (with secret ${secret})`
}

function removalLine({ object, because, finalizer }: Removal): string {
  const name = `${object.kind} ${printRef(object)}`
  return finalizer === undefined
    ? line('delete', `${name}: ${because}`)
    : line('release', `${name} (finalizer ${finalizer}): ${because}`)
}

function writeLine(object: KubeObject, look: Look): string {
  const seen = seenOf(object, look)
  const name = `${object.kind} ${keyOf(object)}`
  if (seen === undefined) return line('create', `${name}${imageOf(object)}`)
  const fields = changedFields(object, seen)
  const more = fields.length > 4 ? ` and ${fields.length - 4} more` : ''
  const givenUp = firstGivenUp(object, seen)
  const what = fields.length === 0 ? `gives up ${givenUp?.slice(1) ?? 'fields'}` : fields.slice(0, 4).join(', ')
  return line('change', `${name}: ${what}${more}`)
}

function imageOf(object: KubeObject): string {
  const image = object.kind === 'DaemonSet' ? (object as DaemonSet).spec?.template?.spec?.containers?.[0]?.image : undefined
  return image === undefined ? '' : ` (image ${image})`
}

/** Paths of the stated fields that are seen otherwise. What the server has filled in beside them does not count. */
function changedFields(stated: unknown, seen: unknown, path: Path = []): readonly string[] {
  if (isMap(stated) && isMap(seen))
    return Object.keys(stated)
      .sort()
      .flatMap(field => changedFields(stated[field], seen[field], [...path, field]))
  if (isMap(stated) && path.length < 3 && seen === undefined)
    return Object.keys(stated)
      .sort()
      .flatMap(field => changedFields(stated[field], undefined, [...path, field]))
  if (Array.isArray(stated) && Array.isArray(seen) && stated.length === seen.length)
    return stated.flatMap((item, index) => changedFields(item, (seen as readonly unknown[])[index], [...path, index]))
  if (JSON.stringify(stated) === JSON.stringify(seen) || isSameAmount(stated, seen, path)) return []
  return [printPath(path)]
}

/** `1000m` and `1` of CPU. */
const isSameAmount = (stated: unknown, seen: unknown, path: Path): boolean =>
  (path.includes('limits') || path.includes('requests')) && sameQuantity(String(stated), String(seen))

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function statusLines(plan: Plan, look: Look): readonly string[] {
  if (plan.status === undefined || !isWritten(plan.status.object, look, 'status')) return []
  const status = plan.status.object.status as {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason?: string
      readonly message?: string
    }[]
  }
  const conditions = status.conditions ?? []
  if (conditions.length === 0) return [line('status', 'changes')]
  return conditions.map(({ type, status: holds, reason, message }) =>
    line('status', `${type}=${holds} ${reason ?? ''}${message === undefined || message === '' ? '' : `: ${message}`}`),
  )
}
