// The kinds that KMM reads and writes. Their plurals are the API server's.
import type { Resource } from './object.ts'

const core = (kind: string, plural: string, namespaced = true): Resource => ({ apiVersion: 'v1', kind, plural, namespaced })

export const modules: Resource = { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', plural: 'modules', namespaced: true }
export const nodes = core('Node', 'nodes', false)
export const pods = core('Pod', 'pods')
export const events = core('Event', 'events')
export const namespaces = core('Namespace', 'namespaces', false)
export const daemonSets: Resource = { apiVersion: 'apps/v1', kind: 'DaemonSet', plural: 'daemonsets', namespaced: true }
export const jobs: Resource = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true }
export const crds: Resource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}
