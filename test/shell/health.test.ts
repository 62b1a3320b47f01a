import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WatchState } from '../../src/shell/kube/list-watch.ts'
import { judgeHealth, Successes } from '../../src/shell/loop/health.ts'

const minute = 60_000
const heard = (atMs: number | undefined, more: Partial<WatchState> = {}): WatchState => ({
  synced: true,
  lastHeardMs: atMs,
  lastAnswerMs: atMs,
  resourceVersion: '1',
  failures: 0,
  ...more,
})

/** One success a minute, from one time to another. */
function successes(...streaks: readonly (readonly [who: string, fromMs: number, toMs: number])[]): Successes {
  const noted = new Successes()
  for (const [who, fromMs, toMs] of streaks) for (let atMs = fromMs; atMs <= toMs; atMs += minute) noted.note(who, atMs)
  return noted
}

describe('Health', () => {
  it('is good when every watch was heard of lately', () => {
    const watches = [{ name: 'pods', state: heard(9 * minute) }]
    assert.deepEqual(judgeHealth(watches, successes(), 0, 10 * minute), { ready: true, alive: true, reasons: [] })
  })

  it('is not ready until all is listed', () => {
    const watches = [{ name: 'pods', state: heard(minute, { synced: false }) }]
    assert.deepEqual(judgeHealth(watches, successes(), 0, minute), {
      ready: false,
      alive: true,
      reasons: ['pods are not listed yet'],
    })
  })

  it('is dead when a watch has been silent for five minutes although others were answered', () => {
    const watches = [
      { name: 'pods', state: heard(minute) },
      { name: 'nodes', state: heard(10 * minute) },
    ]
    const { alive, ready, reasons } = judgeHealth(watches, successes(['nodes', 0, 10 * minute]), 0, 10 * minute)
    assert.deepEqual([alive, ready], [false, false])
    assert.deepEqual(reasons, ['the watch of pods has been silent for 540 s although other requests were answered'])
  })

  it('counts a watch that was never answered from the start', () => {
    const watches = [{ name: 'pods', state: heard(undefined, { synced: false }) }]
    assert.equal(judgeHealth(watches, successes(['nodes', 0, 4 * minute]), 0, 4 * minute).alive, true)
    assert.equal(judgeHealth(watches, successes(['nodes', 0, 6 * minute]), 0, 6 * minute).alive, false)
  })

  it('is only not ready while the API server is unreachable', () => {
    const watches = [
      { name: 'pods', state: heard(minute) },
      { name: 'nodes', state: heard(minute) },
    ]
    const { alive, ready } = judgeHealth(watches, successes(['pods', 0, minute], ['nodes', 0, minute]), 0, 20 * minute)
    assert.deepEqual([alive, ready], [true, false])
  })

  it('is not ready as soon as a watch failed three times in a row, until something comes again', () => {
    const of = (failures: number, heardMs: number) => [
      { name: 'pods', state: heard(heardMs, { failures, lastFailedMs: minute }) },
    ]
    const judged = (failures: number, heardMs: number) => judgeHealth(of(failures, heardMs), successes(), 0, minute).reasons
    assert.deepEqual(judged(2, minute - 1), [])
    assert.deepEqual(judged(3, minute - 1), ['pods cannot be watched: 3 attempts in a row have failed'])
    assert.deepEqual(judged(3, minute + 1), [])
  })

  it('is not dead right after an outage, when one watch comes back before the other', () => {
    const watches = [
      { name: 'pods', state: heard(minute) },
      { name: 'nodes', state: heard(20 * minute) },
    ]
    const noted = successes(['nodes', 0, minute], ['nodes', 19 * minute, 20 * minute])
    assert.equal(judgeHealth(watches, noted, 0, 20 * minute).alive, true)
    noted.note('nodes', 21 * minute)
    assert.equal(judgeHealth(watches, noted, 0, 21 * minute).alive, false)
  })

  it('is not dead because a watch is refused: an answer is an answer', () => {
    const watches = [{ name: 'pods', state: heard(minute, { synced: false, lastAnswerMs: 10 * minute }) }]
    const { alive, reasons } = judgeHealth(watches, successes(['nodes', 0, 10 * minute]), 0, 10 * minute)
    assert.deepEqual([alive, reasons], [true, ['pods are not listed yet']])
  })
})
