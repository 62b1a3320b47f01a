// Names that controllers make up: readable, and the same in every run of a simulation.
import { createHash } from 'node:crypto'

/** The letters that Kubernetes uses for generated names: no vowels, nothing that looks alike. */
const letters = 'bcdfghjklmnpqrstvwxz2456789'

/** As the API server tries generateName. */
const mostTries = 8

/** `<owner>-<five letters>`, from a seed that differs for every pod; another five where a pod has that name already. */
export function podName(owner: string, seed: string, isTaken: (name: string) => boolean): string {
  let name = ''
  for (let tries = 0; tries < mostTries && (name === '' || isTaken(name)); tries++) {
    const digest = createHash('sha256')
      .update(tries === 0 ? `${owner} ${seed}` : `${owner} ${seed} ${tries}`)
      .digest()
    let suffix = ''
    for (let at = 0; at < 5; at++) suffix += letters.charAt((digest[at] ?? 0) % letters.length)
    name = `${owner.slice(0, 57)}-${suffix}`
  }
  return name
}

/** In the form of /proc/sys/kernel/random/boot_id. */
export function bootIdOf(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
