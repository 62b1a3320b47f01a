import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Controller } from '../../src/core/controller.ts'
import { emptyPlan, type PlannedEvent, type Question, type Removal } from '../../src/core/plan.ts'
import { events } from '../../src/core/resources.ts'
import { status } from './scripted-server.ts'
import { createToyWorld } from './toy-world.ts'
import { configMaps, toy, toyController, toys, toyWatches } from './toys.ts'

describe('The loop', () => {
  it('brings about what is wanted, tells its status, and then writes nothing', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel', 'door'], colour: 'red' }))
    const operator = world.startOperator()
    await world.pass(20_000)
    assert.deepEqual(world.partNames(), ['car-door', 'car-wheel'])
    assert.deepEqual(world.status('car'), { parts: 2, ready: true })
    assert.ok(operator.idle())
    const writes = world.written.length
    await world.pass(600_000)
    assert.deepEqual(world.written.slice(writes), [])
    assert.deepEqual(
      world.written.filter(line => line.endsWith('(kept)')),
      [],
    )
    await operator.stop()
  })

  it('writes nothing after a restart', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const first = world.startOperator()
    await world.pass(20_000)
    await first.stop()
    const writes = world.written.length
    const second = world.startOperator()
    await world.pass(60_000)
    assert.ok(second.idle())
    assert.deepEqual(world.written.slice(writes), [])
    await second.stop()
  })

  it('removes what is no longer wanted, in two steps where there is a finalizer', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel', 'door'] }))
    const operator = world.startOperator()
    await world.pass(20_000)
    const writes = world.written.length
    world.setSpec('car', { parts: ['wheel'] })
    await world.pass(30_000)
    assert.deepEqual(world.partNames(), ['car-wheel'])
    assert.deepEqual(
      world.written.slice(writes).filter(line => line.includes('configmaps')),
      ['delete configmaps car-door', 'patch configmaps car-door'],
    )
    await operator.stop()
  })

  it('puts back what somebody else changed or removed', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel', 'door'], colour: 'red' }))
    const operator = world.startOperator()
    await world.pass(20_000)
    const before = world.story()
    world.api.update(configMaps, 'default/car-wheel', part => ({ ...part, data: { colour: 'blue' } }) as typeof part, 'a-person')
    world.api.update(
      configMaps,
      'default/car-door',
      part => ({ ...part, metadata: { ...part.metadata, finalizers: [] } }),
      'a-person',
    )
    world.api.remove(configMaps, 'default/car-door')
    await world.pass(30_000)
    assert.deepEqual(world.story(), before)
    await operator.stop()
  })

  it('follows two quick changes to the last of them', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['a', 'b'], colour: 'red' }))
    const operator = world.startOperator()
    world.setSpec('car', { parts: ['b', 'c'], colour: 'green' })
    await world.pass(3)
    world.setSpec('car', { parts: ['c', 'd'], colour: 'blue' })
    world.setSpec('car', { parts: ['d'], colour: 'red' })
    await world.pass(60_000)
    assert.deepEqual(world.partNames(), ['car-d'])
    assert.deepEqual(world.status('car'), { parts: 1, ready: true })
    await operator.stop()
  })

  it('sends nothing for what must exist already and is not there', async () => {
    const eager: Controller = {
      ...toyController,
      plan: () => {
        const gone = { ...toy('gone', {}), metadata: { name: 'gone', namespace: 'default', uid: 'u' } }
        return { ...emptyPlan, apply: [gone], status: { object: { ...gone, status: {} }, urgent: true } }
      },
    }
    const world = createToyWorld({ operator: { controllers: [eager] } })
    world.api.create(toys, toy('car', {}))
    const operator = world.startOperator()
    await world.pass(10_000)
    assert.deepEqual(world.written, [])
    await operator.stop()
  })

  it('does not let one key that fails stop another', async () => {
    const world = createToyWorld()
    world.setFault((request, isWrite) => (isWrite && request.path.includes('bad') ? status(422, 'Invalid') : 'pass'))
    for (const name of ['bad', 'good']) world.api.create(toys, toy(name, { parts: ['wheel'] }))
    const operator = world.startOperator()
    await world.pass(60_000)
    assert.deepEqual(world.partNames(), ['good-wheel'])
    const tries = world.observed.filter(fact => fact.what === 'pass' && fact.outcome === 'failed').length
    assert.ok(tries > 5 && tries < 20, `${tries} tries in a minute`)
    assert.ok(
      world.logs.some(
        line => line === 'error apply ConfigMap default/bad-wheel: the API server answered 422 Invalid: Invalid it is',
      ),
    )
    world.setFault(() => 'pass')
    await world.pass(300_000)
    assert.deepEqual(world.partNames(), ['bad-wheel', 'good-wheel'])
    await operator.stop()
  })

  it('does not let one object that is refused stop the others of its plan', async () => {
    const world = createToyWorld()
    world.setFault((request, isWrite) => (isWrite && request.path.endsWith('car-a') ? status(422, 'Invalid') : 'pass'))
    world.api.create(toys, toy('car', { parts: ['a', 'b'] }))
    const operator = world.startOperator()
    await world.pass(10_000)
    assert.deepEqual(world.partNames(), ['car-b'])
    assert.deepEqual(world.status('car'), { parts: 1, ready: false })
    await operator.stop()
  })

  it('tells an event once', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const operator = world.startOperator()
    await world.pass(400_000)
    const told = world.api.list(events) as readonly { reason?: string; count?: number }[]
    assert.deepEqual(
      told.map(({ reason, count }) => [reason, count]),
      [['Ready', 1]],
    )
    await operator.stop()
  })

  it('tells the event of a removal only when it has carried the removal out', async () => {
    const telling: Controller = {
      ...toyController,
      plan: (look, key, context) => {
        const plan = toyController.plan(look, key, context)
        const event = (removal: Removal): PlannedEvent => ({
          about: removal.object,
          type: 'Normal',
          reason: 'Removed',
          message: removal.because,
          ofRemoval: removal.uid,
        })
        return { ...plan, events: plan.remove.filter(({ finalizer }) => finalizer !== undefined).map(event) }
      },
    }
    const world = createToyWorld({ operator: { controllers: [telling] } })
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const operator = world.startOperator()
    await world.pass(10_000)
    world.setFault((request, isWrite) =>
      isWrite && request.method === 'PATCH' && request.path.endsWith('car-wheel') ? status(422, 'Invalid') : 'pass',
    )
    world.setSpec('car', { parts: [] })
    await world.pass(400_000)
    assert.deepEqual(world.api.list(events), [])
    world.setFault(() => 'pass')
    await world.pass(400_000)
    const told = world.api.list(events) as readonly { reason?: string; count?: number }[]
    assert.deepEqual(
      told.map(({ reason, count }) => [reason, count]),
      [['Removed', 1]],
    )
    assert.deepEqual(world.partNames(), [])
    await operator.stop()
  })

  it('asks what a plan wants to know, and plans again with the answer', async () => {
    const question: Question = { ask: 'exists', image: 'quay.io/a/b:1', namespace: 'default' }
    const answers: unknown[] = []
    const curious: Controller = {
      ...toyController,
      plan: (look, _key) => {
        const answer = look.answer(question)
        answers.push(answer)
        return answer === undefined ? { ...emptyPlan, questions: [question] } : emptyPlan
      },
    }
    const world = createToyWorld({
      operator: { controllers: [curious], images: { ask: () => Promise.resolve({ exists: true }) } },
    })
    world.api.create(toys, toy('car', {}))
    const operator = world.startOperator()
    await world.pass(1_000)
    assert.deepEqual(answers, [undefined, { exists: true }])
    await operator.stop()
  })

  it('stops at once and sends nothing more', async () => {
    const world = createToyWorld()
    for (let number = 0; number < 20; number++) world.api.create(toys, toy(`t${number}`, { parts: ['a', 'b'] }))
    const operator = world.startOperator()
    let left = 15
    world.setFault((_request, isWrite) => {
      if (isWrite && --left === 0) void operator.stop()
      assert.ok(!isWrite || left >= 0, 'a write after the stop')
      return 'pass'
    })
    await world.pass(60_000)
    assert.equal(left, 0)
    await operator.stop()
  })

  it('refuses a controller that is woken by what is not watched', () => {
    assert.throws(
      () => createToyWorld({ operator: { watches: toyWatches.slice(0, 1) } }).startOperator(),
      /controller Toy is woken by v1\/configmaps, which is not watched/,
    )
  })
})
