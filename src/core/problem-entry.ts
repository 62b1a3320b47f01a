// How an entry of the catalogue of problems is made.

type Retry = 'on-change' | 'backoff'
export type Entry = {
  readonly retry: Retry
  readonly todo: string
  readonly text: (p: never) => string
  readonly passing: boolean
  /** What to do instead where the quoted words hold `says`; the first that fits counts. */
  readonly cases?: readonly Case[]
}
export type Case = { readonly says: string; readonly todo: string }
export type OnKernel = { module: string; kernel: string }
export type OnNode = { module: string; node: string }
/** Of the kubelet, of modprobe, of the kernel: shown as they are. */
export type Words = { words: string }

/**
 * `text`: one sentence with all names. `todo`: what to do, for a person; words in capitals stand for parameters (problem.ts). `retry`:
 * `on-change` where only a change of the cluster helps, `backoff` where trying again may help.
 */
export const entry = <P extends object>(retry: Retry, text: (p: P) => string, todo: string, cases: readonly Case[] = []) => ({
  retry,
  text,
  todo,
  passing: false,
  cases,
})

/** A state on the way to a better one: it ends by itself, nobody has to do anything. */
export const passing = <P extends object>(text: (p: P) => string, todo: string) => ({
  retry: 'on-change' as Retry,
  text,
  todo,
  passing: true,
})

export const quote = (words: string): string => (words === '' ? '' : `: ${words}`)
