import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { retryAfterMs } from '../../src/shell/kube/backoff.ts'
import { KeyQueue } from '../../src/shell/loop/queue.ts'

function setUp(options: { coalesceMs?: number; chance?: number } = {}) {
  const clock = createVirtualClock(0)
  let ready = 0
  const queue = new KeyQueue({
    clock,
    chance: () => options.chance ?? 1,
    limits: { firstMs: 5, mostMs: 300_000 },
    coalesceMs: options.coalesceMs ?? 0,
    onReady: () => {
      ready += 1
    },
  })
  const takeAll = () => {
    const keys: string[] = []
    for (let key = queue.take(); key !== undefined; key = queue.take()) keys.push(key)
    return keys
  }
  /** A whole pass over the key, the only one that waits. */
  const pass = (key: string, workMs: number) => {
    queue.add(key)
    assert.deepEqual(takeAll(), [key])
    queue.done(key, workMs)
  }
  return { clock, queue, takeAll, pass, readyCalls: () => ready }
}

describe('The queue of keys', () => {
  it('gives keys in the order in which they came, each once', () => {
    const { queue, takeAll, readyCalls } = setUp()
    for (const key of ['b', 'a', 'b', 'c']) queue.add(key)
    assert.equal(queue.size, 3)
    assert.deepEqual(takeAll(), ['b', 'a', 'c'])
    assert.equal(readyCalls(), 3)
  })

  it('does not give out a key that is in work, but once more when it is done', () => {
    const { queue, takeAll } = setUp()
    queue.add('a')
    assert.equal(queue.take(), 'a')
    queue.add('a')
    queue.add('a')
    assert.deepEqual(takeAll(), [])
    assert.equal(queue.size, 1)
    queue.done('a')
    assert.deepEqual(takeAll(), ['a'])
    queue.done('a')
    assert.ok(queue.idle)
  })

  it('rests longer between long passes, so that they take a tenth of the time, whatever their number', () => {
    const { queue, clock, takeAll, pass } = setUp({ coalesceMs: 500 })
    pass('a', 40)
    pass('b', 60)
    queue.add('a')
    clock.advance(999)
    assert.deepEqual(takeAll(), [], 'ten times the work of both')
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'])
    queue.done('a')
    queue.add('a')
    clock.advance(999)
    assert.deepEqual(takeAll(), [], 'a pass that was cut short does not tell how long a whole one is')
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'])
    queue.done('a', 60_000)
    queue.add('a')
    clock.advance(9_999)
    assert.deepEqual(takeAll(), [], 'not before 10 s')
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'], 'never for more than 10 s')
    queue.done('a', 1)
    pass('b', 1)
    queue.add('b')
    clock.advance(500)
    assert.deepEqual(takeAll(), ['b'], 'short passes are at the usual distance again')
  })

  it('forgets the long pass of a key that is not woken any more', () => {
    const { queue, clock, takeAll, pass } = setUp({ coalesceMs: 500 })
    pass('quiet', 60_000)
    pass('busy', 1)
    queue.add('busy')
    clock.advance(9_999)
    assert.deepEqual(takeAll(), [])
    clock.advance(1)
    assert.deepEqual(takeAll(), ['busy'])
    queue.done('busy', 1)
    queue.add('busy')
    clock.advance(500)
    assert.deepEqual(takeAll(), ['busy'])
  })

  it('adds a key after the earliest of several times', () => {
    const { queue, clock, takeAll } = setUp()
    queue.addAfter('a', 300)
    queue.addAfter('a', 100)
    queue.addAfter('a', 200)
    assert.ok(queue.idle)
    clock.advance(99)
    assert.deepEqual(takeAll(), [])
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'])
    queue.done('a')
    clock.advance(1000)
    assert.deepEqual(takeAll(), [], 'the later times are forgotten')
  })

  it('keeps one timer per key, and none for a key that is ready', () => {
    const { queue, clock } = setUp()
    queue.addAfter('a', 300)
    queue.addAfter('a', 100)
    assert.equal(clock.pending(), 1)
    queue.add('a')
    assert.equal(clock.pending(), 0)
    queue.addAfter('a', 50)
    assert.equal(clock.pending(), 0)
  })

  it('doubles the back-off of a key up to five minutes, and starts anew after a success', () => {
    const { queue } = setUp()
    const waits = Array.from({ length: 18 }, () => queue.retry('a'))
    assert.deepEqual(waits.slice(0, 4), [5, 10, 20, 40])
    assert.equal(waits.at(-1), 300_000)
    assert.equal(queue.retry('b'), 5, 'another key has its own')
    queue.succeeded('a')
    assert.equal(queue.retry('a'), 5)
  })

  it('waits as long as the server asks for, if that is longer than the back-off', () => {
    const { queue, clock, takeAll } = setUp()
    assert.equal(queue.retry('a', 2_000), 2_000)
    clock.advance(1_999)
    assert.deepEqual(takeAll(), [])
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'])
  })

  it('makes one pass of a burst of changes', () => {
    const { queue, clock, takeAll } = setUp({ coalesceMs: 1_000 })
    queue.add('a')
    assert.deepEqual(takeAll(), ['a'], 'the first is not delayed')
    queue.add('a')
    queue.done('a')
    for (let passed = 0; passed < 1_000; passed += 100) {
      queue.add('a')
      assert.deepEqual(takeAll(), [])
      clock.advance(100)
    }
    assert.deepEqual(takeAll(), ['a'])
  })

  it('gives out nothing after it was closed', () => {
    const { queue, clock, takeAll } = setUp()
    queue.add('a')
    queue.addAfter('b', 10)
    queue.close()
    queue.add('c')
    clock.advance(1_000)
    assert.deepEqual(takeAll(), [])
    assert.equal(clock.pending(), 0)
  })

  it('loses no key and works on none twice at once, whatever happens in whatever order', () => {
    const keys = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom('add', 'retry', 'done'), key: keys, ms: fc.nat(50) }),
      fc.record({ do: fc.constantFrom('addAfter', 'take', 'pass'), key: keys, ms: fc.nat(50) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 20), (steps, coalesceMs) => {
        const { queue, clock } = setUp({ coalesceMs })
        const busy = new Set<string>()
        const owed = new Set<string>()
        const take = () => {
          const key = queue.take()
          if (key === undefined) return false
          assert.ok(!busy.has(key), `${key} is in work twice`)
          busy.add(key)
          owed.delete(key)
          return true
        }
        const finish = (key: string) => {
          if (busy.delete(key)) queue.done(key)
        }
        for (const step of steps) {
          if (step.do === 'take') take()
          if (step.do === 'pass') clock.advance(step.ms)
          if (step.do === 'done') finish(step.key)
          if (step.do === 'add') queue.add(step.key)
          if (step.do === 'addAfter') queue.addAfter(step.key, step.ms)
          if (step.do === 'retry') queue.retry(step.key)
          if (['add', 'addAfter', 'retry'].includes(step.do)) owed.add(step.key)
        }
        for (let round = 0; round < 20; round++) {
          for (const key of busy) finish(key)
          clock.advance(10_000_000)
          while (take());
        }
        assert.deepEqual([...owed], [], 'a key was never given out')
      }),
      { numRuns: 500 },
    )
  })
})

describe('The back-off', () => {
  it('leaves half of the time to chance', () => {
    const limits = { firstMs: 100, mostMs: 1_000 }
    assert.deepEqual(
      [0, 1, 2, 3, 4, 2_000].map(failures => [retryAfterMs(failures, 0, limits), retryAfterMs(failures, 0.5, limits)]),
      [
        [50, 75],
        [100, 150],
        [200, 300],
        [400, 600],
        [500, 750],
        [500, 750],
      ],
    )
  })
})
