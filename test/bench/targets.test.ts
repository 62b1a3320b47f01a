// A target that was missed must not look like one that was met.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Result } from '../../bench/scale/run.ts'
import { judge } from '../../bench/scale/targets.ts'
import { result, simulated } from './builders.ts'

const missed = (results: readonly Result[]) =>
  judge(results, [])
    .filter(({ isMet }) => !isMet)
    .map(({ target, where, measured }) => `${target} (${where}): ${measured}`)

/** The result with each of its scenarios changed. */
const changed = (base: Result, more: Partial<Result['measured'][number]>): Result => ({
  ...base,
  measured: base.measured.map(measured => ({ ...measured, ...more })),
})
const fit = (exponent: number) => ({ exponent, factor: 1, error: 0.05 })
const shape = (nodes: number, modules: number): Result['shape'] => ({ nodes, modules, kernels: 2, devicePlugin: false })

describe('the targets of the scale benchmark', () => {
  const good = result(100, { 'patch nodes': 100 })

  it('are met by a good result', () => {
    assert.deepEqual(missed([good]), [])
    assert.ok(judge([good], []).length >= 5)
  })

  it('are missed by one write too many, or one where none is allowed', () => {
    // 100 nodes, 10 for each of two kernels, and a status at once and in each of 10 s.
    assert.deepEqual(missed([changed(good, { seconds: 10, writes: 122 })]), [])
    assert.deepEqual(missed([changed(good, { seconds: 10, writes: 123 })]), ['writes of a fresh rollout (100 x 1 x 2): 123'])
    const restarted = { ...good, measured: [{ ...good.measured[0], scenario: 'operator restart', writes: 1 }] } as Result
    assert.deepEqual(missed([restarted]), ['writes: operator restart (100 x 1 x 2): 1'])
  })

  it('are missed by a get, a late answer and a Lease that was nearly lost', () => {
    assert.deepEqual(missed([result(100, { 'get nodes': 2 })]), ['gets after the start (100 x 1 x 2): 4'])
    assert.deepEqual(missed([{ ...good, health: { asked: 9, missed: 1, slowestMs: 1000 } }]), [
      '/healthz missed (100 x 1 x 2): 1',
    ])
    assert.deepEqual(missed([{ ...good, lease: { renewals: 9, longestSeconds: 10.1 } }]), [
      'seconds between renewals of the Lease (100 x 1 x 2): 10.1',
    ])
  })

  it('are missed by what takes too long beside the floor, at the sizes that have such a target', () => {
    const slow = { seconds: 1.4, latency: { pairs: 9, p50Ms: 1, p99Ms: 3.2 } }
    assert.deepEqual(missed([changed({ ...good, shape: shape(1000, 1) }, slow)]), [
      'p99 from pod to label, times the floor (1000 x 1 x 2): 1.60',
      'rollout, times the floor (1000 x 1 x 2): 1.40',
    ])
    assert.deepEqual(missed([changed({ ...good, simulated }, slow)]), [])
  })

  it('are missed by too much memory: in MB, not MiB', () => {
    const big = { ...good, shape: shape(2000, 5) }
    assert.deepEqual(missed([changed(big, { peakMiB: 244 })]), [])
    assert.deepEqual(missed([changed(big, { peakMiB: 245 })]), ['resident memory, MB (2000 x 5 x 2): 257'])
    const huge = { ...good, simulated, shape: shape(5000, 10) }
    assert.deepEqual(missed([changed(huge, { peakMiB: 489 })]), ['resident memory, MB (5000 x 10 x 2, simulated): 513'])
  })

  it('are missed by what grows faster than the nodes', () => {
    const growth = { where: 'here', fits: [['requests', fit(1.1)] as const, ['CPU', fit(1.11)] as const] }
    assert.deepEqual(
      judge([], [growth]).map(({ target, isMet }) => [target, isMet]),
      [
        ['exponent of CPU', false],
        ['exponent of requests', true],
      ],
    )
  })
})
