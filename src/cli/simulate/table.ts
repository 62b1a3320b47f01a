// What happens to each driver on each node: the judgement of `kmm status`, and what the kernel really holds.
import type { NodeRow, RowState } from '../../core/explain/node-row.ts'
import { printAligned } from '../text-table.ts'

export type Row = {
  readonly node: string
  readonly module: string
  readonly kernel: string
  /** Version of the driver in the kernel, whatever the operator says of it; `-` when there is none. */
  readonly driver: string
  readonly state: RowState
  readonly reason: string
  readonly message: string
  /** What a person would do about it. */
  readonly todo: string
}

/** Version of the driver of a Module that is loaded on a node, or undefined. */
export type LoadedVersion = (node: string, module: string) => string | undefined

/** Sorted by node and Module. */
export function rowsOf(judged: readonly NodeRow[], loadedVersion: LoadedVersion): readonly Row[] {
  return judged
    .toSorted((a, b) => (a.node === b.node ? (a.module < b.module ? -1 : 1) : a.node < b.node ? -1 : 1))
    .map(({ node, module, kernel, state, problem }) => ({
      node,
      module,
      kernel,
      driver: loadedVersion(node, module) ?? '-',
      state,
      reason: problem?.code ?? '',
      message: problem?.message ?? '',
      todo: problem?.todo ?? '',
    }))
}

const headings = ['NODE', 'KERNEL', 'MODULE', 'DRIVER', 'STATE', 'REASON'] as const
const cellsOf = (row: Row) => [row.node, row.kernel, row.module, row.driver, row.state, shownReason(row)] as const

/** Aligned lines below headings, cut at the width of the terminal. */
export const printTable = (rows: readonly Row[], columns: number): readonly string[] =>
  printAligned(headings, rows.map(cellsOf)).map(line => line.slice(0, Math.max(20, columns - 1)))

/** One aligned line for each row, with the words behind a reason that stays. */
export const printLines = (rows: readonly Row[]): readonly string[] =>
  printAligned([], rows.map(cellsOf)).map((line, index) => {
    const row = rows[index]
    const isPassing = row === undefined || row.message === '' || isUnderWay(row)
    return isPassing ? line : `${line}: ${shortened(oneLine(row.message))}`
  })

const lineLength = 220
const shortened = (text: string) => (text.length > lineLength ? `${text.slice(0, lineLength)}...` : text)

/** Something is on its way, or waits for its turn or for a label. */
export const isUnderWay = ({ state }: Row): boolean =>
  state === 'waiting' || state === 'unloading' || state === 'outdated' || state === 'unknown'

export const hasFailed = ({ state }: Row): boolean => state === 'failed' || state === 'still loaded'

/** Where the state says it already. */
const shownReason = (row: Row) =>
  (row.state === 'outdated' && row.reason === 'Outdated') || row.state === 'unloading' ? '' : row.reason

/** Rows with the same mark look the same to people: the words of one reason may change from try to try. */
export const markOf = (row: Row): string => [row.driver, row.state, row.reason].join(' ')

export const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()
