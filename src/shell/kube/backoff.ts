// How long to wait before trying again. Time and chance are arguments (design: examples.md 7.8).

export type RetryLimits = { readonly firstMs: number; readonly mostMs: number }

/** Doubles from `firstMs` to `mostMs`; half of it is left to chance, so that many that failed together do not come back together. */
export function retryAfterMs(failures: number, chance: number, limits: RetryLimits): number {
  const ceiling = Math.min(limits.firstMs * 2 ** Math.min(failures, 50), limits.mostMs)
  return ceiling / 2 + (ceiling / 2) * chance
}
