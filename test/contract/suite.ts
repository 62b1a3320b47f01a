// What we rely on of a Kubernetes API server, one case a sentence. Run on the model (model.test.ts) and on a real kube-apiserver
// (real.test.ts); where the two differ, the real one is right. Safe in a shared cluster: each case has a namespace of its own.
import { after, before, describe, it } from 'node:test'
import { applyCases } from './apply-cases.ts'
import { definitionCases } from './definition-cases.ts'
import { deletionCases } from './deletion-cases.ts'
import { listCases } from './list-cases.ts'
import { objectCases } from './object-cases.ts'
import { podSecurityCases } from './pod-security-cases.ts'
import { quotaCases } from './quota-cases.ts'
import { refusalCases } from './refusal-cases.ts'
import { watchCases } from './watch-cases.ts'
import { type Scenario, type Started, World } from './world.ts'

const subjects: Readonly<Record<string, (scenario: Scenario) => void>> = {
  'server-side apply': applyCases,
  'objects, their status and generation': objectCases,
  deletion: deletionCases,
  lists: listCases,
  watches: watchCases,
  definitions: definitionCases,
  refusals: refusalCases,
  'pod security': podSecurityCases,
  quotas: quotaCases,
}

/** Registers every case with node:test. A `skipped` server skips them all and says why. */
export function contract(name: string, start: () => Promise<Started | { readonly skipped: string }>): void {
  void describe(`contract with ${name}`, () => {
    let started: Started | { readonly skipped: string } = { skipped: 'the server was not started' }
    before(async () => {
      started = await start()
    })
    after(async () => {
      if ('stop' in started) await started.stop()
    })
    const scenario: Scenario = (sentence, run) => {
      void it(sentence, async context => {
        if ('skipped' in started) return context.skip(started.skipped)
        const world = await new World(started).begin()
        try {
          await run(world)
        } finally {
          await world.end()
        }
      })
    }
    for (const [subject, cases] of Object.entries(subjects)) void describe(subject, () => cases(scenario))
  })
}
