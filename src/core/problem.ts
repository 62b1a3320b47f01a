// Everything that can go wrong for a user, in one place. docs/reference/problems.md says the same (a test keeps them equal).
import type { Entry } from './problem-entry.ts'
import { type ProblemCode, type ProblemParams, problemTexts } from './problem-texts.ts'

export type { ProblemCode } from './problem-texts.ts'

export type Problem = {
  readonly code: ProblemCode
  /** One sentence: what failed, for which object, node, kernel and image. */
  readonly message: string
  /** What to do next, as a command with the real names where there is one. */
  readonly todo: string
  /** `on-change`: only a change of the cluster helps; `backoff`: trying again may help. */
  readonly retry: 'on-change' | 'backoff'
  /** It ends by itself: nobody has to do anything. */
  readonly passing: boolean
  readonly kernel?: string
  readonly node?: string
  readonly image?: string
}

/** Makes the Problem with this code; kernel, node and image among the parameters become fields of their own. */
export function problem<C extends ProblemCode>(code: C, params: ProblemParams<C>): Problem {
  const entry: Entry = problemTexts[code]
  const text = entry.text as (p: object) => string
  const given = params as { kernel?: string; node?: string; image?: string; words?: string }
  const found = entry.cases?.find(({ says }) => given.words?.includes(says))
  return {
    code,
    message: text(params),
    todo: filledIn((found ?? entry).todo, params),
    retry: entry.retry,
    passing: entry.passing,
    ...(given.kernel === undefined ? {} : { kernel: given.kernel }),
    ...(given.node === undefined ? {} : { node: given.node }),
    ...(given.image === undefined ? {} : { image: given.image }),
  }
}

/** Words in capitals stand for parameters: NODE for `node`, SERVICE_ACCOUNT for `serviceAccount`. */
function filledIn(todo: string, params: object): string {
  const values = new Map(
    Object.entries(params).map(([name, value]) => [name.replace(/[A-Z]/g, '_$&').toUpperCase(), String(value)]),
  )
  return todo.replace(/\b[A-Z][A-Z_]+\b/g, word => values.get(word) ?? word)
}
