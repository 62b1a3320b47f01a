// Tables and times for people.

/** Headings, if there are any, and rows in aligned columns, two blanks apart, without blanks at the end of a line. */
export function printAligned(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = headings.length === 0 ? rows : [headings, ...rows]
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(cells => (cells[column] ?? '').length)))
  return lines.map(cells =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** How long ago, as `kubectl get` prints it: `45s`, `12m`, `5h`, `3d`; empty for what is no time. */
export function printAge(since: string | undefined, nowMs: number): string {
  const ms = since === undefined ? Number.NaN : nowMs - Date.parse(since)
  if (Number.isNaN(ms)) return ''
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** Names separated by commas, the first `most` of them. */
export const printNames = (names: readonly string[], most = 10): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`
