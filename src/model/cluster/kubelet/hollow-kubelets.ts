// The kubelets of hollow nodes, in the sense of Kubernetes' kubemark and of kwok: no container ever runs, the pods' statuses only say
// so. One for all nodes, without a memory of its own, so that a cluster may have tens of thousands of them.
import { controllerOf, type KubeObject, keyOf } from '../../../core/object.ts'
import { nodes, pods } from '../../../core/resources.ts'
import type { Clock } from '../../../shell/clock.ts'
import type { Change, ModelApi } from '../../api-server.ts'
import { attempt } from '../events.ts'
import { asNode, asPod, isTerminal, type NodeObject, type PodObject, uidOf } from '../pod-spec.ts'
import { createWorkQueue } from '../work-queue.ts'
import { completedStatus, endedStatus, runningStatus } from './hollow-status.ts'
import { withConditions } from './node-object.ts'

export type HollowNodes = {
  /** What each container of a pod that was deleted leaves as its termination message; empty: none. */
  lastWords(pod: KubeObject, node: KubeObject): string
}

/** As quick as kwok: a kubelet that took longer would change an ending pod under the hands of whoever reacts to its end. */
const reactionMs = 1

/** How long the pod of a Job runs. */
const jobMs = 1000

/** @returns what must hear of every change. `isHollow` tells a Node of these kubelets from one with a machine below it. */
export function createHollowKubelets(context: {
  readonly api: ModelApi
  readonly clock: Clock
  readonly options: HollowNodes
  isHollow(node: string): boolean
}): { changed(change: Change): void } {
  const { api, clock, options } = context

  const say = (pod: PodObject, status: (pod: PodObject) => object) =>
    attempt(() =>
      api.updateStatus(pods, keyOf(pod), object => ({ ...object, status: status(asPod(object)) }) as KubeObject, 'kubelet'),
    )

  const lookAtPod = (key: string) => {
    const found = api.get(pods, key)
    const node = found === undefined ? undefined : nodeOf(asPod(found))
    if (found === undefined || node === undefined) return
    const pod = asPod(found)
    const nowMs = clock.nowMs()
    if (isLeaving(pod)) attempt(() => api.remove(pods, key, { gracePeriodSeconds: 0, uid: uidOf(pod) }))
    else if (isEnding(pod)) say(pod, now => endedStatus(now, nowMs, options.lastWords(now, node)))
    else if (isNew(pod)) say(pod, now => runningStatus(now, nowMs))
    else if (isJobRunning(pod)) say(pod, now => completedStatus(now, nowMs))
  }
  const nodeOf = (pod: PodObject): NodeObject | undefined => {
    const name = pod.spec?.nodeName ?? ''
    const node = name === '' || !context.isHollow(name) ? undefined : api.get(nodes, name)
    return node === undefined ? undefined : asNode(node)
  }
  const podQueue = createWorkQueue(clock, reactionMs, lookAtPod)

  const nodeQueue = createWorkQueue(clock, reactionMs, name => {
    const ready = (object: KubeObject) => withConditions(asNode(object), true, clock.nowMs())
    attempt(() => api.updateStatus(nodes, name, ready, 'kubelet'))
  })

  return {
    changed({ resource, type, object }) {
      if (type === 'DELETED') return
      if (resource.kind === 'Node') {
        const { name } = object.metadata
        if (context.isHollow(name) && !isReadyNode(asNode(object))) nodeQueue.add(name)
      }
      if (resource.kind !== 'Pod') return
      const pod = asPod(object)
      if (nodeOf(pod) === undefined) return
      if (isEnding(pod) || isLeaving(pod) || isNew(pod)) podQueue.add(keyOf(pod))
      else if (isJobRunning(pod)) podQueue.addAfter(keyOf(pod), jobMs)
    },
  }
}

const isDeleted = (pod: PodObject): boolean => pod.metadata.deletionTimestamp !== undefined
const isNew = (pod: PodObject): boolean => !isDeleted(pod) && (pod.status?.phase ?? 'Pending') === 'Pending'
const isEnding = (pod: PodObject): boolean => isDeleted(pod) && !isTerminal(pod)
/** The second delete takes the object away, or leaves it to its finalizers: then there is nothing more to do here. */
const isLeaving = (pod: PodObject): boolean => isDeleted(pod) && isTerminal(pod) && pod.metadata.deletionGracePeriodSeconds !== 0
const isJobRunning = (pod: PodObject): boolean =>
  !isDeleted(pod) && pod.status?.phase === 'Running' && controllerOf(pod)?.kind === 'Job'
const isReadyNode = (node: NodeObject): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
