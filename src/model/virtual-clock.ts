// A clock turned by hand: no real timer ever runs. Timers fire in the order of their time, and of their creation when equal, so that a
// simulation with the same inputs is the same simulation.
import type { Clock } from '../shell/clock.ts'

export type VirtualClock = Clock & {
  /** Fires everything due within `ms` (also what these timers set), then stands `ms` later. */
  advance(ms: number): void
  /** Goes to the next timer and fires that one alone; false when there is none. */
  advanceToNext(): boolean
  /** Milliseconds until the next timer; undefined when there is none. */
  nextInMs(): number | undefined
  /** How many timers wait. */
  pending(): number
}

type Timer = { readonly atMs: number; readonly order: number; callback: (() => void) | undefined }

/** Timers that fire at one instant before the clock gives up: something wakes itself without letting time pass. */
const sameInstantLimit = 1_000_000

const isBefore = (a: Timer, b: Timer) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** @param startMs wall clock at the beginning, milliseconds since the epoch. */
export function createVirtualClock(startMs: number): VirtualClock {
  const heap: Timer[] = []
  let nowMs = startMs
  let order = 0
  let cancelled = 0
  let sameInstant = 0

  const next = (): Timer | undefined => {
    while (heap[0] !== undefined && heap[0].callback === undefined) {
      pop(heap)
      cancelled--
    }
    return heap[0]
  }

  const fire = (timer: Timer) => {
    pop(heap)
    const callback = timer.callback
    timer.callback = undefined
    sameInstant = timer.atMs > nowMs ? 0 : sameInstant + 1
    if (sameInstant > sameInstantLimit)
      throw new Error(`The virtual clock stands still: ${sameInstantLimit} timers fired at one instant`)
    nowMs = Math.max(nowMs, timer.atMs)
    callback?.()
  }

  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    after(delayMs, callback) {
      const timer: Timer = { atMs: nowMs + Math.max(0, Math.ceil(delayMs)), order: order++, callback }
      push(heap, timer)
      return () => {
        if (timer.callback === undefined) return
        timer.callback = undefined
        cancelled++
      }
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (let timer = next(); timer !== undefined && timer.atMs <= endMs; timer = next()) fire(timer)
      nowMs = endMs
    },
    advanceToNext() {
      const timer = next()
      if (timer === undefined) return false
      fire(timer)
      return true
    },
    nextInMs() {
      const timer = next()
      return timer === undefined ? undefined : timer.atMs - nowMs
    },
    pending: () => heap.length - cancelled,
  }
}

// A binary heap: a cluster of thousands of kubelets keeps tens of thousands of timers.
function push(heap: Timer[], timer: Timer): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (parent === undefined || !isBefore(timer, parent)) break
    heap[at] = parent
    at = parentAt
  }
  heap[at] = timer
}

function pop(heap: Timer[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    const leftAt = 2 * at + 1
    const left = heap[leftAt]
    if (left === undefined) break
    const right = heap[leftAt + 1]
    const [childAt, child] = right !== undefined && isBefore(right, left) ? [leftAt + 1, right] : [leftAt, left]
    if (!isBefore(child, last)) break
    heap[at] = child
    at = childAt
  }
  heap[at] = last
}
