// What we watch, and nothing more: our pods and DaemonSets by label, Warning events, Nodes, Modules, and what may go away under us.
import type { Watch } from '../core/controller.ts'
import { modulesByKernelModule, podsByKernelModule } from '../core/loading/kernel-modules.ts'
import { labels } from '../core/names.ts'
import { daemonSetsByModule, eventsByObjectUid, podsByModule, podsByNamespace, podsByNode } from '../core/operands.ts'
import { crds, daemonSets, events, modules, namespaces, nodes, pods } from '../core/resources.ts'
import { nodesByVersionedModule } from '../core/upgrade/version-labels.ts'
import { trimEvent, trimNode, trimPod, trimToMetadata } from './trim.ts'

/** Field manager of the original operator: client-go names it after its binary, in both editions and all 1.x releases. */
const original = 'manager'
const isOwnKey = (element: string | undefined): boolean => /^f:(beta\.)?kmm\.node\.kubernetes\.io\//.test(element ?? '')

/** Other operators may be called the same: of an object that is shared with them only our own label keys are ours. */
const ownLabels = ([metadata, map, key]: readonly string[]): boolean =>
  metadata === 'f:metadata' && map === 'f:labels' && isOwnKey(key) && !/\/version-module\./.test(key ?? '')

const ofDaemonSet = (path: readonly string[]): boolean =>
  path[0] === 'f:spec' || ownLabels(path) || (path[0] === 'f:metadata' && path[1] === 'f:ownerReferences')

const ofStatus = ([field]: readonly string[]): boolean => field === 'f:status'

export const watches: readonly Watch[] = [
  { resource: modules, indexes: [modulesByKernelModule], takeOver: [{ manager: original, owns: ofStatus }] },
  {
    resource: nodes,
    trim: trimNode,
    indexes: [nodesByVersionedModule],
    takeOver: [{ manager: original, owns: ownLabels }],
  },
  {
    resource: daemonSets,
    labelSelector: labels.moduleName,
    indexes: [daemonSetsByModule],
    takeOver: [{ manager: original, owns: ofDaemonSet }],
  },
  {
    resource: pods,
    labelSelector: labels.moduleName,
    trim: trimPod,
    indexes: [podsByModule, podsByNode, podsByNamespace, podsByKernelModule],
    shared: ['metadata.labels', 'metadata.annotations', 'metadata.ownerReferences', 'metadata.finalizers', 'spec.containers'],
  },
  { resource: events, fieldSelector: 'type=Warning', trim: trimEvent, indexes: [eventsByObjectUid] },
  { resource: namespaces, trim: trimToMetadata },
  { resource: crds, fieldSelector: `metadata.name=${modules.plural}.${modules.apiVersion.split('/')[0]}`, trim: trimToMetadata },
]
