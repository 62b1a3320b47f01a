// A recorded watch: every event of Nodes, Pods, DaemonSets and Modules, in the order in which they happened. Versions of one etcd are one
// sequence over all kinds, so that events of different watches can be put in order.
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject, Resource } from '../../src/core/object.ts'
import { daemonSets, modules, nodes, pods } from '../../src/core/resources.ts'
import { collectionPath } from '../../src/shell/kube/paths.ts'
import type { ControlPlane } from '../control-plane/start.ts'
import { type Change, type Objects, type Rule, startReplay } from '../faults/history.ts'

/** `at` is the etcd revision. */
export type Recorded = Change & { readonly at: number }

export type Recording = {
  /** In order. */
  changes(): readonly Recorded[]
  /** The objects after all that was recorded. */
  now(): Objects
  /** What the rules say of all that was recorded; rules with a memory must be new ones. */
  broken(rules: readonly Rule[]): readonly string[]
  /** Fails after `seconds`, or when the watch broke. A returned string says why it is not so yet. */
  until(what: string, isSo: (now: Objects) => boolean | string, seconds?: number): Promise<void>
  end(): Promise<void>
}

const recorded: readonly Resource[] = [nodes, pods, daemonSets, modules]

/** Resolves when the watches stand. */
export async function record(plane: ControlPlane): Promise<Recording> {
  const stop = new AbortController()
  const events: Recorded[] = []
  const faults: unknown[] = []
  let isInOrder = true
  const note = (resource: Resource, type: Change['type'], object: KubeObject) => {
    const whole = { ...object, apiVersion: resource.apiVersion, kind: resource.kind }
    events.push({ type, kind: resource.kind, object: whole, at: Number(object.metadata.resourceVersion) })
    isInOrder = false
  }
  const follow = async (resource: Resource, stands: () => void): Promise<void> => {
    const path = collectionPath(resource)
    const listed = await plane.transport({ method: 'GET', path, deadlineMs: 10_000 }, stop.signal)
    const list = listed.body as { metadata: { resourceVersion: string }; items: readonly KubeObject[] }
    for (const object of list.items) note(resource, 'ADDED', object)
    const query = { watch: 'true', resourceVersion: list.metadata.resourceVersion }
    const { stream } = await plane.transport({ method: 'GET', path, query, deadlineMs: 10_000 }, stop.signal)
    stands()
    for await (const { type, object } of stream ?? []) {
      if (type === 'ERROR') throw new Error(JSON.stringify(object))
      if (type !== 'BOOKMARK') note(resource, type, object as KubeObject)
    }
    throw new Error(`the watch of ${resource.plural} ended`)
  }
  const ends: Promise<void>[] = []
  const start = (resource: Resource) =>
    new Promise<void>((resolve, reject) => {
      ends.push(
        follow(resource, resolve).catch((error: unknown) => {
          if (!stop.signal.aborted) faults.push(error)
          reject(error)
        }),
      )
    })
  for (const resource of recorded) await start(resource)

  const changes = (): readonly Recorded[] => {
    if (!isInOrder) events.sort((a, b) => a.at - b.at)
    isInOrder = true
    return events
  }
  const now = (): Objects => {
    const replay = startReplay([])
    for (const change of changes()) replay.see(change)
    return replay.now
  }
  return {
    changes,
    now,
    broken: rules => {
      const replay = startReplay(rules)
      return changes().flatMap(change => replay.see(change).map(sentence => `revision ${change.at}: ${sentence}`))
    },
    until: async (what, isSo, seconds = 30) => {
      let last: boolean | string = false
      for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs; await delay(50)) {
        if (faults.length > 0) throw faults[0]
        last = isSo(now())
        if (last === true) return
      }
      throw new Error(`not in ${seconds} s: ${what}${last === false ? '' : `: ${last}`}`)
    },
    end: async () => {
      stop.abort()
      await Promise.all(ends)
    },
  }
}
