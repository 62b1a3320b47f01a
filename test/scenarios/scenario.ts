// A scenario as the operator would see it, and what its controllers plan for it.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readObjects } from '../../src/cli/input/files.ts'
import { answersOf, readImages } from '../../src/cli/input/images.ts'
import { refuseWrongModules } from '../../src/cli/input/modules.ts'
import type { Io } from '../../src/cli/io.ts'
import { completeObjects, newestTime } from '../../src/cli/plan/complete.ts'
import { createLook } from '../../src/cli/plan/look.ts'
import { type PlanOfKey, planEverything } from '../../src/cli/plan/run.ts'
import { controllers, watches } from '../../src/controllers/index.ts'
import type { Look } from '../../src/core/controller.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { deepFreeze } from '../builders.ts'

const root = import.meta.dirname

export const folders: readonly string[] = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)
  .sort()

const io: Io = {
  readStdin: () => Promise.resolve(''),
  out: () => {},
  err: text => assert.fail(text),
  terminal: undefined,
  stop: new AbortController().signal,
}

/** A planner that writes to what it is shown throws. */
const frozenWatches = watches.map(watch => ({
  ...watch,
  trim: (object: Parameters<NonNullable<typeof watch.trim>>[0]) => deepFreeze(watch.trim?.(object) ?? object),
}))

export type Scenario = {
  /** Completed as an API server would, frozen. */
  readonly objects: readonly KubeObject[]
  /** Of these objects, or of what has become of them. */
  readonly plan: (objects: readonly KubeObject[]) => { readonly look: Look; readonly plans: readonly PlanOfKey[] }
}

export async function readScenario(folder: string): Promise<Scenario> {
  const images = join(root, folder, 'images.yaml')
  const inputs = await readObjects([join(root, folder, 'observed.yaml')], io)
  refuseWrongModules(inputs, io)
  const given = inputs.map(({ object }) => object)
  const now = newestTime(given)
  const answer = answersOf(await readImages(existsSync(images) ? images : undefined, io), 'unknown')
  const settings = { operatorNamespace: 'openshift-kmm', managed: false }
  return {
    objects: completeObjects(given, now),
    plan(objects) {
      const look = createLook(deepFreeze(completeObjects(objects, now)), frozenWatches, answer)
      return { look, plans: planEverything(controllers, look, { nowMs: Date.parse(now), settings }) }
    },
  }
}
