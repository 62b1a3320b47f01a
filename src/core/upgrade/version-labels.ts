// The version labels of a Node: which Modules they name, and the index that finds a Module's nodes.
import type { Index } from '../controller.ts'
import { loaderVersionLabel, pluginVersionLabel, userVersionLabel } from '../names.ts'
import { nodes } from '../resources.ts'

// Each without the dot between the two empty names.
const userPrefix = userVersionLabel('', '').slice(0, -1)
const ownPrefixes = [loaderVersionLabel('', '').slice(0, -1), pluginVersionLabel('', '').slice(0, -1)]

/** `namespace/name` of the Module that the user's label names. A namespace has no dot, so the first dot parts the two. */
export const moduleOfVersionLabel = (key: string): string | undefined => moduleAfter(userPrefix, key)

function moduleAfter(prefix: string, key: string): string | undefined {
  if (!key.startsWith(prefix)) return undefined
  const rest = key.slice(prefix.length)
  const dot = rest.indexOf('.')
  return dot <= 0 || dot === rest.length - 1 ? undefined : `${rest.slice(0, dot)}/${rest.slice(dot + 1)}`
}

/** The Modules that the labels name, the user's or ours, sorted. A label of ours outlives the user's until the driver is gone. */
export function versionedModules(labels: Readonly<Record<string, string>> | undefined): readonly string[] {
  const keys = Object.keys(labels ?? {}).flatMap(
    key => [userPrefix, ...ownPrefixes].map(prefix => moduleAfter(prefix, key)).find(found => found !== undefined) ?? [],
  )
  return [...new Set(keys)].sort()
}

export const nodesByVersionedModule: Index = {
  name: 'versioned-module',
  resource: nodes,
  values: node => versionedModules(node.metadata.labels),
}
