// What a client asks to learn which kinds there are. Source: Kubernetes documentation, "API Discovery" (unaggregated form).
import { groupOf } from './errors.ts'
import type { ApiResource, Json } from './types.ts'

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
const versionOf = (apiVersion: string) => apiVersion.slice(apiVersion.lastIndexOf('/') + 1)

function resourceList(apiVersion: string, resources: readonly ApiResource[]): Json {
  const entries = resources.flatMap(resource => [
    {
      name: resource.plural,
      singularName: resource.singular ?? resource.kind.toLowerCase(),
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs,
      ...(resource.shortNames === undefined || resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
      ...(resource.categories === undefined || resource.categories.length === 0 ? {} : { categories: resource.categories }),
    },
    ...(resource.status === 'subresource'
      ? [
          {
            name: `${resource.plural}/status`,
            singularName: '',
            namespaced: resource.namespaced,
            kind: resource.kind,
            verbs: ['get', 'patch', 'update'],
          },
        ]
      : []),
  ])
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources: entries }
}

function groupList(resources: readonly ApiResource[]): Json {
  const groups = new Map<string, Set<string>>()
  for (const { apiVersion } of resources) {
    const group = groupOf(apiVersion)
    if (group !== '') groups.set(group, (groups.get(group) ?? new Set()).add(apiVersion))
  }
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [...groups].map(([name, apiVersions]) => {
      const versions = [...apiVersions].map(apiVersion => ({ groupVersion: apiVersion, version: versionOf(apiVersion) }))
      return { name, versions, preferredVersion: versions[0] }
    }),
  }
}

/** The body for a path that names no resource; undefined when there is nothing there. */
export function discoveryBody(parts: readonly string[], resources: readonly ApiResource[]): unknown {
  const [root, group, version] = parts
  if (parts.length === 1 && ['healthz', 'livez', 'readyz'].includes(root ?? '')) return 'ok'
  if (parts.length === 1 && root === 'version') return { major: '1', minor: '36', gitVersion: 'v1.36.3', platform: 'model/model' }
  if (parts.length === 1 && root === 'api') return { kind: 'APIVersions', versions: ['v1'] }
  if (parts.length === 1 && root === 'apis') return groupList(resources)
  const apiVersion = root === 'api' ? group : `${group ?? ''}/${version ?? ''}`
  const found = resources.filter(resource => resource.apiVersion === apiVersion)
  return found.length === 0 || parts.length !== (root === 'api' ? 2 : 3) ? undefined : resourceList(apiVersion ?? '', found)
}
