import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Taint, Toleration } from '../../src/core/cluster.ts'
import { matchesLabels } from '../../src/core/selectors.ts'
import { blockingTaint, tolerates } from '../../src/core/tolerations.ts'

describe('Selectors', () => {
  const cases: readonly [Record<string, string> | undefined, Record<string, string> | undefined, boolean][] = [
    [{}, {}, true],
    [{}, undefined, true],
    [undefined, { a: '1' }, true],
    [{ a: '' }, { a: '' }, true],
    [{ a: '' }, {}, false],
    [{ a: '1' }, { a: '1', b: '2' }, true],
    [{ a: '1', b: '3' }, { a: '1', b: '2' }, false],
  ]
  for (const [selector, labels, expected] of cases) {
    it(`${JSON.stringify(selector)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
      assert.equal(matchesLabels(selector, labels), expected)
    })
  }
})

describe('Tolerations', () => {
  const taint: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }
  const cases: readonly [Toleration, Taint, boolean][] = [
    [{ operator: 'Exists' }, taint, true],
    [{ key: 'gpu', operator: 'Exists' }, taint, true],
    [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, taint, false],
    [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }, taint, true],
    [{ key: 'gpu', value: 'yes' }, taint, true],
    [{ key: 'gpu', value: 'no' }, taint, false],
    [{ key: 'gpu' }, taint, false],
    [{ key: 'gpu' }, { key: 'gpu', effect: 'NoSchedule' }, true],
    [{ key: 'other', operator: 'Exists' }, taint, false],
    [{ key: 'gpu', operator: 'Gt', value: 'yes' }, taint, false],
    [{ key: 'gpu', operator: '', value: 'yes', effect: '' }, taint, true],
  ]
  for (const [toleration, of, expected] of cases) {
    it(`${JSON.stringify(toleration)} ${expected ? 'covers' : 'does not cover'} ${JSON.stringify(of)}`, () => {
      assert.equal(tolerates(toleration, of), expected)
    })
  }

  const taints: readonly [string, Taint, readonly Toleration[], boolean][] = [
    ['a cordon does not', { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }, [], false],
    ['memory pressure does not', { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' }, [], false],
    ['silence does not', { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }, [], false],
    ['not being ready does not', { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }, [], false],
    ['a wish to prefer other nodes does not', { key: 'gpu', effect: 'PreferNoSchedule' }, [], false],
    ['NoSchedule does', { key: 'gpu', effect: 'NoSchedule' }, [], true],
    ['NoExecute does', { key: 'gpu', effect: 'NoExecute' }, [], true],
    ['a missing network does', { key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }, [], true],
    ['a tolerated taint does not', { key: 'gpu', effect: 'NoExecute' }, [{ key: 'gpu', operator: 'Exists' }], false],
  ]
  for (const [sentence, one, tolerations, blocks] of taints) {
    it(`${sentence} keep the loader away`, () => {
      assert.deepEqual(blockingTaint([one], tolerations), blocks ? one : undefined)
    })
  }
})
