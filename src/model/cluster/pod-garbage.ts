// The pod garbage collector: pods of nodes that no longer exist (kubernetes, pkg/controller/podgc).
import { type KubeObject, keyOf } from '../../core/object.ts'
import { nodes, pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { attempt } from './events.ts'
import { asPod, isTerminal, type PodObject, withCondition } from './pod-spec.ts'

/** How long a node may be missing before its pods go. */
const quarantineMs = 40_000

export function createPodGarbageCollector(context: { readonly api: ModelApi; readonly clock: Clock }): {
  changed(change: Change): void
} {
  const { api, clock } = context
  const waiting = new Set<string>()

  const collect = (name: string) => {
    waiting.delete(name)
    if (api.get(nodes, name) !== undefined) return
    for (const object of [...api.by(pods, 'spec.nodeName', name)].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))) {
      const pod = asPod(object)
      if (!isTerminal(pod)) attempt(() => api.updateStatus(pods, keyOf(pod), failed, 'pod-garbage-collector'))
      const { uid } = pod.metadata
      attempt(() => api.remove(pods, keyOf(pod), { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { uid }) }))
    }
  }
  const failed = (object: KubeObject) => {
    const pod = asPod(object)
    const disrupted = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    }
    return {
      ...pod,
      status: { ...pod.status, phase: 'Failed', conditions: withCondition(pod.status?.conditions, disrupted, clock.nowMs()) },
    } as PodObject
  }
  const wait = (name: string) => {
    if (waiting.has(name)) return
    waiting.add(name)
    clock.after(quarantineMs, () => collect(name))
  }

  return {
    changed({ resource, type, object }) {
      if (resource.kind === 'Node' && type === 'DELETED') return wait(object.metadata.name)
      if (resource.kind !== 'Pod' || type === 'DELETED') return
      const name = asPod(object).spec?.nodeName ?? ''
      const isReleased = object.metadata.deletionTimestamp !== undefined && object.metadata.deletionGracePeriodSeconds === 0
      if (name !== '' && !isReleased && api.get(nodes, name) === undefined) wait(name)
    },
  }
}
