// The user's version label: which Modules a Node names, and the index that finds a Module's nodes.
import type { Index } from '../controller.ts'
import { userVersionLabel } from '../names.ts'
import { nodes } from '../resources.ts'

const prefix = userVersionLabel('', '').slice(0, -1) // without the dot between the two empty names

/** `namespace/name` of the Module that a label key names. A namespace has no dot, so the first dot parts the two. */
export function moduleOfVersionLabel(key: string): string | undefined {
  if (!key.startsWith(prefix)) return undefined
  const rest = key.slice(prefix.length)
  const dot = rest.indexOf('.')
  return dot <= 0 || dot === rest.length - 1 ? undefined : `${rest.slice(0, dot)}/${rest.slice(dot + 1)}`
}

export const nodesByVersionedModule: Index = {
  name: 'versioned-module',
  resource: nodes,
  values: node => Object.keys(node.metadata.labels ?? {}).flatMap(key => moduleOfVersionLabel(key) ?? []),
}
