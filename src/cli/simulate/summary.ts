// What a simulation ended with: the sum, and what a person would do about each failure.
import { oneLine, type Row } from './table.ts'

/** `3 of 4 drivers are loaded and up to date` and, for each reason, where and what to do. */
export function printSummary(rows: readonly Row[]): string {
  const loaded = rows.filter(row => row.state === 'loaded').length
  const sum =
    rows.length === 0
      ? 'No Module selects a node.'
      : `${loaded} of ${rows.length} drivers are loaded and up to date${loaded === rows.length ? '.' : ':'}`
  const open = rows.filter(row => row.state !== 'loaded')
  const reasons = [...new Set(open.map(row => `${row.module} ${row.reason}`))]
  const lines = reasons.flatMap(id => {
    const alike = open.filter(row => `${row.module} ${row.reason}` === id)
    const [first] = alike
    if (first === undefined) return []
    const why = first.reason === '' ? first.state : `${first.reason}${first.message === '' ? '' : `: ${oneLine(first.message)}`}`
    return [
      `  ${first.module} on ${alike.map(row => row.node).join(', ')}: ${why}`,
      ...[...new Set(alike.map(row => row.todo))].filter(todo => todo !== '').map(todo => `    ${todo}`),
    ]
  })
  return `${[sum, ...lines].join('\n')}\n`
}
