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

/** The kubelet found no container when it ended the pod. */
const lost = {
  ready: false,
  startTime: '2026-01-01T00:00:01Z',
  container: { state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } },
} as const
const endedAt = (finishedAt: string) => ({
  state: { terminated: { exitCode: 137, startedAt: '2026-01-01T00:00:02Z', finishedAt } },
})
const reborn = () => aNode({ born: '2026-01-01T00:30:00Z' })

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
    pod: { ...wasReady, container: ended('kmm loaded boot-0') },
    node: reborn(),
    verdict: 'release',
  },
  {
    says: 'where the Node object was made again in the same boot a running loader waits for its end',
    pod: { deleted: '2026-01-01T01:09:00Z' },
    node: reborn(),
    verdict: 'wait',
  },
  {
    says: 'where the Node object was made again in the same boot a failed unload is held',
    pod: { ...wasReady, container: ended('kmm unload failed boot-1') },
    node: reborn(),
    verdict: 'hold',
  },
  {
    says: 'where the Node object was made again a loader that ended after that, without words, is held',
    pod: { ...wasReady, container: ended('') },
    node: reborn(),
    verdict: 'hold',
  },
  {
    says: 'where the Node object was made again a loader that had ended before that, without words, is released',
    pod: { ...wasReady, container: ended('') },
    node: aNode({ born: '2026-01-01T00:55:00Z' }),
    verdict: 'release',
  },
  {
    says: 'where the node was made again and nobody tells of the loader it is released a minute after its grace period',
    pod: { deleted: '2026-01-01T00:58:59Z', phase: 'Failed' },
    node: reborn(),
    verdict: 'release',
  },
  {
    says: 'where the node was made again its kubelet gets a minute to tell of a loader that was ended by force',
    pod: { deleted: '2026-01-01T00:59:01Z', phase: 'Failed' },
    node: reborn(),
    verdict: 'wait',
  },
  {
    says: 'where the node was made again its kubelet gets a minute after it was silent',
    pod: {},
    node: aNode({ born: '2026-01-01T00:30:00Z', readySince: '2026-01-01T00:59:30Z' }),
    verdict: 'wait',
  },
  {
    says: 'where the node has booted another kernel a loader without words is released',
    pod: { ...wasReady, container: ended('') },
    node: aNode({ kernel: '6.5.0-2-amd64' }),
    verdict: 'release',
  },
  {
    says: 'where the node has booted another kernel a failed unload of an unknown boot is released',
    pod: { ...wasReady, container: ended('kmm unload failed unknown') },
    node: aNode({ kernel: '6.5.0-2-amd64' }),
    verdict: 'release',
  },
  {
    says: 'a loader that was restarted in another kernel, and did not unload there, is held',
    pod: { ...wasReady, container: ended('kmm unload failed boot-1') },
    node: aNode({ kernel: '6.5.0-2-amd64' }),
    verdict: 'hold',
  },
  {
    says: 'a node that does not tell its kernel releases no loader without words',
    pod: { ...wasReady, container: ended('') },
    node: aNode({ kernel: '' }),
    verdict: 'hold',
  },
  {
    says: 'a container without words after one that had loaded is held',
    pod: {
      ...neverReady,
      container: ended('', { lastState: { terminated: { exitCode: 137, message: 'kmm loaded boot-1' } } }),
    },
    verdict: 'hold',
  },
  {
    says: 'loads that failed in a pod that was ready before are held',
    pod: {
      ...wasReady,
      container: ended('kmm load failed boot-1', {
        lastState: { terminated: { exitCode: 137, message: 'kmm load failed boot-1' } },
      }),
    },
    verdict: 'hold',
  },
  {
    says: 'loads that failed in a pod that was ready in an earlier container only are held',
    pod: {
      ready: false,
      startTime: '2026-01-01T00:00:01Z',
      readySince: '2026-01-01T00:20:00Z',
      container: {
        state: {
          terminated: { exitCode: 137, startedAt: '2026-01-01T00:40:00Z', message: 'kmm load failed boot-1' },
        },
      },
    },
    verdict: 'hold',
  },
  {
    says: 'loads that failed in a pod that has been unready since it started are released',
    pod: {
      ready: false,
      startTime: '2026-01-01T00:00:01Z',
      readySince: '2026-01-01T00:00:01Z',
      container: ended('kmm load failed boot-1'),
    },
    verdict: 'release',
  },
  {
    says: 'a container that was lost after its pod had been ready is held',
    pod: { ...lost, readySince: '2026-01-01T00:50:03Z' },
    verdict: 'hold',
  },
  {
    says: 'a container that was lost before its pod was ready is released',
    pod: { ...lost, readySince: '2026-01-01T00:00:01Z' },
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
    says: 'an adopted loader that ended longer ago than Events live is held',
    pod: { inputs: null, ...wasReady, container: endedAt('2026-01-01T00:09:00Z') },
    verdict: 'hold',
  },
  {
    says: 'an adopted loader that was lost longer ago than Events live is held',
    pod: { inputs: null, ...lost, readySince: '2026-01-01T00:05:00Z', deleted: '2026-01-01T00:09:00Z' },
    verdict: 'hold',
  },
  {
    says: 'an adopted loader that was never ready is released however long ago it ended',
    pod: { inputs: null, ...neverReady, container: endedAt('2026-01-01T00:09:00Z') },
    verdict: 'release',
  },
  {
    says: 'an adopted loader whose preStop hook failed is released when its node runs another kernel',
    pod: { inputs: null, ...wasReady, container: ended('') },
    node: aNode({ kernel: '6.5.0-2-amd64' }),
    failedPreStop: true,
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

  it('nobody says that the driver of an adopted loader was unloaded', () => {
    const pod = aPod({ deleted, inputs: null, ...wasReady, container: ended('') })
    const verdict = judgeFinalizer(pod, { node: aNode(), endOfService: false, failedPreStop: false, nowMs })
    assert.equal(verdict.do === 'release' && verdict.unloaded, false)
  })

  it('the words of a failed unload are kept', () => {
    const pod = aPod({ deleted, ...wasReady, container: ended('kmm unload failed boot-1\nmodprobe: FATAL: Module x is in use.') })
    const verdict = judgeFinalizer(pod, { node: aNode(), endOfService: false, failedPreStop: false, nowMs })
    assert.equal(verdict.do === 'hold' ? verdict.words : '', 'modprobe: FATAL: Module x is in use.')
  })
})
