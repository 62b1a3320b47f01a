// Lets promises run without letting time pass: the clock is turned by hand.
import type { VirtualClock } from '../../src/model/virtual-clock.ts'

/** Everything that can go on without a timer has gone on afterwards. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Turns the clock timer by timer, so that what a timer starts can go on before the next one, and stands `ms` later. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const endMs = clock.monotonicMs() + ms
  await settle()
  for (;;) {
    const next = clock.nextInMs()
    if (next === undefined || clock.monotonicMs() + next > endMs) break
    clock.advanceToNext()
    await settle()
  }
  clock.advance(endMs - clock.monotonicMs())
  await settle()
}
