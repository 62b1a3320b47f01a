// Leader election: never two leaders by the monotonic clock, and no longer without one than the Lease lasts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { leadingTransport } from '../../src/shell/lease/leading-transport.ts'
import { leases } from '../../src/shell/lease/lease.ts'
import { leaseName, leaseWorld, type Network, namespace } from './lease-world.ts'

const key = `${namespace}/${leaseName}`

/** a leads, b waits. */
async function twoReplicas() {
  const world = leaseWorld()
  const a = world.replica('a')
  await world.pass(500)
  const b = world.replica('b')
  await world.pass(5000)
  assert.deepEqual(world.reign, ['a'])
  return { world, a, b }
}

describe('leader election', () => {
  it('the first replica leads at once and says so in the words of the original', async () => {
    const world = leaseWorld()
    const a = world.replica('a')
    await world.pass(200)
    assert.equal(a.outcome, 'leading')
    assert.deepEqual(a.log, [`info attempting to acquire leader lease ${key}... a`, `info successfully acquired lease ${key} a`])
    assert.deepEqual(world.lease()?.spec, {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.050000Z',
      renewTime: '2026-01-01T00:00:00.050000Z',
      leaseTransitions: 0,
    })
  })

  it('a leader renews every 2 s with one request, a replica that waits asks about as often', async () => {
    const { world } = await twoReplicas()
    world.requests.length = 0
    await world.pass(60_000)
    assert.equal(world.requests.filter(request => request === 'a PUT').length, 30)
    assert.equal(world.requests.filter(request => request === 'a GET').length, 0)
    assert.ok(world.requests.filter(request => request === 'b GET').length <= 30)
    assert.deepEqual(world.reign, ['a'])
  })

  it('a leader that crashes is followed after its Lease, and the change is counted', async () => {
    const { world, a, b } = await twoReplicas()
    a.crash()
    await world.pass(14_000)
    assert.equal(b.outcome, 'standing')
    await world.pass(6000)
    assert.equal(b.outcome, 'leading')
    assert.deepEqual(world.reign, ['a', 'b'])
    assert.equal(world.lease()?.spec?.leaseTransitions, 1)
  })

  it('a replica that sees an old Lease for the first time waits for it in full, whatever time is written in it', async () => {
    const world = leaseWorld()
    const spec = {
      holderIdentity: 'gone',
      leaseDurationSeconds: 15,
      renewTime: '2020-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    }
    world.api.create(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: leaseName, namespace },
      spec,
    } as never)
    const a = world.replica('a')
    await world.pass(14_500)
    assert.equal(a.outcome, 'standing')
    await world.pass(4000)
    assert.equal(a.outcome, 'leading')
    assert.equal(world.lease()?.spec?.leaseTransitions, 5)
  })

  it('a graceful stop gives the Lease back, and the next replica leads within one retry', async () => {
    const { world, a, b } = await twoReplicas()
    const stopped = a.election.stop()
    await world.pass(2500)
    await stopped
    assert.equal(b.outcome, 'leading')
    assert.ok(a.log.includes(`info released lease ${key} a`))
    assert.equal(a.outcome, 'leading', 'lost is for those who did not stop')
  })

  it('a stop of a replica that waits touches nothing', async () => {
    const { world, b } = await twoReplicas()
    world.requests.length = 0
    await Promise.all([b.election.stop(), world.pass(500)])
    assert.equal(b.outcome, 'stopped')
    assert.deepEqual(world.requests, [])
  })

  it('a leader that is stopped in the middle of a renewal gives back what that renewal wrote', async () => {
    const { world, a } = await twoReplicas()
    a.network = 'lost answers'
    await world.pass(2100)
    a.network = 'fine'
    await Promise.all([a.election.stop(), world.pass(500)])
    assert.equal(world.lease()?.spec?.holderIdentity, '')
  })

  for (const network of ['gone', 'silent', 'lost answers'] as const) {
    it(`an API server that is away (${network}) for 9 s costs nothing; for 12 s it costs the lead`, async () => {
      const { world, a } = await twoReplicas()
      await world.pass(2000 - (world.clock.monotonicMs() % 2000) + 100)
      a.network = network
      await world.pass(network === 'gone' ? 9000 : 4000)
      a.network = 'fine'
      await world.pass(5000)
      assert.equal(a.outcome, 'leading')
      a.network = network
      await world.pass(12_000)
      a.network = 'fine'
      await world.pass(20_000)
      if (network === 'lost answers') {
        // What it wrote renewed the Lease for others, but it could not know.
        assert.match(a.outcome, /^lost: /)
      } else assert.equal(a.outcome, `lost: lease ${key} could not be renewed for 10 s`)
      assert.deepEqual(world.reign, ['a', 'b'])
    })
  }

  for (const first of ['timers', 'answers'] as const) {
    it(`a leader that was paused for a minute does not lead for an instant when it goes on (${first} first)`, async () => {
      const { world, a, b } = await twoReplicas()
      a.pause()
      await world.pass(60_000)
      assert.equal(b.outcome, 'leading')
      a.resume(first)
      world.look()
      await world.pass(3000)
      assert.match(a.outcome, /^lost: /)
      assert.deepEqual(world.reign, ['a', 'b'])
    })
  }

  it('a candidate that was paused between its claim and the answer does not lead by that claim', async () => {
    const world = leaseWorld()
    const a = world.replica('a')
    await world.pass(50)
    a.pause()
    assert.deepEqual(world.requests, ['a GET', 'a POST'])
    const b = world.replica('b')
    await world.pass(60_000)
    a.resume('answers')
    world.look()
    await world.pass(5000)
    assert.equal(a.outcome, 'standing')
    assert.equal(b.outcome, 'leading')
  })

  it('wall clocks that jump by hours change nothing', async () => {
    const { world, a, b } = await twoReplicas()
    for (const [first, second] of [
      [3_600_000, 0],
      [-3_600_000, 7_200_000],
      [0, -86_400_000],
    ] as const) {
      a.wallMs = first
      b.wallMs = second
      await world.pass(30_000)
    }
    assert.deepEqual(world.reign, ['a'])
    assert.equal(a.outcome, 'leading')
  })

  it('a Lease that others annotate is renewed all the same, and their words are kept', async () => {
    const { world, a } = await twoReplicas()
    for (let turn = 0; turn < 20; turn++) {
      world.edit(lease => ({ ...lease, metadata: { ...lease.metadata, annotations: { turn: String(turn) } } }))
      await world.pass(1500)
    }
    assert.equal(a.outcome, 'leading')
    assert.equal(world.lease()?.metadata.annotations?.['turn'], '19')
  })

  it('a Lease that is deleted under its leader is made again by the leader, not taken by the others', async () => {
    const { world, a } = await twoReplicas()
    for (const waitMs of [700, 1900, 2300]) {
      world.api.remove(leases, key)
      await world.pass(waitMs)
    }
    await world.pass(20_000)
    assert.equal(a.outcome, 'leading')
    assert.deepEqual(world.reign, ['a'])
  })

  it('a leader that finds another holder in the Lease ends at once', async () => {
    const { world, a } = await twoReplicas()
    world.edit(lease => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'somebody' } }))
    await world.pass(2100)
    assert.equal(a.outcome, `lost: somebody holds lease ${key} now`)
    assert.ok(a.log.includes(`error leader election lost: somebody holds lease ${key} now a`))
  })

  it('two that find no Lease at the same instant make one leader', async () => {
    const world = leaseWorld()
    const [a, b] = [world.replica('a'), world.replica('b')]
    await world.pass(10_000)
    assert.deepEqual([a.outcome, b.outcome].sort(), ['leading', 'standing'])
    assert.equal(world.reign.length, 1)
  })

  it('health: a replica that waits is ready, a leader that lost and goes on is not alive', async () => {
    const { world, a, b } = await twoReplicas()
    assert.deepEqual(b.election.health(), { ready: true, alive: true, reasons: [] })
    a.network = 'gone'
    b.network = 'gone'
    await world.pass(11_000)
    assert.deepEqual(a.election.health(), { ready: false, alive: true, reasons: [`lease ${key} was lost`] })
    await world.pass(8000)
    assert.equal(a.election.health().alive, false)
    assert.equal(b.election.health().ready, true)
    await world.pass(20_000)
    assert.deepEqual([b.election.health().ready, b.election.health().alive], [false, true])
  })

  it('the same trouble is told once, with what to do', async () => {
    const world = leaseWorld()
    const a = world.replica('a')
    a.network = 'gone'
    await world.pass(20_000)
    assert.deepEqual(a.log.slice(1), [`warn cannot acquire lease ${key}: connect ECONNREFUSED`])
  })

  it('writes of a process that does not lead any more are not sent, reads are', async () => {
    const { world, a } = await twoReplicas()
    const sent: string[] = []
    const transport = leadingTransport(
      async ({ method }) => {
        sent.push(method)
        return { status: 200, headers: {}, body: {} }
      },
      () => a.election.isLeader(),
    )
    const send = (method: 'GET' | 'PATCH') => transport({ method, path: '/x', deadlineMs: 1 }, new AbortController().signal)
    await send('PATCH')
    a.pause()
    await world.pass(30_000)
    await assert.rejects(send('PATCH'), /PATCH \/x: not sent, because this process does not lead any more/)
    await send('GET')
    assert.deepEqual(sent, ['PATCH', 'GET'])
  })

  it('whatever happens to three replicas, never two lead, and in the end one does', async () => {
    const deed = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom<'pause' | 'resume' | 'jump' | 'delete' | Network>(
        'pause',
        'resume',
        'jump',
        'delete',
        'fine',
        'gone',
        'silent',
        'lost answers',
      ),
      thenMs: fc.integer({ min: 100, max: 17_000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 8 }), async deeds => {
        const world = leaseWorld()
        const all = ['a', 'b', 'c'].map(name => world.replica(name))
        await world.pass(1000)
        for (const { who, what, thenMs } of deeds) {
          const replica = all[who]
          if (replica === undefined) continue
          if (what === 'pause') replica.pause()
          else if (what === 'resume') replica.resume(thenMs % 2 === 0 ? 'timers' : 'answers')
          else if (what === 'jump') replica.wallMs += thenMs * 1000
          else if (what === 'delete') world.api.remove(leases, key)
          else replica.network = what
          world.look()
          await world.pass(thenMs)
        }
        for (const replica of all) {
          replica.network = 'fine'
          replica.resume()
          // As its Deployment would start it again.
          if (replica.outcome.startsWith('lost')) replica.crash()
        }
        await world.pass(12_000)
        const fresh = world.replica('d')
        await world.pass(40_000)
        const leaders = [...all, fresh].filter(({ election }) => election.isLeader())
        assert.equal(leaders.length, 1)
      }),
      { numRuns: 25 },
    )
  })
})
