// Lets a simulated cluster live at the pace of the world outside.
import type { Clock } from '../shell/clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How often the virtual clock is turned: what waits less than this fires together. */
const turnMs = 10
/** A turn that takes longer lets others go on (requests, watches); the virtual clock then runs late and catches up. */
const sliceMs = 10

/** Turns `clock` as `real` runs, from now on. The returned function ends it. */
export function keepPace(clock: VirtualClock, real: Clock): () => void {
  const offsetMs = real.monotonicMs() - clock.monotonicMs()
  let cancel = () => {}
  const turn = () => {
    const begunMs = real.monotonicMs()
    const dueMs = () => Math.floor(begunMs - offsetMs - clock.monotonicMs())
    let isLate = false
    for (let next = clock.nextInMs(); next !== undefined && next <= dueMs(); next = clock.nextInMs()) {
      clock.advanceToNext()
      isLate = real.monotonicMs() - begunMs > sliceMs
      if (isLate) break
    }
    if (!isLate && dueMs() > 0) clock.advance(dueMs())
    cancel = real.after(isLate ? 0 : turnMs, turn)
  }
  turn()
  return () => cancel()
}
