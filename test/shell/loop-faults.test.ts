// Whatever breaks on the way, the end is the same (architecture.md 8, level 5).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Operator } from '../../src/shell/loop/operator.ts'
import { createToyWorld, late, type ToyWorld, withEvents } from './toy-world.ts'
import { configMaps, toy, toys } from './toys.ts'

/** Creates, changes and deletes, with time between and without. */
async function live(world: ToyWorld): Promise<void> {
  world.api.create(toys, toy('car', { parts: ['a', 'b', 'c'], colour: 'red' }))
  await world.pass(2_000)
  world.setSpec('car', { parts: ['b', 'd'], colour: 'blue' })
  world.api.create(toys, toy('train', { parts: ['x'] }))
  await world.pass(30_000)
  world.api.update(configMaps, 'default/train-x', part => ({ ...part, data: { colour: 'pink' } }) as typeof part, 'a-person')
  world.api.create(toys, toy('ship', { parts: ['y'] }))
  await world.pass(2_000)
  world.api.remove(toys, 'default/ship')
  world.setSpec('train', { parts: ['x', 'z'], colour: 'grey' })
  await world.pass(300_000)
}

async function undisturbed() {
  const world = createToyWorld()
  const operator = world.startOperator()
  await live(world)
  assert.ok(operator.idle())
  await operator.stop()
  return { story: world.story(), writes: world.written.length }
}

async function settled(world: ToyWorld, operator: Operator, expected: unknown): Promise<void> {
  await world.pass(600_000)
  assert.deepEqual(world.story(), expected)
  const writes = world.written.length
  await world.pass(300_000)
  assert.deepEqual(world.written.slice(writes), [], 'no writes once settled')
  assert.ok(operator.idle())
  await operator.stop()
}

describe('The end is the same', async () => {
  const expected = await undisturbed()

  for (const when of ['fail-before', 'fail-after'] as const) {
    it(`after a crash ${when === 'fail-before' ? 'before' : 'after'} each of the writes`, async () => {
      for (let crashAt = 1; crashAt <= expected.writes; crashAt++) {
        const world = createToyWorld()
        let operator = world.startOperator()
        let write = 0
        world.setFault((_request, isWrite) => {
          if (!isWrite || ++write !== crashAt) return 'pass'
          void operator.stop()
          operator = world.startOperator()
          return when
        })
        await live(world)
        assert.ok(write >= crashAt, `write ${crashAt} never came`)
        await settled(world, operator, expected.story)
      }
    })

    it(`when every third write ${when === 'fail-before' ? 'does not arrive' : 'arrives but its answer is lost'}`, async () => {
      const world = createToyWorld()
      let write = 0
      world.setFault((_request, isWrite) => (isWrite && ++write % 3 === 0 && world.clock.monotonicMs() < 300_000 ? when : 'pass'))
      const operator = world.startOperator()
      await live(world)
      await settled(world, operator, expected.story)
    })
  }

  it('when the snapshot is seconds behind', async () => {
    for (const lateMs of [20, 700, 4_000, 40_000]) {
      const world = createToyWorld()
      const operator = world.startOperator(late(world.clock, lateMs))
      await live(world)
      await settled(world, operator, expected.story)
    }
  })

  it('when events are lost and only a new list brings the truth', async () => {
    const world = createToyWorld()
    const operator = world.startOperator(
      withEvents(async function* (stream) {
        let count = 0
        for await (const event of stream) {
          count += 1
          if (count % 3 !== 0 || world.clock.monotonicMs() > 400_000) yield event
          if (count % 7 === 0) yield { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }
        }
      }),
    )
    await live(world)
    await settled(world, operator, expected.story)
  })

  it('when the API server forgets its history and cuts every watch now and then', async () => {
    const world = createToyWorld()
    let cut = () => {}
    const operator = world.startOperator(transport => async (request, stop) => {
      const attempt = new AbortController()
      stop.addEventListener('abort', () => attempt.abort(stop.reason), { once: true })
      if (request.query?.['watch'] === 'true') {
        const before = cut
        cut = () => {
          before()
          attempt.abort(new Error('socket hang up'))
        }
      }
      return transport(request, attempt.signal)
    })
    for (let second = 1; second < 100; second += 7) {
      world.clock.after(second * 1_000, () => {
        const now = cut
        cut = () => {}
        world.api.compact()
        now()
      })
    }
    await live(world)
    await settled(world, operator, expected.story)
  })

  it('with two operators at once', async () => {
    const world = createToyWorld()
    const [one, two] = [world.startOperator(), world.startOperator()]
    await live(world)
    await two.stop()
    await settled(world, one, expected.story)
  })
})

describe('Health', () => {
  /** Watches of these paths never answer, from the second minute on. */
  function hanging(world: ToyWorld, of: string): Operator {
    let cut = () => {}
    world.clock.after(60_000, () => cut())
    return world.startOperator(transport => (request, stop) => {
      if (!request.path.includes(of)) return transport(request, stop)
      if (world.clock.monotonicMs() >= 60_000) return new Promise(() => {})
      const attempt = new AbortController()
      stop.addEventListener('abort', () => attempt.abort(stop.reason), { once: true })
      const before = cut
      cut = () => {
        before()
        attempt.abort(new Error('socket hang up'))
      }
      return transport(request, attempt.signal)
    })
  }

  it('ends the process when one watch gets no answer although others do', async () => {
    const world = createToyWorld()
    const operator = hanging(world, 'configmaps')
    await world.pass(240_000)
    assert.deepEqual(operator.health().alive, true)
    await world.pass(240_000)
    assert.equal(operator.health().alive, false)
    assert.match(
      operator.health().reasons[0] ?? '',
      /^the watch of v1\/configmaps has been silent for \d+ s although other requests were answered$/,
    )
    await operator.stop()
  })

  it('does not end the process when nothing gets an answer', async () => {
    const world = createToyWorld()
    const operator = hanging(world, '/')
    await world.pass(30_000)
    assert.ok(operator.health().ready)
    await world.pass(1_800_000)
    const { alive, ready } = operator.health()
    assert.deepEqual([alive, ready], [true, false])
    await operator.stop()
  })
})
