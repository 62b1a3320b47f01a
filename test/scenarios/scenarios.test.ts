// Each folder is a rule of the core: what was seen (observed.yaml, perhaps images.yaml) and what follows from it (plan.yaml).
// UPDATE_SCENARIOS=1 writes the plans anew; what has changed is then reviewed like code.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readObjects } from '../../src/cli/input/files.ts'
import { answersOf, readImages } from '../../src/cli/input/images.ts'
import { refuseWrongModules } from '../../src/cli/input/modules.ts'
import type { Io } from '../../src/cli/io.ts'
import { completeObjects, newestTime } from '../../src/cli/plan/complete.ts'
import { createLook } from '../../src/cli/plan/look.ts'
import { reportOf } from '../../src/cli/plan/report.ts'
import { planEverything } from '../../src/cli/plan/run.ts'
import { controllers, watches } from '../../src/controllers/index.ts'
import { printYaml } from '../../src/shell/yaml.ts'
import { deepFreeze } from '../builders.ts'
import { focus } from './focus.ts'

const root = import.meta.dirname
const update = process.env['UPDATE_SCENARIOS'] === '1'

/** Whole plans, as `kmm plan` prints them. All others are shown in words. */
const whole = new Set(['every-field-of-a-Module-has-its-place'])

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

async function planOf(folder: string): Promise<string> {
  const images = join(root, folder, 'images.yaml')
  const inputs = await readObjects([join(root, folder, 'observed.yaml')], io)
  refuseWrongModules(inputs, io)
  const given = inputs.map(({ object }) => object)
  const now = newestTime(given)
  const answer = answersOf(await readImages(existsSync(images) ? images : undefined, io), 'unknown')
  const look = createLook(deepFreeze(completeObjects(given, now)), frozenWatches, answer)
  const settings = { operatorNamespace: 'openshift-kmm', managed: false }
  const plans = planEverything(controllers, look, { nowMs: Date.parse(now), settings })
  return printYaml(whole.has(folder) ? { plans: plans.map(plan => reportOf(plan, look)) } : focus(plans, look))
}

const folders = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name)
  .sort()

describe('from what was seen to what should be done', () => {
  for (const folder of folders) {
    it(folder.replaceAll('-', ' '), async () => {
      const file = join(root, folder, 'plan.yaml')
      const plan = await planOf(folder)
      if (update) writeFileSync(file, plan)
      assert.equal(plan, existsSync(file) ? readFileSync(file, 'utf8') : '')
    })
  }
})
