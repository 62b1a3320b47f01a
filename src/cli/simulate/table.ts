// What happens to each driver on each node, as one sees it from outside: the Module's status, and what the kernel really holds.
import type { Module } from '../../api/module.ts'
import type { Node } from '../../core/cluster.ts'
import { kernelOf } from '../../core/cluster.ts'
import { readyLabel } from '../../core/names.ts'
import { keyOf } from '../../core/object.ts'
import { matchesLabels } from '../../core/selectors.ts'
import { blockingTaint } from '../../core/tolerations.ts'

export type Row = {
  readonly node: string
  readonly module: string
  readonly kernel: string
  /** Version of the driver in the kernel, whatever the operator says of it; `-` when there is none. */
  readonly driver: string
  readonly state: 'loaded' | 'outdated' | 'waiting' | 'failed' | 'no driver'
  readonly reason: string
  readonly message: string
}

/** Version of a kernel module that is loaded on a node, or undefined. */
export type LoadedVersion = (node: string, kernelModule: string) => string | undefined

/** One row for each node that a Module selects, sorted by node and Module. */
export function rowsOf(modules: readonly Module[], nodes: readonly Node[], loadedVersion: LoadedVersion): readonly Row[] {
  const byName = <T extends Node | Module>(objects: readonly T[]) => objects.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return byName(nodes).flatMap(node =>
    byName(modules)
      .filter(module => matchesLabels(module.spec.selector, node.metadata.labels))
      .map(module => rowOf(module, node, loadedVersion)),
  )
}

/** Reasons that end by themselves. */
const passing = new Set([
  'Loading',
  'Unloading',
  'WaitingForPluginToStop',
  'WaitingForOldDriver',
  'WaitingForVersionLabel',
  'NodeNotReady',
  'ImageUnknown',
])

function rowOf(module: Module, node: Node, loadedVersion: LoadedVersion): Row {
  const { name, namespace = '' } = module.metadata
  const problem = module.status?.notReadyNodes?.find(entry => entry.name === node.metadata.name)
  const version = loadedVersion(node.metadata.name, module.spec.moduleLoader.container.modprobe.moduleName ?? '')
  const isReady = node.metadata.labels?.[readyLabel(namespace, name)] !== undefined
  const row = {
    node: node.metadata.name,
    module: keyOf(module),
    kernel: kernelOf(node),
    driver: version ?? '-',
    reason: problem?.reason ?? '',
    message: problem?.message ?? '',
  }
  if (problem === undefined) {
    const taint = blockingTaint(node.spec?.taints ?? [], module.spec.tolerations ?? [])
    if (!isReady && taint !== undefined) return { ...row, state: 'no driver', reason: 'NodeTainted', message: taint.key }
    return { ...row, state: isReady ? 'loaded' : 'waiting' }
  }
  if (problem.reason === 'Outdated') return { ...row, state: 'outdated' }
  if (problem.reason === 'NoKernelMapping') return { ...row, state: 'no driver' }
  return { ...row, state: passing.has(problem.reason) ? 'waiting' : 'failed' }
}

const headings = ['NODE', 'KERNEL', 'MODULE', 'DRIVER', 'STATE', 'REASON'] as const
const cellsOf = (row: Row) => [row.node, row.kernel, row.module, row.driver, row.state, shownReason(row)] as const

/** Aligned lines below headings, cut at the width of the terminal. */
export const printTable = (rows: readonly Row[], columns: number): readonly string[] =>
  aligned([headings, ...rows.map(cellsOf)]).map(line => line.slice(0, Math.max(20, columns - 1)))

/** One aligned line for each row, with the words behind a reason that stays. */
export const printLines = (rows: readonly Row[]): readonly string[] =>
  aligned(rows.map(cellsOf)).map((line, index) => {
    const row = rows[index]
    const isPassing = row === undefined || row.message === '' || row.state === 'waiting' || row.state === 'outdated'
    return isPassing ? line : `${line}: ${shortened(oneLine(row.message))}`
  })

function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const widths = headings.map((_, column) => Math.max(...lines.map(cells => (cells[column] ?? '').length)))
  return lines.map(cells =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const lineLength = 220
const shortened = (text: string) => (text.length > lineLength ? `${text.slice(0, lineLength)}...` : text)

/** The state `outdated` says it already. */
const shownReason = (row: Row) => (row.state === 'outdated' ? '' : row.reason)

/** Rows with the same mark look the same to people: the words of one reason may change from try to try. */
export const markOf = (row: Row): string => [row.driver, row.state, row.reason].join(' ')

export const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()
