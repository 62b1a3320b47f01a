// What a quota of a namespace refuses in pods, and how a server says so. Where no controllers run, a case counts in their place.
import assert from 'node:assert/strict'
import type { Resource } from '../../src/core/object.ts'
import { accepted, eventually, pod, pods, type Reply, refused, type Scenario, type World } from './world.ts'

const quotas: Resource = { apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true }
type Amounts = Readonly<Record<string, string>>

const tryPod = (world: World, name: string): Promise<Reply> => world.create(pods, pod(name), { dryRun: 'All' })

/** A quota that has counted, as the quota controller leaves it, and that the server knows of: its admission sees quotas by a watch. */
async function countedQuota(world: World, name: string, hard: Amounts, used: Amounts): Promise<void> {
  accepted(await world.create(quotas, { metadata: { name }, spec: { hard } }), 201)
  const known = async () => (await world.get(quotas, name)).body['status']
  if (world.hasControllers) await eventually('the quota is counted', async () => (await known())?.['used'] !== undefined)
  else accepted(await world.patch(quotas, name, 'merge-patch+json', { status: { hard, used } }, 'status'))
  assert.deepEqual(await known(), { hard, used })
}

export function quotaCases(scenario: Scenario): void {
  scenario('a quota refuses the pod that it has no room for, in these words', async world => {
    await countedQuota(world, 'q', { pods: '1' }, { pods: '0' })
    accepted(await world.create(pods, pod('first')), 201)
    await eventually('the second is refused', async () => (await tryPod(world, 'second')).status === 403)
    const reply = await world.create(pods, pod('second'))
    refused(reply, 403, 'Forbidden')
    assert.equal(
      reply.body['message'],
      'pods "second" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    )
    assert.deepEqual((await world.get(quotas, 'q')).body['status'], { hard: { pods: '1' }, used: { pods: '1' } })
  })

  scenario('a quota names everything that is exceeded, and nothing else', async world => {
    const hard = { 'count/pods': '0', pods: '0', services: '2' }
    await countedQuota(world, 'q', hard, { 'count/pods': '0', pods: '0', services: '0' })
    await eventually('a pod is refused', async () => (await tryPod(world, 'p')).status === 403)
    const amounts = 'requested: count/pods=1,pods=1, used: count/pods=0,pods=0, limited: count/pods=0,pods=0'
    refused(await tryPod(world, 'p'), 403, 'Forbidden', `pods "p" is forbidden: exceeded quota: q, ${amounts}`)
  })

  scenario('a pod that is only tried is charged to no quota', async world => {
    await countedQuota(world, 'q', { pods: '1k' }, { pods: '0' })
    accepted(await tryPod(world, 'p'), 201)
    assert.deepEqual((await world.get(quotas, 'q')).body['status'], { hard: { pods: '1k' }, used: { pods: '0' } })
  })

  scenario('amounts are stored in the form of quantities', async world => {
    const reply = accepted(await world.create(quotas, { metadata: { name: 'q' }, spec: { hard: { pods: '1000' } } }), 201)
    assert.deepEqual(reply.body['spec'], { hard: { pods: '1k' } })
  })

  scenario(
    'a quota that has not been counted limits nothing where nobody counts, else the pod that is gone makes room',
    async world => {
      accepted(await world.create(quotas, { metadata: { name: 'q' }, spec: { hard: { pods: '1' } } }), 201)
      if (!world.hasControllers) {
        for (const name of ['first', 'second']) accepted(await world.create(pods, pod(name)), 201)
        return
      }
      const usedIs = (count: string) =>
        eventually(`used: ${count}`, async () => (await world.get(quotas, 'q')).body['status']?.['used']?.['pods'] === count)
      await usedIs('0')
      await eventually('there is room for one', async () => (await world.create(pods, pod('first'))).status === 201)
      await usedIs('1')
      await world.remove(pods, 'first', { gracePeriodSeconds: 0 })
      await usedIs('0')
      accepted(await world.create(pods, pod('second')), 201)
    },
  )
}
