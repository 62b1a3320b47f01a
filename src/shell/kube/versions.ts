// Resource versions are decimal numbers that only grow, and comparable per resource: KEP-5504 ("Comparable Resource Version").

/** Negative, 0 or positive as `a` is older than, equal to or newer than `b`; numbers of any length. */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Whether something seen at version `seen` includes what was written at `written`. Nothing seen includes nothing. */
export const includes = (seen: string | undefined, written: string): boolean =>
  seen !== undefined && compareVersions(seen, written) >= 0
