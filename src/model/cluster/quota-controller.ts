// The ResourceQuota controller of kube-controller-manager: counts what is used when a quota appears or changes, and again when pods go or end.
// New pods are charged by the API server itself (src/model/api/quota.ts).
import { type KubeObject, keyOf } from '../../core/object.ts'
import { pods } from '../../core/resources.ts'
import type { Clock } from '../../shell/clock.ts'
import { type QuotaObject, quotaKind, usedOf } from '../api/quota.ts'
import type { Change, ModelApi } from '../api-server.ts'
import { attempt } from './events.ts'
import { asPod, isTerminal } from './pod-spec.ts'
import { createWorkQueue } from './work-queue.ts'

export function createQuotaController(context: { readonly api: ModelApi; readonly clock: Clock; readonly latencyMs: number }): {
  changed(change: Change): void
} {
  const { api, clock } = context
  const queue = createWorkQueue(clock, context.latencyMs, key => count(key))

  const count = (key: string) => {
    const quota: QuotaObject | undefined = api.get(quotaKind, key)
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return
    const used = usedOf(quota, api.list(pods, quota.metadata.namespace), clock.nowMs())
    const status = { hard: quota.spec?.hard ?? {}, used }
    const change = (object: KubeObject) =>
      JSON.stringify((object as QuotaObject).status) === JSON.stringify(status) ? object : ({ ...object, status } as KubeObject)
    attempt(() => api.updateStatus(quotaKind, key, change, 'kube-controller-manager'))
  }

  return {
    changed({ resource, type, object, old }) {
      if (resource.kind === 'ResourceQuota' && type !== 'DELETED') {
        const [before, now]: readonly (QuotaObject | undefined)[] = [old, object]
        if (before?.spec !== now?.spec) queue.add(keyOf(object))
      }
      if (resource.kind !== 'Pod') return
      const hasEnded = old !== undefined && !isTerminal(asPod(old)) && isTerminal(asPod(object))
      if (type !== 'DELETED' && !hasEnded) return
      for (const quota of api.list(quotaKind, object.metadata.namespace)) queue.add(keyOf(quota))
    },
  }
}
