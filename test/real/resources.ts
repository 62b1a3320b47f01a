import type { Resource } from '../../src/core/object.ts'

export { daemonSets, nodes, pods } from '../../src/core/resources.ts'

export const configMaps: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }
