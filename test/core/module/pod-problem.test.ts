// An event of the kubelet stays for an hour, also when what it says was overcome long ago.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContainerStatus, KubeEvent } from '../../../src/core/cluster.ts'
import { podProblem } from '../../../src/core/module/pod-problem.ts'
import { aPod } from '../../builders.ts'

const place = { module: 'drivers/driver', node: 'node-1', kernel: '6.1.0-1-amd64', image: 'registry.example.com/driver:1' }

const anEvent = (reason: string, minute: number): KubeEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `e-${reason}`, namespace: 'drivers' },
  reason,
  message: 'words',
  lastTimestamp: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`,
})

/** A first hook runs, or nothing has begun: a kubelet says the same of both. */
const creating = { waiting: { reason: 'ContainerCreating' } }
const told = (container: Partial<ContainerStatus>, ...events: readonly KubeEvent[]) =>
  podProblem(aPod({ ready: false, phase: 'Pending', container }), place, events)?.code

const endedAt = (minute: number) => ({
  terminated: { exitCode: 1, startedAt: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z` },
})

describe('a mount or a sandbox that failed', () => {
  const table: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['is told while no container has begun', told({ state: creating }, anEvent('FailedMount', 10)), 'PodNotMounted'],
    [
      'is told when an older event is about the container',
      told({ state: creating }, anEvent('FailedPostStartHook', 5), anEvent('FailedCreatePodSandBox', 10)),
      'PodNotStarted',
    ],
    [
      'is told after a reboot, although a container of the pod ran before it',
      told({ state: creating, lastState: endedAt(5) }, anEvent('FailedCreatePodSandBox', 10)),
      'PodNotStarted',
    ],
    [
      'is history when the container was started after it',
      told({ state: creating, lastState: endedAt(15) }, anEvent('FailedMount', 10)),
      undefined,
    ],
    [
      'is history when a later event is about the container',
      told({ state: creating }, anEvent('FailedMount', 10), anEvent('FailedPostStartHook', 12)),
      undefined,
    ],
  ]
  for (const [sentence, found, expected] of table) it(sentence, () => assert.equal(found, expected))
})
