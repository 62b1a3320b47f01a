import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readyLabels } from '../../../src/core/node/ready-labels.ts'
import { aNode, aPod, deepFreeze } from '../../builders.ts'

const ready = { 'kmm.node.kubernetes.io/drivers.driver.ready': '', 'kmm.node.kubernetes.io/driver.ready': '' }
const pluginReady = {
  'kmm.node.kubernetes.io/drivers.driver.device-plugin-ready': '',
  'kmm.node.kubernetes.io/driver.device-plugin-ready': '',
}
const labelsOf = (node: ReturnType<typeof aNode>, ...pods: readonly ReturnType<typeof aPod>[]) =>
  readyLabels(deepFreeze(node), deepFreeze([...pods]), () => [], nowMs)
const nowMs = Date.parse('2026-01-01T01:00:00Z')

describe('ready labels', () => {
  it('a ready loader gives both spellings', () => assert.deepEqual(labelsOf(aNode(), aPod()), ready))
  it('a ready device plugin gives its own two', () =>
    assert.deepEqual(labelsOf(aNode(), aPod({ operand: 'plugin' })), pluginReady))
  it('a ready device plugin does not keep the loader label of a dead loader', () =>
    assert.deepEqual(
      labelsOf(
        aNode({ labels: { ...ready } }),
        aPod({ ready: false, container: { state: { waiting: { reason: 'CrashLoopBackOff' } } } }),
        aPod({ operand: 'plugin' }),
      ),
      pluginReady,
    ))
  it('a loader that is not ready gives none', () => assert.deepEqual(labelsOf(aNode(), aPod({ ready: false })), {}))
  it('a loader that is being deleted gives none, though it is still ready', () =>
    assert.deepEqual(labelsOf(aNode({ labels: { ...ready } }), aPod({ deleted: '2026-01-01T00:50:00Z' })), {}))
  it('the same Module name in another namespace has a label of its own', () =>
    assert.deepEqual(labelsOf(aNode(), aPod({ namespace: 'other' })), {
      'kmm.node.kubernetes.io/other.driver.ready': '',
      'kmm.node.kubernetes.io/driver.ready': '',
    }))

  it('a loader gives none while that of another Module has the same kernel module, and is not finished', () => {
    const [pod, ending] = [aPod(), aPod({ module: 'other', deleted: '2026-01-01T00:50:00Z' })]
    assert.deepEqual(
      readyLabels(aNode(), [pod, ending], one => (one === pod ? [ending] : [pod]), nowMs),
      {},
    )
    assert.deepEqual(
      readyLabels(aNode(), [pod, ending], () => [], nowMs),
      ready,
    )
  })

  it('a loader that was ready before its Node was made anew gives none until the new kubelet has had a minute to tell', () => {
    const born = '2026-01-01T00:30:00Z'
    const made = { ...aNode(), metadata: { ...aNode().metadata, creationTimestamp: born } }
    const pod = aPod({ container: { state: { running: { startedAt: '2026-01-01T00:00:02Z' } } } })
    const at = (time: string, started = pod) => readyLabels(made, [started], () => [], Date.parse(time))
    assert.deepEqual(at('2026-01-01T00:30:59Z'), {})
    assert.deepEqual(at('2026-01-01T00:31:01Z'), ready)
    const anew = aPod({ container: { state: { running: { startedAt: '2026-01-01T00:30:10Z' } } } })
    assert.deepEqual(at('2026-01-01T00:30:20Z', anew), ready)
  })

  it('a silent node keeps its labels as they are', () =>
    assert.deepEqual(labelsOf(aNode({ ready: 'Unknown', labels: { ...ready, other: 'x' } }), aPod({ ready: false })), ready))
  it('a silent node gets no new label', () => assert.deepEqual(labelsOf(aNode({ ready: 'Unknown' }), aPod()), {}))

  const back = { readySince: '2026-01-01T00:40:00Z', labels: { ...ready } }
  it('after silence the label stays until the kubelet has reported', () =>
    assert.deepEqual(labelsOf(aNode(back), aPod({ ready: false, readySince: '2026-01-01T00:30:00Z' })), ready))
  it('after silence a container that started anew is judged by its own readiness', () =>
    assert.deepEqual(
      labelsOf(
        aNode(back),
        aPod({
          ready: false,
          readySince: '2026-01-01T00:30:00Z',
          container: { state: { running: { startedAt: '2026-01-01T00:40:02Z' } } },
        }),
      ),
      {},
    ))
  it('after a reboot a container that is not running takes the label away', () =>
    assert.deepEqual(
      labelsOf(
        aNode(back),
        aPod({
          ready: false,
          readySince: '2026-01-01T00:30:00Z',
          container: { state: { waiting: { reason: 'PostStartHookError' } } },
        }),
      ),
      {},
    ))

  const running = { state: { running: { startedAt: '2026-01-01T00:00:02Z' } } }
  for (const [says, readySince, container, labels, wanted] of [
    ['a running loader whose startup probe never succeeded gives none', '2026-01-01T00:00:00Z', { started: false }, {}, {}],
    ['nor does it keep the label of an earlier one', '2026-01-01T00:00:00Z', { started: false }, ready, {}],
    [
      'a loader that a restarted kubelet probes once more keeps its label',
      '2026-01-01T00:05:03Z',
      { started: false },
      ready,
      ready,
    ],
    ['and gets it where the restart hid that it was loaded', '2026-01-01T00:05:03Z', { started: false }, {}, ready],
    ['but not one that is so young that it may not have loaded', '2026-01-01T00:05:02Z', { started: false }, ready, {}],
    ['nor one that is not ready for another reason', '2026-01-01T00:05:03Z', { started: true }, ready, {}],
  ] as const) {
    it(says, () => {
      const pod = aPod({ ready: false, readySince, container: { ...running, ...container } })
      assert.deepEqual(labelsOf(aNode({ labels }), pod), wanted)
    })
  }
  for (const [says, options] of [
    ['a loader that is being deleted', { deleted: '2026-01-01T00:50:00Z', finalizers: [] }],
    ['an adopted loader', { inputs: null }],
    ['a device plugin', { operand: 'plugin' }],
  ] as const) {
    it(`${says} keeps no label by being probed once more`, () => {
      const container = { ...running, started: false }
      const pod = aPod({ ready: false, readySince: '2026-01-01T00:30:00Z', container, ...options })
      assert.deepEqual(labelsOf(aNode({ labels: { ...ready, ...pluginReady } }), pod), {})
    })
  }

  it('a new loader is not ready while an older one is held on the node', () =>
    assert.deepEqual(
      labelsOf(
        aNode(),
        aPod({ name: 'old', phase: 'Failed', ready: false, deleted: '2026-01-01T00:50:00Z' }),
        aPod({ name: 'new' }),
      ),
      {},
    ))
  it('the label of a Module without pods on a ready node goes', () =>
    assert.deepEqual(labelsOf(aNode({ labels: { ...ready } })), {}))
})
