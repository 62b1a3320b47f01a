// What a control plane does by itself when a namespace or a definition is deleted: their contents go first.
// Source: Kubernetes documentation, "Namespaces"; apiextensions-apiserver, pkg/controller/finalizer.
import { type KubeObject, keyOf, type Resource } from '../../core/object.ts'
import { cleanupFinalizer, resourcesOf } from './crd.ts'
import { deleteObject, finishIfReleased } from './delete.ts'
import { groupOf } from './errors.ts'
import { listOf, valueAt, withField } from './json.ts'
import type { Server } from './server.ts'
import type { ApiResource } from './types.ts'

const namespaceKind: Resource = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }
const crdKind: Resource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

function deleteAll(server: Server, resource: ApiResource, namespace?: string): void {
  for (const object of server.store.objects(resource, namespace).values()) {
    if (object.metadata.deletionTimestamp === undefined) {
      deleteObject(server, resource, keyOf(object), { propagation: 'Background' }, { dryRun: false })
    }
  }
}

function endNamespace(server: Server, namespace: KubeObject): void {
  const { name } = namespace.metadata
  const contents = server.served().filter(resource => resource.namespaced)
  for (const resource of contents) deleteAll(server, resource, name)
  const kind = server.find('v1', 'namespaces')
  const isEmpty = contents.every(resource => server.store.objects(resource, name).size === 0)
  const now = server.store.get(namespaceKind, name)
  if (kind === undefined || now === undefined || !isEmpty || (now.metadata.finalizers ?? []).length > 0) return
  server.store.commit(kind, name, 'DELETED', now)
}

function endDefinition(server: Server, crd: KubeObject): void {
  const [resource] = resourcesOf(crd)
  const kind = server.find(crdKind.apiVersion, crdKind.plural)
  if (resource === undefined || kind === undefined || crd.metadata.finalizers?.includes(cleanupFinalizer) !== true) return
  const { name } = crd.metadata
  const conditions = listOf(valueAt(crd, ['status', 'conditions']))
  if (!conditions.some(condition => valueAt(condition, ['type']) === 'Terminating')) {
    const condition = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: server.now(),
      reason: 'InstanceDeletionInProgress',
      message: 'CustomResource deletion is in progress',
    }
    const status = { ...(valueAt(crd, ['status']) as object), conditions: [...conditions, condition] }
    // The change of the condition comes back here with the next event.
    server.store.commit(kind, name, 'MODIFIED', withField(crd, 'status', status))
    return
  }
  deleteAll(server, resource)
  if (server.store.objects(resource).size > 0) return
  const live = server.store.get(crdKind, name)
  if (live === undefined) return
  const finalizers = live.metadata.finalizers?.filter(finalizer => finalizer !== cleanupFinalizer) ?? []
  const next = { ...live, metadata: { ...live.metadata, finalizers } }
  if (finishIfReleased(server, kind, name, live, next) === undefined) server.store.commit(kind, name, 'MODIFIED', next)
}

/** Runs the clean-up of namespaces and definitions whenever something changes that concerns it. */
export function endWhatIsDeleted(server: Server): void {
  server.store.subscribe(({ resource, type, object }) => {
    const isEnding = object.metadata.deletionTimestamp !== undefined && type !== 'DELETED'
    if (resource.kind === namespaceKind.kind && isEnding) endNamespace(server, object)
    if (resource.kind === crdKind.kind && isEnding) endDefinition(server, object)
    if (type !== 'DELETED') return
    const { namespace } = object.metadata
    const home = namespace === undefined ? undefined : server.store.get(namespaceKind, namespace)
    if (home?.metadata.deletionTimestamp !== undefined) endNamespace(server, home)
    const crd = server.store.get(crdKind, `${resource.plural}.${groupOf(resource.apiVersion)}`)
    if (crd?.metadata.deletionTimestamp !== undefined) endDefinition(server, crd)
  })
}
