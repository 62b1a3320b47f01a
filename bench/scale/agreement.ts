// How far the simulated cluster agrees with the real control plane: the operator's writes on both, where one shape ran on both.
import type { Measured } from './measure.ts'
import type { Result } from './run.ts'

export type Agreement = {
  readonly scenario: string
  /** Verb and resource, such as `patch nodes`. */
  readonly write: string
  readonly real: number
  readonly simulated: number
}

// Leases and Events go by the clock.
const isCompared = (what: string): boolean => /^(create|update|patch|delete) (?!leases|events)/.test(what)
/** Whether its count depends on who is quicker: a status is written at most every 10 s, a refused write met somebody else's. */
export const isTimed = (write: string): boolean => write.startsWith('patch modules/status') || /\(4\d\d\)$/.test(write)

/** One row for each scenario that ran on both and each write of it, in the order of the scenarios. Throws for different shapes. */
export function compareWrites(real: Result, simulated: Result): readonly Agreement[] {
  if (shapeKey(real) !== shapeKey(simulated)) throw new Error(`${shapeKey(real)} is not ${shapeKey(simulated)}`)
  return real.measured.flatMap(one => {
    const other = simulated.measured.find(({ scenario }) => scenario === one.scenario)
    return other === undefined ? [] : rowsOf(one, other)
  })
}

function rowsOf({ scenario, requests }: Measured, other: Measured): readonly Agreement[] {
  const writes = [...new Set([...Object.keys(requests), ...Object.keys(other.requests)])].filter(isCompared).toSorted()
  return writes.map(write => ({ scenario, write, real: requests[write] ?? 0, simulated: other.requests[write] ?? 0 }))
}

/** Pairs of the same shape. */
export function pairsOf(results: readonly Result[]): readonly { readonly real: Result; readonly simulated: Result }[] {
  return results.flatMap(real => {
    if (real.simulated !== undefined) return []
    const simulated = results.find(other => other.simulated !== undefined && shapeKey(other) === shapeKey(real))
    return simulated === undefined ? [] : [{ real, simulated }]
  })
}

/** Sums over all writes but timed ones, and the largest distance of one kind of write in parts of the real count. */
export function summaryOf(rows: readonly Agreement[]): {
  readonly real: number
  readonly simulated: number
  readonly widest: number
} {
  const counted = rows.filter(({ write }) => !isTimed(write))
  const sum = (of: (row: Agreement) => number) => counted.reduce((all, row) => all + of(row), 0)
  const distances = counted.map(({ real, simulated }) => Math.abs(real - simulated) / Math.max(1, real))
  return { real: sum(({ real }) => real), simulated: sum(({ simulated }) => simulated), widest: Math.max(0, ...distances) }
}

const shapeKey = ({ shape }: Result): string =>
  `${shape.nodes}x${shape.modules}x${shape.kernels}${shape.devicePlugin ? '-plugin' : ''}`
