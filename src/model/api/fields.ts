// Sets of field paths in the form of managedFields' `fieldsV1`. Source: Kubernetes documentation, "Server-Side Apply", and
// sigs.k8s.io/structured-merge-diff, package fieldpath. A node without children is a member; `.` makes a node with children one.
import { isJson } from './json.ts'
import type { Json } from './types.ts'

export interface FieldSet {
  readonly [element: string]: FieldSet
}

export const emptySet: FieldSet = Object.freeze({})
const leaf: FieldSet = emptySet

export const isEmptySet = (set: FieldSet): boolean => {
  for (const _ in set) return false
  return true
}

const isMember = (node: FieldSet | undefined): boolean => node !== undefined && (isEmptySet(node) || '.' in node)

/** A node from its membership and children; undefined when it stands for nothing. */
export function nodeOf(member: boolean, children: Readonly<Record<string, FieldSet>>): FieldSet | undefined {
  if (isEmptySet(children)) return member ? leaf : undefined
  return member ? { '.': leaf, ...children } : children
}

type Combine = {
  readonly member: (a: boolean, b: boolean) => boolean
  /** What stays of a node that only one side has. */
  readonly onlyA: 'kept' | 'dropped'
  readonly onlyB: 'kept' | 'dropped'
}

function combineNodes(a: FieldSet | undefined, b: FieldSet | undefined, how: Combine): FieldSet | undefined {
  if (a === undefined) return how.onlyB === 'kept' ? b : undefined
  if (b === undefined) return how.onlyA === 'kept' ? a : undefined
  return nodeOf(how.member(isMember(a), isMember(b)), combineChildren(a, b, how))
}

function combineChildren(a: FieldSet, b: FieldSet, how: Combine): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element in a) {
    if (element === '.') continue
    const node = combineNodes(a[element], b[element], how)
    if (node !== undefined) result[element] = node
  }
  if (how.onlyB === 'kept') {
    for (const element in b) {
      const node = b[element]
      if (element !== '.' && !(element in a) && node !== undefined) result[element] = node
    }
  }
  return result
}

const unionRule: Combine = { member: (a, b) => a || b, onlyA: 'kept', onlyB: 'kept' }
const differenceRule: Combine = { member: (a, b) => a && !b, onlyA: 'kept', onlyB: 'dropped' }
const intersectionRule: Combine = { member: (a, b) => a && b, onlyA: 'dropped', onlyB: 'dropped' }

/** Sets are roots: never members themselves, so an empty root is the empty set. */
export const union = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(b) ? a : isEmptySet(a) ? b : combineChildren(a, b, unionRule)
export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) || isEmptySet(b) ? a : combineChildren(a, b, differenceRule)
export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  isEmptySet(a) || isEmptySet(b) ? emptySet : combineChildren(a, b, intersectionRule)

/** Keeps (or drops) whole subtrees under the named top fields. */
export function underFields(set: FieldSet, fields: readonly string[], how: 'only' | 'without'): FieldSet {
  const named = new Set(fields.map(field => `f:${field}`))
  const entries = Object.entries(set).filter(([element]) => named.has(element) === (how === 'only'))
  return entries.length === Object.keys(set).length ? set : Object.fromEntries(entries)
}

export const hasElement = (set: FieldSet, element: string): 'member' | 'below' | 'no' => {
  const node = set[element]
  return node === undefined ? 'no' : isMember(node) ? 'member' : 'below'
}

/** Never owned by anybody: the identity of the object. Source: managedfields/internal/stripmeta.go. */
const identity: FieldSet = {
  'f:apiVersion': leaf,
  'f:kind': leaf,
  'f:metadata': {
    '.': leaf,
    'f:name': leaf,
    'f:namespace': leaf,
    'f:creationTimestamp': leaf,
    'f:selfLink': leaf,
    'f:uid': leaf,
    'f:clusterName': leaf,
    'f:generation': leaf,
    'f:managedFields': leaf,
    'f:resourceVersion': leaf,
  },
}

export const withoutIdentity = (set: FieldSet): FieldSet => difference(set, identity)

/** Reads `fieldsV1` that came from outside; anything that is not a tree of objects counts as empty. */
export function parseFieldSet(value: unknown): FieldSet {
  if (!isJson(value)) return emptySet
  const result: Record<string, FieldSet> = {}
  for (const [element, node] of Object.entries(value)) if (/^(\.$|[fkvi]:)/.test(element)) result[element] = parseFieldSet(node)
  return result
}

/** The paths of all members as the server prints them in conflicts: `.spec.containers[name="a"].image`. */
export function printPaths(set: FieldSet, prefix = ''): readonly string[] {
  const nodes = Object.entries(set)
    .filter(([element]) => element !== '.')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const path = (element: string) => `${prefix}${printElement(element)}`
  return [
    ...nodes.flatMap(([element, node]) => (isMember(node) ? [path(element)] : [])),
    ...nodes.flatMap(([element, node]) => printPaths(node, path(element))),
  ]
}

function printElement(element: string): string {
  const text = element.slice(2)
  if (element.startsWith('f:')) return `.${text}`
  if (element.startsWith('v:')) return `[=${text}]`
  if (element.startsWith('i:')) return `[${text}]`
  const keys = Object.entries(JSON.parse(text) as Json).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `[${keys.join(',')}]`
}
