// When the loop waits, and for what.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Controller } from '../../src/core/controller.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { emptyPlan } from '../../src/core/plan.ts'
import type { Problem } from '../../src/core/problem.ts'
import type { Clock } from '../../src/shell/clock.ts'
import { status } from './scripted-server.ts'
import { createToyWorld, late, type ToyWorld, withEvents } from './toy-world.ts'
import { configMaps, toy, toyController, toys, toyWatches } from './toys.ts'

describe('The loop waits', () => {
  it('plans nothing before everything is listed', async () => {
    const world = createToyWorld()
    let refused = 5
    world.setFault(request =>
      request.path === '/api/v1/configmaps' && refused-- > 0 ? status(503, 'ServiceUnavailable') : 'pass',
    )
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const operator = world.startOperator()
    await world.pass(1_000)
    assert.deepEqual(world.written, [])
    assert.deepEqual(operator.health(), { ready: false, alive: true, reasons: ['v1/configmaps are not listed yet'] })
    await world.pass(120_000)
    assert.deepEqual(world.partNames(), ['car-wheel'])
    assert.ok(operator.health().ready)
    await operator.stop()
  })

  for (const fails of [false, true]) {
    it(`lets others have their turn between passes that ${fails ? 'fail' : 'write nothing'}`, async () => {
      let workedMs = 0
      let inRow = 0
      const rows: number[] = []
      const failed = new Set<string>()
      const plan: Controller['plan'] = (_, key) => {
        workedMs += 4
        inRow += 1
        if (inRow === 1)
          world.clock.after(0, () => {
            rows.push(inRow)
            inRow = 0
          })
        if (!fails || failed.has(key)) return emptyPlan
        failed.add(key)
        throw new Error('this planner is broken')
      }
      const clock: Clock = {
        nowMs: () => world.clock.nowMs(),
        monotonicMs: () => world.clock.monotonicMs() + workedMs,
        after: (ms, callback) => world.clock.after(ms, callback),
      }
      const world: ToyWorld = createToyWorld({ operator: { clock, controllers: [{ ...toyController, plan }] } })
      for (let index = 0; index < 100; index++) world.api.create(toys, toy(`car-${index}`, {}))
      const operator = world.startOperator()
      await world.pass(1_000)
      assert.equal(
        rows.reduce((sum, row) => sum + row, 0),
        fails ? 200 : 100,
      )
      assert.equal(Math.max(...rows), 3)
      await operator.stop()
    })
  }

  it('does not plan a key again before it has seen what the key wrote', async () => {
    const looks: boolean[] = []
    const world = createToyWorld({
      operator: {
        controllers: [
          {
            ...toyController,
            plan: (look, key, context) => {
              looks.push(look.get(configMaps, 'default/car-wheel') !== undefined)
              return toyController.plan(look, key, context)
            },
          },
        ],
      },
    })
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const operator = world.startOperator(late(world.clock, 5_000, path => path.includes('configmaps')))
    await world.pass(100)
    world.api.update(toys, 'default/car', object => ({ ...object, metadata: { ...object.metadata, labels: { touched: 'yes' } } }))
    await world.pass(4_800)
    assert.deepEqual(looks, [false])
    assert.ok(!operator.idle())
    await world.pass(60_000)
    assert.equal(looks.filter(seen => !seen).length, 1)
    assert.deepEqual(world.status('car'), { parts: 1, ready: true })
    assert.deepEqual(
      world.written.filter(line => line.includes('configmaps')),
      ['patch configmaps car-wheel'],
    )
    await operator.stop()
  })

  it('looks again after half a minute when its own write is never seen', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const deaf = withEvents(async function* (stream) {
      for await (const event of stream) if ((event.object as { kind?: string }).kind !== 'ConfigMap') yield event
    })
    const operator = world.startOperator(deaf)
    await world.pass(31_000)
    assert.ok(
      world.logs.some(line => line === 'warn our write of ConfigMap default/car-wheel was not seen in time: looking again'),
      world.logs.join('\n'),
    )
    await operator.stop()
  })

  it('holds removals while a kind is not listed or not heard of', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel', 'door'] }))
    const operator = world.startOperator()
    await world.pass(20_000)
    let refuse = true
    world.setFault(request =>
      refuse && request.method === 'GET' && request.path === '/api/v1/configmaps' ? status(503, 'ServiceUnavailable') : 'pass',
    )
    // The watch of ConfigMaps ends by its own time-out and cannot be opened again.
    await world.pass(650_000)
    const writes = world.written.length
    world.setSpec('car', { parts: ['wheel'] })
    await world.pass(60_000)
    assert.deepEqual(
      world.written.slice(writes).filter(line => line.includes('configmaps')),
      [],
    )
    refuse = false
    await world.pass(120_000)
    assert.deepEqual(world.partNames(), ['car-wheel'])
    await operator.stop()
  })

  it('holds a removal only for the kinds that it rests on, where it names them', async () => {
    const secrets = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }
    const precise: Controller = {
      ...toyController,
      plan: (look, key, context) => {
        const plan = toyController.plan(look, key, context)
        return { ...plan, remove: plan.remove.map(removal => ({ ...removal, restsOn: [toys, configMaps] })) }
      },
    }
    for (const [controller, left] of [
      [precise, ['car-wheel']],
      [toyController, ['car-door', 'car-wheel']],
    ] as const) {
      const world = createToyWorld({ operator: { controllers: [controller], watches: [...toyWatches, { resource: secrets }] } })
      world.api.create(toys, toy('car', { parts: ['wheel', 'door'] }))
      const operator = world.startOperator()
      await world.pass(20_000)
      world.setFault(request => (request.path === '/api/v1/secrets' ? status(404, 'NotFound') : 'pass'))
      await world.pass(650_000)
      world.setSpec('car', { parts: ['wheel'] })
      await world.pass(60_000)
      assert.deepEqual(world.partNames(), left)
      await operator.stop()
    }
  })

  it('fights with nobody at full speed, and says so', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['wheel'], colour: 'red' }))
    const key = 'default/car-wheel'
    const undo = () =>
      world.api.update(configMaps, key, part => ({ ...part, data: { colour: 'blue' } }) as typeof part, 'a-person')
    world.api.subscribe(({ object }) => {
      if (object.metadata.name === 'car-wheel' && (object as { data?: { colour?: string } }).data?.colour === 'red')
        world.clock.after(20, undo)
    })
    const operator = world.startOperator()
    await world.pass(120_000)
    const fights = world.written.filter(line => line.includes('configmaps')).length
    assert.ok(fights > 50 && fights < 250, `${fights} writes in two minutes`)
    assert.ok(world.logs.includes('warn writes again and again: somebody seems to undo it'))
    await operator.stop()
  })

  it('removes only after it has seen what it wrote in the same plan', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['old'] }))
    const operator = world.startOperator(late(world.clock, 3_000, path => path.includes('configmaps')))
    await world.pass(20_000)
    const writes = world.written.length
    world.setSpec('car', { parts: ['new'] })
    await world.pass(2_900)
    assert.deepEqual(
      world.written.slice(writes).filter(line => line.includes('configmaps')),
      ['patch configmaps car-new'],
    )
    await world.pass(1_000)
    assert.ok(world.written.includes('delete configmaps car-old'))
    await operator.stop()
  })

  it('tries a removal again where the server says that the object changed', async () => {
    const world = createToyWorld()
    world.api.create(toys, toy('car', { parts: ['a'] }))
    const operator = world.startOperator()
    await world.pass(20_000)
    let refused = 1
    world.setFault(({ method }) => (method === 'DELETE' && refused-- > 0 ? status(409, 'Conflict') : 'pass'))
    world.api.remove(toys, 'default/car')
    await world.pass(1_000)
    assert.deepEqual(world.partNames(), [])
    assert.equal(world.observed.filter(fact => fact.what === 'pass' && fact.outcome === 'conflict').length, 1)
    assert.equal(world.logs.filter(line => line.startsWith('error')).length, 0)
    await operator.stop()
  })

  it('writes counters at most every ten seconds', async () => {
    const world = createToyWorld()
    const parts = ['a', 'b', 'c', 'd']
    // One part is always refused, so the toy is never ready and only its counter moves.
    world.setFault((request, isWrite) => (isWrite && request.path.endsWith('car-bad') ? status(422, 'Invalid') : 'pass'))
    world.api.create(toys, toy('car', { parts: [...parts, 'bad'], colour: 'red' }))
    const operator = world.startOperator()
    await world.pass(60_000)
    const before = world.written.length
    const statusWrites = () => world.written.slice(before).filter(line => line.includes('toys/status')).length
    for (let second = 0; second < 40; second++) {
      const name = `default/car-${parts[second % parts.length]}`
      world.api.update(configMaps, name, part => ({ ...part, data: { colour: `c${second}` } }) as typeof part, 'a-person')
      await world.pass(1_000)
    }
    assert.ok(statusWrites() >= 1 && statusWrites() <= 5, `${statusWrites()} writes in 40 s`)
    await world.pass(30_000)
    assert.deepEqual(world.status('car'), { parts: 4, ready: false })
    await operator.stop()
  })

  it('looks again when the plan says so', async () => {
    const times: number[] = []
    const patient: Controller = {
      ...toyController,
      plan: (_look, _key, { nowMs }) => {
        times.push(nowMs)
        return { ...emptyPlan, lookAgainInMs: 7_000 }
      },
    }
    const world = createToyWorld({ operator: { controllers: [patient] } })
    world.api.create(toys, toy('car', {}))
    const operator = world.startOperator()
    await world.pass(21_000)
    assert.deepEqual(
      times.map(time => time - (times[0] ?? 0)),
      [0, 7_000, 14_000, 21_000],
    )
    await operator.stop()
  })

  it('tells a problem once, and looks again at one that may pass', async () => {
    let passes = 0
    const troubled: Controller = {
      ...toyController,
      plan: () => {
        passes += 1
        const base = {
          code: 'RegistryUnreachable',
          message: 'registry quay.io did not answer',
          todo: 'wait',
          kernel: '6.1',
        } as const
        return { ...emptyPlan, problems: [{ ...(base as unknown as Problem), retry: 'backoff' }] }
      },
    }
    const told: unknown[] = []
    const log = (level: string, message: string, fields: object) => {
      if (level === 'warn') told.push([message, fields])
    }
    const world = createToyWorld({ operator: { controllers: [troubled], log } })
    world.api.create(toys, toy('car', {}))
    const operator = world.startOperator()
    await world.pass(60_000)
    assert.ok(passes >= 3 && passes <= 5, `${passes} passes in a minute`)
    const about = { controller: 'Toy', key: 'default/car', toy: 'default/car' }
    assert.deepEqual(told, [
      ['registry quay.io did not answer', { ...about, reason: 'RegistryUnreachable', todo: 'wait', kernel: '6.1' }],
    ])
    await operator.stop()
  })

  it('sends only once what the server does not take over', async () => {
    const trim = ({ apiVersion, kind, metadata }: KubeObject): KubeObject => ({ apiVersion, kind, metadata })
    const watches = toyWatches.map(watch => (watch.resource === configMaps ? { ...watch, trim } : watch))
    const world = createToyWorld({ operator: { watches } })
    world.api.create(toys, toy('car', { parts: ['wheel'], colour: 'red' }))
    const operator = world.startOperator()
    await world.pass(10_000)
    for (let time = 0; time < 5; time++) {
      world.setSpec('car', { parts: ['wheel'], colour: 'red', size: time })
      await world.pass(10_000)
    }
    assert.deepEqual(
      world.written.filter(line => line.includes('configmaps')),
      ['patch configmaps car-wheel', 'patch configmaps car-wheel (kept)'],
    )
    await operator.stop()
  })

  it('as long as the server asks for', async () => {
    const world = createToyWorld()
    let refused = 1
    world.setFault((_request, isWrite) =>
      isWrite && refused-- > 0 ? status(429, 'TooManyRequests', { 'retry-after': '5' }) : 'pass',
    )
    world.api.create(toys, toy('car', { parts: ['wheel'] }))
    const operator = world.startOperator()
    await world.pass(4_900)
    assert.deepEqual(world.partNames(), [])
    await world.pass(200)
    assert.deepEqual(world.partNames(), ['car-wheel'])
    await operator.stop()
  })
})
