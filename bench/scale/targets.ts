// What the project promises of big clusters, beside what was measured: the first table of docs/benchmarks/scale.md.
import { exponentText, type Fit } from './plot.ts'
import type { Result } from './run.ts'
import { budgetOf, find, floorOf, p99Ratio, readsAfterStart, rolloutSeconds, shapeText } from './tables.ts'

export type Judged = {
  readonly target: string
  readonly where: string
  readonly limit: string
  readonly measured: string
  readonly isMet: boolean
}

/** Exponents of one kind of cluster, by what grows with the nodes. */
export type Growth = { readonly where: string; readonly fits: readonly (readonly [name: string, fit: Fit])[] }

const atMost = (target: string, where: string, measured: number, limit: number, digits: number): Judged => ({
  target,
  where,
  limit: `at most ${limit}`,
  measured: measured.toFixed(digits),
  isMet: Number(measured.toFixed(digits)) <= limit,
})

/** Nobody writes for these, whatever the size. */
const without = ['heartbeats', 'operator restart', 'cordon', 'foreign label']
/** In MB, by the name of the size and the kind of cluster. */
const memoryLimits: Readonly<Record<string, number>> = { '2000 x 5 x 2': 256, '5000 x 10 x 2, simulated': 512 }
const ratioSizes: readonly string[] = ['1000 x 1 x 2', '500 x 5 x 2']

const nameOf = (result: Result): string => `${shapeText(result)}${result.simulated === undefined ? '' : ', simulated'}`

function judgeOne(result: Result): readonly Judged[] {
  const name = nameOf(result)
  const judged: Judged[] = []
  const fresh = find(result, 'fresh rollout')
  if (fresh !== undefined) judged.push(atMost('writes of a fresh rollout', name, fresh.writes, budgetOf(result, fresh), 0))
  for (const scenario of without) {
    const found = find(result, scenario)
    if (found !== undefined) judged.push(atMost(`writes: ${found.scenario}`, name, found.writes, 0, 0))
  }
  judged.push(atMost('gets after the start', name, readsAfterStart(result, 'get'), 0, 0))
  if (result.floors.length > 0 && ratioSizes.includes(name))
    judged.push(atMost('rollout, times the floor', name, rolloutSeconds(result) / floorOf(result).rolloutSeconds, 1.3, 2))
  const p99 = p99Ratio(result)
  if (p99 !== undefined && result.simulated === undefined)
    judged.push(atMost('p99 from pod to label, times the floor', name, p99, 1.5, 2))
  const limit = memoryLimits[name]
  const most = Math.max(...result.measured.map(({ peakMiB }) => peakMiB)) * 1.048576
  if (limit !== undefined) judged.push(atMost('resident memory, MB', name, most, limit, 0))
  judged.push(atMost('/healthz missed', name, result.health.missed, 0, 0))
  judged.push(atMost('seconds between renewals of the Lease', name, result.lease.longestSeconds, 10, 1))
  return judged
}

/** One entry for each target and each result that says something about it. */
export const judge = (results: readonly Result[], growths: readonly Growth[]): readonly Judged[] =>
  [
    ...results.flatMap(judgeOne),
    ...growths.flatMap(({ where, fits }) =>
      fits.map(([name, fit]) => ({
        ...atMost(`exponent of ${name}`, where, fit.exponent, 1.1, 2),
        measured: exponentText(fit),
      })),
    ),
  ].toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0))
