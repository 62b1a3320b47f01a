// Random worlds: nodes come, go, reboot, change kernel, are cordoned, fall silent; Modules change; pods fail; the operator crashes.
// It always settles, the never-list holds, and once settled nothing is written any more.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodes } from '../../src/core/resources.ts'
import type { Story } from './acting.ts'
import { act, beginOrdered } from './actions.ts'
import { wrongAtRest } from './settled.ts'
import { type Theme, themes } from './themes.ts'
import { addNode, startWorld } from './world.ts'

// 480 worlds as the default; KMM_WORLDS=n for more, KMM_WORLD=seed for one of them, KMM_THEME=n for one theme.
const worlds = Number(process.env['KMM_WORLDS'] ?? 480)
const only = process.env['KMM_WORLD']

/** mulberry32: small, fast, good enough to pick actions. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

async function live(seed: number, theme: Theme): Promise<readonly string[]> {
  const chance = chanceOf(seed)
  // Kubelets of before 1.35, and later ones.
  const world = startWorld({
    chance,
    cluster: {
      startedContainers: seed % 2 === 0 ? 'left as they are' : 'probed again',
      speeds: { moduleMs: seed % 3 === 0 ? 8000 : 200 },
    },
  })
  const story: Story = { world, chance, told: [], tags: new Map() }
  try {
    const nodeCount = 1 + Math.floor(chance() * 4)
    for (let i = 0; i < nodeCount; i++) addNode(world, `node-${i}`, chance() < 0.5 ? '6.1.0-1-amd64' : '6.6.0+debian')
    await world.run(5000)
    // Half of the worlds begin in the middle of a life with ordered upgrades.
    if (chance() < 0.5) {
      story.told.push(beginOrdered(story))
      await world.run(60_000)
    }
    const actions = 4 + Math.floor(chance() * 8)
    for (let i = 0; i < actions; i++) {
      story.told.push(await act(story, theme))
      await world.run(chance() < 0.3 ? chance() * 2000 : chance() * 60_000)
    }
    await mend(story)
    // The slowest thing here is an unload hook that tries for 570 s, twice, and a back-off of 300 s.
    await world.run(45 * 60_000)
    world.never.settled()
    const before = world.writes()
    await world.run(10 * 60_000)
    const late = world.writes() - before
    return [...world.never.violations, ...wrongAtRest(world), ...(late > 0 ? [`${late} writes after it had settled`] : [])].map(
      wrong => `seed ${seed}: ${wrong}\n    ${story.told.join('\n    ')}`,
    )
  } finally {
    await world.end()
  }
}

/** Whoever is silent comes back; who is used stays used: a failed unload is a state of rest too. */
async function mend({ world }: Story): Promise<void> {
  for (const name of world.cluster.nodeNames()) {
    world.cluster.node(name).restore()
    if (world.cluster.api.get(nodes, name) === undefined) world.cluster.node(name).restartKubelet()
  }
}

const all = Object.keys(themes) as Theme[]

describe('random worlds', () => {
  for (const [index, theme] of all.entries()) {
    const chosen = process.env['KMM_THEME']
    if (chosen !== undefined && Number(chosen) !== index) continue
    // Half of the worlds have no theme.
    const count = Math.ceil(index === 0 ? worlds / 2 : worlds / 2 / (all.length - 1))
    const seeds = only === undefined ? Array.from({ length: count }, (_, seed) => seed) : [Number(only)]
    it(`${seeds.length} random worlds settle, and nothing that must never happen happens: ${theme}`, async () => {
      const wrong: string[] = []
      for (const seed of seeds) {
        // One world that goes wrong says so in many words.
        wrong.push(...(await live(seed, theme)).slice(0, 3))
        if (wrong.length > 20) break
      }
      assert.deepEqual(wrong, [], wrong.join('\n'))
    })
  }
})
