import type { Labels } from './object.ts'

/** Whether the labels hold every pair of an equality selector. An empty selector matches everything (behaviour.md 1.1). */
export function matchesLabels(selector: Labels | undefined, labels: Labels | undefined): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)
}
