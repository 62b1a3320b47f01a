// What happened to the objects of a cluster, one change after the other, and the rules that must hold over it: whether a model told it or
// the recorded watch of a real API server.
import type { Module } from '../../src/api/module.ts'
import type { DaemonSet, Node, Pod } from '../../src/core/cluster.ts'
import { type KubeObject, keyOf } from '../../src/core/object.ts'

export type Change = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly kind: string
  /** After the change; of a deleted object its last state. */
  readonly object: KubeObject
}

/** All objects after a change, by key. */
export type Objects = {
  readonly nodes: ReadonlyMap<string, Node>
  readonly pods: ReadonlyMap<string, Pod>
  readonly daemonSets: ReadonlyMap<string, DaemonSet>
  readonly modules: ReadonlyMap<string, Module>
}

/** Sentences of what the change breaks. `old` is the object before it. */
export type Rule = (change: Change, old: KubeObject | undefined, now: Objects) => readonly string[]

export type Replay = {
  readonly now: Objects
  /** What the change breaks, rule by rule. */
  see(change: Change): readonly string[]
}

const collections: Readonly<Record<string, keyof Objects>> = {
  Node: 'nodes',
  Pod: 'pods',
  DaemonSet: 'daemonSets',
  Module: 'modules',
}

export function startReplay(rules: readonly Rule[]): Replay {
  const now = {
    nodes: new Map<string, Node>(),
    pods: new Map<string, Pod>(),
    daemonSets: new Map<string, DaemonSet>(),
    modules: new Map<string, Module>(),
  }
  return {
    now,
    see(change) {
      const collection = collections[change.kind]
      if (collection === undefined) return []
      const objects: Map<string, KubeObject> = now[collection]
      const key = keyOf(change.object)
      const old = objects.get(key)
      if (change.type === 'DELETED') objects.delete(key)
      else objects.set(key, change.object)
      return rules.flatMap(rule => rule(change, old, now))
    },
  }
}
