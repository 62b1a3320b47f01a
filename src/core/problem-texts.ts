// The catalogue of problems: code -> sentence, what to do, retry rule. Order: from the Module, over the image, to the node.
// docs/reference/problems.md says the same for people (test/docs.test.ts).

import { driverProblems } from './driver-problems.ts'
import { imageProblems } from './image-problems.ts'
import { moduleProblems } from './module-problems.ts'
import { nodeProblems } from './node-problems.ts'
import { podProblems } from './pod-problems.ts'
import type { Entry } from './problem-entry.ts'

export const problemTexts = {
  ...moduleProblems,
  ...imageProblems,
  ...podProblems,
  ...driverProblems,
  ...nodeProblems,
} as const satisfies Record<string, Entry>

export type ProblemCode = keyof typeof problemTexts
export type ProblemParams<C extends ProblemCode> = Parameters<(typeof problemTexts)[C]['text']>[0]
