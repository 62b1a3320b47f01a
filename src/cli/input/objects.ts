// From parsed YAML or JSON to Kubernetes objects of known kinds and right types, with the place each came from.
import type { KubeObject } from '../../core/object.ts'
import { BadInput } from '../../shell/yaml.ts'
import { anyKindShape, kindShapes, metadataShape } from './kind-shapes.ts'
import { decideKind, type KnownKind } from './kinds.ts'
import { describe, findMisfit, isMap, otherSpelling, type Path, printPath } from './shape.ts'

/** Where an object stands; `line` gives the line of one of its fields, or of the nearest field around it. */
export type Source = { readonly file: string; readonly line: (path: Path) => number }
export type InputObject = { readonly object: KubeObject; readonly source: Source }

/** `FILE:LINE`, for sentences that name an object. */
export const printSource = (source: Source): string => `${source.file}:${source.line([])}`

/** An error with file, line and field, for example `a.yaml:4: Node node-1: metadata.labels.x must be a string ...`. */
export function badField(source: Source, path: Path, error: string, name = ''): BadInput {
  const field = printPath(path)
  const who = name === '' ? '' : `${name}: `
  return new BadInput(source.file, source.line(path), `${who}${field === '' ? '' : `${field} `}${error}`)
}

/**
 * The objects of one document: none for an empty one, all items of a List.
 * Throws BadInput for anything that is not a Kubernetes object of a known kind with fields of the right type.
 */
export function objectsOf(value: unknown, source: Source): readonly InputObject[] {
  if (value === null || value === undefined) return []
  if (!isMap(value))
    throw badField(
      source,
      [],
      `a Kubernetes object must be a map with apiVersion, kind and metadata, but this is ${describe(value)}`,
    )
  const { apiVersion, kind } = value
  for (const [field, given] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (given === undefined || given === null || given === '')
      throw badField(source, [field], `is missing${otherSpelling(value, field)}`)
    if (typeof given !== 'string') throw badField(source, [field], `must be a string, but is ${describe(given)}`)
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return []
  if (kind.endsWith('List') && (kind === 'List' || value['items'] !== undefined))
    return itemsOf(value['items'], apiVersion, kind, source)
  const known = decideKind(apiVersion, kind)
  if ('error' in known)
    throw badField(source, [known.field], known.error, known.field === 'apiVersion' ? nameOf(kind, value) : '')
  return [{ object: checked(value, known, source), source }]
}

function itemsOf(items: unknown, apiVersion: string, kind: string, source: Source): readonly InputObject[] {
  if (!Array.isArray(items))
    throw badField(source, ['items'], `must be a list, but is ${items === undefined ? 'missing' : describe(items)}`, kind)
  return items.flatMap((item: unknown, index) => {
    const place: Source = { file: source.file, line: path => source.line(['items', index, ...path]) }
    if (item === null) throw badField(source, ['items', index], 'is empty', kind)
    // `kubectl get --raw` leaves apiVersion and kind out of the items of a PodList.
    const typed = kind !== 'List' && isMap(item) ? { apiVersion, kind: kind.slice(0, -'List'.length), ...item } : item
    return objectsOf(typed, place)
  })
}

function checked(value: Readonly<Record<string, unknown>>, known: KnownKind, source: Source): KubeObject {
  const shape = kindShapes[known.kind] ?? anyKindShape
  const misfit = findMisfit(value['metadata'] ?? {}, metadataShape, ['metadata']) ?? findMisfit(value, shape)
  if (misfit !== undefined) throw badField(source, misfit.path, misfit.error, nameOf(known.kind, value))
  const object = withoutNulls(value) as KubeObject
  const { name, namespace } = object.metadata
  const wrong = decideName(name, known)
  if (wrong !== undefined) throw badField(source, ['metadata', 'name'], wrong, `${known.kind} ${name}`)
  const { namespace: _, ...metadata } = object.metadata
  if (!known.namespaced) return { ...object, metadata }
  // As kubectl does without --namespace and with a fresh kubeconfig.
  const place = namespace === undefined || namespace === '' ? 'default' : namespace
  if (!dnsLabel.test(place))
    throw badField(source, ['metadata', 'namespace'], `is no legal namespace: ${place}`, `${known.kind} ${name}`)
  return { ...object, metadata: { ...metadata, namespace: place } }
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** RBAC names may hold colons and more (path segments); all others are DNS subdomains. Source: Kubernetes, "Object Names and IDs". */
function decideName(name: string, known: KnownKind): string | undefined {
  if (known.apiVersion.startsWith('rbac.')) return /[/%]/.test(name) ? 'must not hold / or %' : undefined
  if (name.length > 253) return `has ${name.length} characters, at most 253 are allowed`
  return dnsSubdomain.test(name)
    ? undefined
    : 'must consist of lower-case letters, digits, - and . and begin and end with a letter or digit'
}

function nameOf(kind: string, value: Readonly<Record<string, unknown>>): string {
  const metadata = value['metadata']
  const name = isMap(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' && name !== '' ? `${kind} ${name}` : kind
}

/** A null in a map is an absent field for the API server (for example `creationTimestamp: null` in generated manifests). */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([field, inner]) => [field, withoutNulls(inner)]),
  )
}
