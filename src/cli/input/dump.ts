// Directories that `oc adm must-gather` or `oc adm inspect` made. They hold kinds that we do not know, and many objects twice: once in
// the list of their namespace, once in a file of their own (openshift/oc, pkg/cli/admin/inspect).
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { keyOf } from '../../core/object.ts'
import { decideKind } from './kinds.ts'
import type { InputObject } from './objects.ts'
import { isMap } from './shape.ts'

/** How far below the directory that was named the gathered part may begin: `must-gather.local.1/IMAGE/inspect/namespaces`. */
const deepest = 3

/**
 * Whether `inspect` made the directory, or one below it. It keeps each namespace in folders named after API groups; manifests that people
 * keep in a folder `namespaces` are no dump.
 */
export function isDump(path: string, depth = 0): boolean {
  const folders = foldersIn(path)
  if (folders.includes('cluster-scoped-resources')) return true
  if (
    folders.includes('namespaces') &&
    foldersIn(join(path, 'namespaces')).some(name => isGathered(join(path, 'namespaces', name)))
  )
    return true
  return depth < deepest && folders.some(name => isDump(join(path, name), depth + 1))
}

const isGathered = (path: string): boolean => foldersIn(path).some(name => name === 'core' || name === 'apps' || name === 'pods')

/** None for what is no directory, or cannot be read: the reading itself says so better. */
function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** The document without what no planner knows; undefined where nothing is left. Wrong fields of known kinds stay wrong. */
export function knownParts(document: unknown): unknown {
  if (!isMap(document)) return undefined
  const { apiVersion, kind, items } = document
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  if (!kind.endsWith('List')) return isKnown(apiVersion, kind) ? document : undefined
  if (!Array.isArray(items)) return undefined
  const ofItem = kind === 'List' ? undefined : kind.slice(0, -'List'.length)
  const known = items.filter(item => {
    if (!isMap(item)) return false
    const { apiVersion: version = apiVersion, kind: own = ofItem } = item
    return typeof version === 'string' && typeof own === 'string' && isKnown(version, own)
  })
  return { ...document, items: known }
}

const isKnown = (apiVersion: string, kind: string): boolean => !('error' in decideKind(apiVersion, kind))

/** Of objects that are there more than once: the one with the highest resourceVersion, which was read last. */
export function newestOf(objects: readonly InputObject[]): readonly InputObject[] {
  const newest = new Map<string, InputObject>()
  for (const one of objects) {
    const id = `${one.object.apiVersion} ${one.object.kind} ${keyOf(one.object)}`
    const other = newest.get(id)
    if (other === undefined || versionOf(one) > versionOf(other)) newest.set(id, one)
  }
  return [...newest.values()]
}

/** Numbers in every Kubernetes that was ever released, whatever its documents leave open. */
const versionOf = ({ object }: InputObject): bigint => {
  const version = object.metadata.resourceVersion ?? ''
  return /^\d+$/.test(version) ? BigInt(version) : 0n
}
