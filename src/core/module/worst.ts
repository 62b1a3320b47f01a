import type { Problem } from '../problem.ts'

/** The problem to tell first: one that needs a person before one that passes, then the one that hits most, then by code. */
export const worstProblem = (problems: readonly Problem[]): Problem | undefined => worstFirst(problems)[0]

export function worstFirst(problems: readonly Problem[]): readonly Problem[] {
  const counts = new Map<string, number>()
  for (const { code } of problems) counts.set(code, (counts.get(code) ?? 0) + 1)
  const rank = (a: Problem, b: Problem): number =>
    Number(a.passing) - Number(b.passing) ||
    (counts.get(b.code) ?? 0) - (counts.get(a.code) ?? 0) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  return problems.toSorted(rank)
}

/** A node's problem that is its kernel's or its Module's is one problem, however many nodes have it. */
export const isTold = (found: Problem, told: readonly Problem[]): boolean =>
  told.some(other => other.code === found.code && other.message === found.message)
