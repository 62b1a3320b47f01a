// What the controllers of a cluster share: keys that wait, once each, and are worked on a moment later, as after a watch event.
import type { Clock } from '../../shell/clock.ts'

type WorkQueue = {
  /** The key is worked on after the queue's delay, once, however often it is added until then. */
  add(key: string): void
  /** Additionally after this time. The earliest wish wins. */
  addAfter(key: string, delayMs: number): void
}

/** Keys of which each costs a write or two. */
const quickKeys = 25

/**
 * @param delayMs time between a change and the look at it: one trip through a watch.
 * @param atOnce keys worked on by one timer. A served cluster answers requests between two timers; ten thousand keys take seconds, in which
 * its clients would lose their leases.
 */
export function createWorkQueue(
  clock: Clock,
  delayMs: number,
  work: (key: string) => void,
  atOnce: number = quickKeys,
): WorkQueue {
  const ready = new Set<string>()
  const later = new Map<string, { readonly atMs: number; readonly cancel: () => void }>()
  /** What is being worked on, the next one last. */
  let due: string[] = []
  let isScheduled = false

  const schedule = (afterMs: number) => {
    isScheduled = true
    clock.after(afterMs, drain)
  }
  const drain = () => {
    if (due.length === 0) {
      due = [...ready].reverse()
      ready.clear()
    }
    try {
      for (let worked = 0; worked < atOnce; worked++) {
        const key = due.pop()
        if (key === undefined) break
        work(key)
      }
    } finally {
      isScheduled = false
      if (due.length > 0) schedule(0)
      else if (ready.size > 0) schedule(delayMs)
    }
  }
  const add = (key: string) => {
    ready.add(key)
    if (!isScheduled) schedule(delayMs)
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
