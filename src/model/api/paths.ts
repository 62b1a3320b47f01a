// Request paths. Source: Kubernetes API concepts, "Resource URIs".
export type Target =
  | {
      readonly is: 'resource'
      readonly apiVersion: string
      readonly plural: string
      readonly namespace?: string
      readonly name?: string
      readonly subresource?: string
    }
  | { readonly is: 'discovery'; readonly parts: readonly string[] }
  | { readonly is: 'unknown' }

/** `/api/v1/namespaces/x/status` is a subresource of a Namespace, `/api/v1/namespaces/x/pods` a list in it. */
const namespaceSubresources = new Set(['status', 'finalize'])

export function parsePath(path: string): Target {
  const parts = path
    .split('/')
    .filter(part => part !== '')
    .map(decodeURIComponent)
  const [root, ...rest] = parts
  if (root !== 'api' && root !== 'apis') return { is: 'discovery', parts }
  const isCore = root === 'api'
  const apiVersion = isCore ? rest[0] : rest[0] !== undefined && rest[1] !== undefined ? `${rest[0]}/${rest[1]}` : undefined
  const words = rest.slice(isCore ? 1 : 2)
  if (apiVersion === undefined || words.length === 0) return { is: 'discovery', parts }
  const inNamespace = words[0] === 'namespaces' && words.length > 2 && !(isCore && namespaceSubresources.has(words[2] ?? ''))
  const [plural, name, ...deeper] = inNamespace ? words.slice(2) : words
  if (plural === undefined) return { is: 'unknown' }
  return {
    is: 'resource',
    apiVersion,
    plural,
    ...(inNamespace && words[1] !== undefined ? { namespace: words[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(deeper.length === 0 ? {} : { subresource: deeper.join('/') }),
  }
}
