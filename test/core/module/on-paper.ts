// Plans carried out on paper: what the objects would be after their writes, in a cluster in which nobody else acts.
import assert from 'node:assert/strict'
import { isWritten } from '../../../src/cli/plan/report.ts'
import type { DaemonSet } from '../../../src/core/cluster.ts'
import type { Look } from '../../../src/core/controller.ts'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import type { Plan, Removal } from '../../../src/core/plan.ts'

export type Effect =
  | { readonly do: 'apply' | 'status'; readonly object: KubeObject }
  | { readonly do: 'remove'; readonly removal: Removal }

export type Planned = { readonly look: Look; readonly plans: readonly Plan[] }

/** What would be sent, in the order of the effects of each plan. */
export function effectsOf({ look, plans }: Planned): readonly Effect[] {
  return plans.flatMap(({ apply, status, remove }): readonly Effect[] => [
    ...apply.filter(object => isWritten(object, look)).map(object => ({ do: 'apply' as const, object })),
    ...(status !== undefined && isWritten(status.object, look, 'status')
      ? [{ do: 'status' as const, object: status.object }]
      : []),
    ...remove.map(removal => ({ do: 'remove' as const, removal })),
  ])
}

/** Carries plans out until nothing is written; fails if that takes too long. Gives what is then there. */
export function settle(
  start: readonly KubeObject[],
  planned: (objects: readonly KubeObject[]) => Planned,
): readonly KubeObject[] {
  let objects = start
  for (let pass = 0; pass < 25; pass++) {
    const effects = effectsOf(planned(objects))
    if (effects.length === 0) return objects
    objects = effects.reduce(carriedOut, objects)
  }
  return assert.fail('plans never end')
}

export const isAbout = (removal: Removal, object: KubeObject): boolean =>
  removal.object.kind === object.kind && keyOf({ metadata: removal.object }) === keyOf(object)

const isSame = (a: KubeObject, b: KubeObject) => a.kind === b.kind && keyOf(a) === keyOf(b)

/** A pod without its finalizer goes: it is being deleted. */
export function carriedOut(objects: readonly KubeObject[], effect: Effect): readonly KubeObject[] {
  if (effect.do === 'remove') return objects.filter(object => !isAbout(effect.removal, object))
  const { object: stated } = effect
  if (effect.do === 'status')
    return objects.map(object =>
      isSame(stated, object) ? ({ ...object, status: (stated as { readonly status?: object }).status } as KubeObject) : object,
    )
  if (objects.some(object => isSame(stated, object)))
    return objects.map(object => (isSame(stated, object) ? applied(object, stated) : object))
  return [...objects, { ...stated, metadata: { ...stated.metadata, uid: `made-${stated.metadata.name}` } }]
}

/** As server-side apply would: what we stated before and state no more goes. */
function applied(object: KubeObject, write: KubeObject): KubeObject {
  if (write.kind === 'Node') {
    const isOwn = (key: string) => /^(beta\.)?kmm\.node\.kubernetes\.io\//.test(key) && !key.includes('/version-module.')
    const foreign = Object.entries(object.metadata.labels ?? {}).filter(([key]) => !isOwn(key))
    return { ...object, metadata: { ...object.metadata, labels: { ...Object.fromEntries(foreign), ...write.metadata.labels } } }
  }
  const { metadata } = object
  const generation = (metadata.generation ?? 1) + 1
  const status = { ...(object as DaemonSet).status, observedGeneration: generation }
  return { ...object, ...write, metadata: { ...metadata, ...write.metadata, generation }, status } as KubeObject
}
