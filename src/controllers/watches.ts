// What we watch, and nothing more: our pods and DaemonSets by label, Warning events, Nodes, Modules, and what may go away under us.
import type { Watch } from '../core/controller.ts'
import { modulesByKernelModule } from '../core/module/seen-module.ts'
import { labels } from '../core/names.ts'
import { daemonSetsByModule, eventsByObjectUid, podsByModule, podsByNamespace, podsByNode } from '../core/operands.ts'
import { crds, daemonSets, events, modules, namespaces, nodes, pods } from '../core/resources.ts'
import { nodesByVersionedModule } from '../core/upgrade/version-labels.ts'
import { trimEvent, trimNode, trimPod, trimToMetadata } from './trim.ts'

export const watches: readonly Watch[] = [
  { resource: modules, indexes: [modulesByKernelModule] },
  { resource: nodes, trim: trimNode, indexes: [nodesByVersionedModule] },
  { resource: daemonSets, labelSelector: labels.moduleName, indexes: [daemonSetsByModule] },
  { resource: pods, labelSelector: labels.moduleName, trim: trimPod, indexes: [podsByModule, podsByNode, podsByNamespace] },
  { resource: events, fieldSelector: 'type=Warning', trim: trimEvent, indexes: [eventsByObjectUid] },
  { resource: namespaces, trim: trimToMetadata },
  { resource: crds, fieldSelector: `metadata.name=${modules.plural}.${modules.apiVersion.split('/')[0]}`, trim: trimToMetadata },
]
