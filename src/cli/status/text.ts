// `kmm status` for people: the table, then a sentence for each Module, then each reason once with what to do about it.
import type { ModuleRows, NodeRow } from '../../core/explain/node-row.ts'
import type { Problem } from '../../core/problem.ts'
import { printAge, printAligned, printNames } from '../text-table.ts'
import { countsOf } from './report.ts'

const headings = ['MODULE', 'NODE', 'KERNEL', 'DRIVER', 'STATE', 'REASON', 'SINCE']

export function printStatus(found: readonly ModuleRows[], nowMs: number): string {
  const rows = found.flatMap(one => one.rows)
  const cells = rows.map(row => [
    row.module,
    row.node,
    row.kernel,
    driverOf(row),
    row.state,
    reasonOf(row),
    printAge(row.since, nowMs),
  ])
  const table = rows.length === 0 ? [] : [...printAligned(headings, cells), '']
  const sums = found.length === 0 ? ['There is no Module.'] : found.map(sumOf)
  const reasons = found.flatMap(reasonsOf)
  return [...table, ...sums, ...(reasons.length === 0 ? [] : ['', ...reasons])].map(line => `${line}\n`).join('')
}

/** The version where there is one, else what is behind the last slash of the image. */
const driverOf = ({ version, image = '' }: NodeRow): string => version ?? (image.slice(image.lastIndexOf('/') + 1) || '-')

function reasonOf({ problem, selected, state }: NodeRow): string {
  if (problem !== undefined && problem.code !== 'Outdated') return problem.code
  if (selected !== 'yes') return selected === 'gone' ? 'the Module is gone' : 'not selected'
  return state === 'outdated' ? '' : (problem?.code ?? '')
}

function sumOf(one: ModuleRows): string {
  const { module, rows, survey } = one
  const { nodes, loaded } = countsOf(one)
  const left = rows.filter(row => row.selected !== 'yes').length
  if (survey === undefined) return `Module ${module} is gone, and ${left} of its loaders are still there.`
  const more = left === 0 ? '' : ` Loaders on nodes that it does not select: ${left}.`
  if (rows.length === left) return `Module ${module} selects no node.${more}`
  return `${loaded} of ${nodes} nodes have the driver of Module ${module}.${more}`
}

type Group = { readonly problem: Problem; readonly nodes: string[] }

function reasonsOf({ rows, survey }: ModuleRows): readonly string[] {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    if (row.problem === undefined) continue
    const group = groups.get(row.problem.code) ?? { problem: row.problem, nodes: [] }
    groups.set(row.problem.code, group)
    group.nodes.push(row.node)
  }
  const ofModule = (survey?.problems ?? []).filter(({ code }) => !groups.has(code))
  return [
    ...ofModule.flatMap(found => [`${found.code}: ${oneLine(found.message)}`, `  ${found.todo}`]),
    ...[...groups.values()].flatMap(({ problem, nodes }) => [
      `${problem.code} on ${printNames(nodes)}: ${oneLine(problem.message)}`,
      `  ${problem.todo}`,
    ]),
  ]
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()
