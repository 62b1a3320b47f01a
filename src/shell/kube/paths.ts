// Where the API server keeps things. Source: Kubernetes API concepts, "Resource URIs".
import { parseKey, type Resource } from '../../core/object.ts'

/** `apps/v1/daemonsets`: names a resource in maps and logs. */
export const resourceId = (resource: Resource): string => `${resource.apiVersion}/${resource.plural}`

/** The path of all objects of the resource, in one namespace or (no namespace given) in all. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const group = resource.apiVersion.includes('/') ? 'apis' : 'api'
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `/${group}/${resource.apiVersion}${scope}/${resource.plural}`
}

/** The path of the object with the key `namespace/name` or `name`, or of one of its subresources. */
export function objectPath(resource: Resource, key: string, subresource?: string): string {
  const { namespace, name } = parseKey(key)
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}
