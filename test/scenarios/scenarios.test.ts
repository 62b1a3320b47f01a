// Each folder is a rule of the core: what was seen (observed.yaml, perhaps images.yaml) and what follows from it (plan.yaml).
// UPDATE_SCENARIOS=1 writes the plans anew; what has changed is then reviewed like code.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { reportOf } from '../../src/cli/plan/report.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { printYaml } from '../../src/shell/yaml.ts'
import { carriedOut, effectsOf, type Planned, settle } from '../core/module/on-paper.ts'
import { focus } from './focus.ts'
import { folders, readScenario } from './scenario.ts'

const update = process.env['UPDATE_SCENARIOS'] === '1'

/** Whole plans, as `kmm plan` prints them. All others are shown in words. */
const whole = new Set(['every-field-of-a-Module-has-its-place'])

async function planOf(folder: string): Promise<string> {
  const { objects, plan } = await readScenario(folder)
  const { look, plans } = plan(objects)
  return printYaml(whole.has(folder) ? { plans: plans.map(one => reportOf(one, look)) } : focus(plans, look))
}

describe('from what was seen to what should be done', () => {
  for (const folder of folders) {
    it(folder.replaceAll('-', ' '), async () => {
      const file = join(import.meta.dirname, folder, 'plan.yaml')
      const plan = await planOf(folder)
      if (update) writeFileSync(file, plan)
      assert.equal(plan, existsSync(file) ? readFileSync(file, 'utf8') : '')
    })
  }
})

/** How often something was written, and what was read from that, may differ. */
const lasting = (objects: readonly KubeObject[]): readonly string[] =>
  objects
    .map(object => JSON.stringify(object, (name, value: unknown) => (/^(observedGeneration|generation|resourceVersion)$/.test(name) ? 0 : value)))
    .sort()

describe('a crash between any two effects leaves a state from which the same plan goes on', () => {
  for (const folder of folders) {
    it(folder.replaceAll('-', ' '), async () => {
      const scenario = await readScenario(folder)
      const planned = (objects: readonly KubeObject[]): Planned => {
        const { look, plans } = scenario.plan(objects)
        return { look, plans: plans.map(({ plan }) => plan) }
      }
      const effects = effectsOf(planned(scenario.objects))
      const end = lasting(settle(scenario.objects, planned))
      let objects = scenario.objects
      for (const effect of effects) {
        objects = carriedOut(objects, effect)
        assert.deepEqual(lasting(settle(objects, planned)), end)
      }
    })
  }
})
