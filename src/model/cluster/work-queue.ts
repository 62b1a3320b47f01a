// What the controllers of a cluster share: keys that wait, once each, and are worked on a moment later, as after a watch event.
import type { Clock } from '../../shell/clock.ts'

type WorkQueue = {
  /** The key is worked on after the queue's delay, once, however often it is added until then. */
  add(key: string): void
  /** Additionally after this time. The earliest wish wins. */
  addAfter(key: string, delayMs: number): void
}

/** @param delayMs time between a change and the look at it: one trip through a watch. */
export function createWorkQueue(clock: Clock, delayMs: number, work: (key: string) => void): WorkQueue {
  const ready = new Set<string>()
  const later = new Map<string, { readonly atMs: number; readonly cancel: () => void }>()
  let isScheduled = false

  const drain = () => {
    isScheduled = false
    const keys = [...ready]
    ready.clear()
    for (const key of keys) work(key)
  }
  const add = (key: string) => {
    ready.add(key)
    if (isScheduled) return
    isScheduled = true
    clock.after(delayMs, drain)
  }
  return {
    add,
    addAfter(key, afterMs) {
      const atMs = clock.nowMs() + afterMs
      const known = later.get(key)
      if (known !== undefined && known.atMs <= atMs) return
      known?.cancel()
      const cancel = clock.after(afterMs, () => {
        later.delete(key)
        add(key)
      })
      later.set(key, { atMs, cancel })
    },
  }
}
