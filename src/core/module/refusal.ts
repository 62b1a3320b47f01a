// The cluster makes no pod at all for a DaemonSet (decisions.md 22): all that is left of it is an event.
import type { DaemonSet, KubeEvent, Pod } from '../cluster.ts'
import { ownerUidOf } from '../operands.ts'
import type { SeenModule } from './seen-module.ts'

/** The last time that no pod could be made for the DaemonSet; undefined if one has been made since. */
export function refusalOf(seen: SeenModule, daemonSet: DaemonSet | undefined): KubeEvent | undefined {
  const last = seen
    .eventsOf(daemonSet?.metadata.uid)
    .filter(event => event.reason === 'FailedCreate')
    .toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
    .at(-1)
  if (last?.lastTimestamp === undefined) return last
  const at = Date.parse(last.lastTimestamp)
  const isLater = (pod: Pod) =>
    ownerUidOf(pod) === daemonSet?.metadata.uid && Date.parse(pod.metadata.creationTimestamp ?? '') > at
  return seen.pods.some(isLater) ? undefined : last
}

/** What a sentence about the refusal names. */
export function refusedBy(seen: SeenModule, daemonSet: DaemonSet | undefined, { message = '' }: KubeEvent) {
  const account = (daemonSet?.spec?.template?.spec as { serviceAccountName?: string } | undefined)?.serviceAccountName
  return {
    module: seen.key,
    namespace: seen.module?.metadata.namespace ?? '',
    serviceAccount: account ?? 'default',
    words: message,
  }
}
