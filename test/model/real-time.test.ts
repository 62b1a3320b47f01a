import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepPace } from '../../src/model/real-time.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import type { Clock } from '../../src/shell/clock.ts'

/** A real clock of which the test is the world: `run` lets it go on, and work takes time when the work says so. */
function world() {
  let nowMs = 5000
  let due: { atMs: number; callback: () => void } | undefined
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, callback) => {
      const mine = { atMs: nowMs + delayMs, callback }
      due = mine
      return () => {
        if (due === mine) due = undefined
      }
    },
  }
  return {
    clock,
    work: (ms: number) => {
      nowMs += ms
    },
    run: (ms: number) => {
      const endMs = nowMs + ms
      for (let next = due; next !== undefined && next.atMs <= endMs; next = due) {
        due = undefined
        nowMs = Math.max(nowMs, next.atMs)
        next.callback()
      }
      nowMs = Math.max(nowMs, endMs)
    },
  }
}

describe('a simulated cluster at the pace of the world', () => {
  it('lives as long as the world does, a few milliseconds behind', () => {
    const real = world()
    const clock = createVirtualClock(0)
    const end = keepPace(clock, real.clock)
    const fired: number[] = []
    for (const ms of [3, 400, 401, 999, 1100]) clock.after(ms, () => fired.push(ms))
    real.run(1000)
    assert.ok(clock.monotonicMs() > 985 && clock.monotonicMs() <= 1000, String(clock.monotonicMs()))
    assert.deepEqual(fired, [3, 400, 401].concat(clock.monotonicMs() >= 999 ? [999] : []))
    end()
    real.run(1000)
    assert.ok(clock.monotonicMs() <= 1000)
  })

  it('lets others go on when it has much to do, and catches up when it can', () => {
    const real = world()
    const clock = createVirtualClock(0)
    for (let index = 0; index < 100; index++) clock.after(10, () => real.work(10))
    keepPace(clock, real.clock)
    real.run(10)
    assert.equal(clock.pending(), 98, 'two of ten milliseconds are a slice')
    real.run(1200)
    assert.equal(clock.pending(), 0)
    assert.ok(real.clock.monotonicMs() - 5000 - clock.monotonicMs() <= 20)
  })
})
