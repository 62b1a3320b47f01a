import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Pod } from '../../../src/core/cluster.ts'
import { judgeFinalizer } from '../../../src/core/node/finalizer.ts'
import { aNode, aPod, deepFreeze, nowMs } from '../../builders.ts'

const deleted = '2026-01-01T00:50:00Z'
const ended = (message: string, extra: object = {}) => ({
  state: { terminated: { exitCode: 0, startedAt: '2026-01-01T00:00:02Z', finishedAt: '2026-01-01T00:50:03Z', message } },
  ...extra,
})
type Case = {
  readonly says: string
  readonly pod: Parameters<typeof aPod>[0]
  readonly node?: ReturnType<typeof aNode> | undefined
  readonly endOfService?: boolean
  readonly failedPreStop?: boolean
  readonly verdict: 'release' | 'wait' | 'hold'
}

const wasReady = { ready: false, readySince: '2026-01-01T00:50:03Z' } as const
const neverReady = { ready: false, readySince: '2026-01-01T00:00:01Z' } as const

const cases: readonly Case[] = [
  {
    says: 'a loader that said it unloaded is released',
    pod: { ...wasReady, container: ended('kmm unloaded boot-1') },
    verdict: 'release',
  },
  {
    says: 'a loader whose load failed is released',
    pod: { ...neverReady, container: ended('kmm load failed boot-1\nmodprobe: FATAL') },
    verdict: 'release',
  },
  {
    says: 'a loader whose unload failed is held',
    pod: { ...wasReady, container: ended('kmm unload failed boot-1\nmodprobe: FATAL: Module x is in use.') },
    verdict: 'hold',
  },
  {
    says: 'a loader that was killed after it said loaded is held',
    pod: { ...wasReady, container: ended('kmm loaded boot-1') },
    verdict: 'hold',
  },
  { says: 'a loader that was ready and says nothing is held', pod: { ...wasReady, container: ended('') }, verdict: 'hold' },
  {
    says: 'a loader that was never ready and says nothing is released',
    pod: { ...neverReady, container: ended('') },
    verdict: 'release',
  },
  {
    says: 'a failed unload of an earlier boot is released',
    pod: { ...wasReady, container: ended('kmm unload failed boot-0\nin use') },
    verdict: 'release',
  },
  {
    says: 'a load that failed after an earlier container of the pod had loaded, in the same boot, is held',
    pod: {
      ...wasReady,
      container: ended('kmm load failed boot-1', { lastState: { terminated: { exitCode: 137, message: 'kmm loaded boot-1' } } }),
    },
    verdict: 'hold',
  },
  {
    says: 'a load that failed after an earlier container had loaded in an earlier boot is released',
    pod: {
      ...wasReady,
      container: ended('kmm load failed boot-1', { lastState: { terminated: { exitCode: 137, message: 'kmm loaded boot-0' } } }),
    },
    verdict: 'release',
  },
  { says: 'while the container runs nothing is decided', pod: {}, verdict: 'wait' },
  {
    says: 'while the container runs nothing is decided, though its startup probe has not succeeded yet',
    pod: { ...neverReady, container: { started: false, state: { running: { startedAt: '2026-01-01T00:00:02Z' } } } },
    verdict: 'wait',
  },
  {
    says: 'a loader that said it loaded and ended before its startup probe succeeded is held',
    pod: { ...neverReady, container: ended('kmm loaded boot-1') },
    verdict: 'hold',
  },
  {
    says: 'a loader that was probed once more when it ended, and says nothing, is held',
    pod: { ready: false, readySince: '2026-01-01T00:40:00Z', container: ended('', { started: false }) },
    verdict: 'hold',
  },
  {
    says: 'while a hook may run (ContainerCreating) nothing is decided',
    pod: { ...neverReady, deleted: '2026-01-01T01:10:00Z', container: { state: { waiting: { reason: 'ContainerCreating' } } } },
    verdict: 'wait',
  },
  {
    says: 'a pod whose image never came is released',
    pod: { ...neverReady, container: { state: { waiting: { reason: 'ImagePullBackOff' } } } },
    verdict: 'release',
  },
  {
    says: 'a pod that never started is released when its grace period is long over (kubelets before 1.27)',
    pod: { ...neverReady, container: { state: { waiting: { reason: 'ContainerCreating' } } } },
    verdict: 'release',
  },
  {
    says: 'on a node that is not ready nothing is released',
    pod: { ...wasReady, container: ended('kmm unloaded boot-1') },
    node: aNode({ ready: 'Unknown' }),
    verdict: 'wait',
  },
  {
    says: 'where the node is gone the pod is released',
    pod: { ...wasReady, container: ended('kmm unload failed boot-1') },
    node: undefined,
    verdict: 'release',
  },
  {
    says: 'where the node was made again after the pod was bound the pod is released',
    pod: { ...wasReady, container: ended('kmm loaded boot-1') },
    node: aNode({ born: '2026-01-01T00:30:00Z' }),
    verdict: 'release',
  },
  {
    says: 'where the namespace or the kind is going away the pod is released',
    pod: { ...wasReady, container: ended('kmm unload failed boot-1') },
    endOfService: true,
    verdict: 'release',
  },
  { says: 'an adopted device plugin is released at once', pod: { operand: 'plugin' }, verdict: 'release' },
  { says: 'an adopted loader waits for its end', pod: { inputs: null }, verdict: 'wait' },
  {
    says: 'an adopted loader is released at its end',
    pod: { inputs: null, ...wasReady, container: ended('') },
    verdict: 'release',
  },
  {
    says: 'an adopted loader whose preStop hook failed is held',
    pod: { inputs: null, ...wasReady, container: ended('') },
    failedPreStop: true,
    verdict: 'hold',
  },
]

describe('pod finalizer', () => {
  for (const { says, pod, verdict, endOfService = false, failedPreStop = false, ...rest } of cases) {
    it(says, () => {
      const node = 'node' in rest ? rest.node : aNode()
      const seen: Pod = deepFreeze(aPod({ deleted, ...pod }))
      assert.equal(judgeFinalizer(seen, { node, endOfService, failedPreStop, nowMs }).do, verdict)
    })
  }

  it('the words of a failed unload are kept', () => {
    const pod = aPod({ deleted, ...wasReady, container: ended('kmm unload failed boot-1\nmodprobe: FATAL: Module x is in use.') })
    const verdict = judgeFinalizer(pod, { node: aNode(), endOfService: false, failedPreStop: false, nowMs })
    assert.equal(verdict.do === 'hold' ? verdict.words : '', 'modprobe: FATAL: Module x is in use.')
  })
})
