// Names that controllers make up: readable, and the same in every run of a simulation.
import { createHash } from 'node:crypto'

/** The letters that Kubernetes uses for generated names: no vowels, nothing that looks alike. */
const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** `<owner>-<five letters>`, from a seed that differs for every pod. */
export function podName(owner: string, seed: string): string {
  const digest = createHash('sha256').update(`${owner} ${seed}`).digest()
  let suffix = ''
  for (let at = 0; at < 5; at++) suffix += letters.charAt((digest[at] ?? 0) % letters.length)
  return `${owner.slice(0, 57)}-${suffix}`
}
