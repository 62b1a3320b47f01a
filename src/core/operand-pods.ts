// What the pods of both operands have in common: whose they are, where they may run, and as whom. Everything is stated as the API
// server stores it: a value that it would drop or fill in would look like a difference for ever.

import type { CanonicalModule } from './canonical.ts'
import type { DaemonSet, Toleration } from './cluster.ts'
import type { Settings } from './controller.ts'
import { labels } from './names.ts'
import type { Labels, ObjectMeta } from './object.ts'
import type { Operand } from './operands.ts'
import { serviceAccountOf } from './service-account.ts'

/** The Module as the only controller: garbage collection takes the DaemonSet with it. */
export function ownedMetadata(module: CanonicalModule, name: string, own: Labels): ObjectMeta {
  const { apiVersion, kind, metadata } = module
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
  return { name, namespace: metadata.namespace ?? '', labels: own, ownerReferences: [owner] }
}

/**
 * Labels of a DaemonSet and of its pods, and its selector. The selector of an existing DaemonSet is immutable, so it stays, and its
 * labels stay on everything: another edition's has a `role` (decisions.md 9).
 */
export function ownLabels(
  module: CanonicalModule,
  particular: Labels,
  existing: DaemonSet | undefined,
): { readonly all: Labels; readonly selector: Labels } {
  const own: Labels = { [labels.moduleName]: module.metadata.name, ...particular }
  const selector = existing?.spec?.selector?.matchLabels ?? own
  return { all: { ...own, ...selector }, selector }
}

/** The fields of the pod's spec that do not depend on what the pod does. */
export function placement(module: CanonicalModule, operand: Operand, settings: Settings): Readonly<Record<string, unknown>> {
  const account = serviceAccountOf(module, operand, settings)
  const secret = module.spec.imageRepoSecret?.name ?? ''
  const tolerations = (module.spec.tolerations ?? []).map(storedToleration)
  return {
    priorityClassName: 'system-node-critical',
    // The server keeps the deprecated twin equal. Only who states both can take both away.
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
    ...(secret === '' ? {} : { imagePullSecrets: [{ name: secret }] }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
  }
}

const storedToleration = (toleration: Toleration): Toleration =>
  Object.fromEntries(Object.entries(toleration).filter(([, value]) => value !== '' && value !== undefined)) as Toleration
