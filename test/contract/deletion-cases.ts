// Deletion: preconditions, finalizers, grace periods, namespaces.
import assert from 'node:assert/strict'
import {
  accepted,
  configMaps,
  daemonSet,
  daemonSets,
  eventually,
  metadataOf,
  namespaces,
  pod,
  pods,
  refused,
  type Scenario,
  versionOf,
} from './world.ts'

const held = { metadata: { name: 'a', finalizers: ['contract.test/hold'] } }
const release = [
  { op: 'test', path: '/metadata/finalizers/0', value: 'contract.test/hold' },
  { op: 'remove', path: '/metadata/finalizers/0' },
]

export function deletionCases(scenario: Scenario): void {
  scenario('a deleted object is gone at once, and the answer is a success', async world => {
    accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    const reply = accepted(await world.remove(configMaps, 'a'))
    assert.equal(reply.body['kind'], 'Status')
    assert.equal(reply.body['status'], 'Success')
    refused(await world.get(configMaps, 'a'), 404, 'NotFound', 'configmaps "a" not found')
    refused(await world.remove(configMaps, 'a'), 404, 'NotFound')
  })

  scenario('a delete with the uid or version of something else is a conflict', async world => {
    const made = accepted(await world.create(configMaps, { metadata: { name: 'a' } }), 201)
    const { uid = '', resourceVersion = '' } = metadataOf(made)
    const other = '00000000-0000-4000-8000-000000000001'
    refused(await world.remove(configMaps, 'a', { preconditions: { uid: other } }), 409, 'Conflict', 'UID in the precondition')
    await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: '1' } })
    const stale = { preconditions: { uid, resourceVersion } }
    refused(await world.remove(configMaps, 'a', stale), 409, 'Conflict', 'ResourceVersion in the precondition')
    const now = versionOf(await world.get(configMaps, 'a'))
    accepted(await world.remove(configMaps, 'a', { preconditions: { uid, resourceVersion: now } }))
  })

  scenario('a finalizer keeps a deleted object until it is taken off', async world => {
    accepted(await world.create(configMaps, held), 201)
    const reply = accepted(await world.remove(configMaps, 'a'))
    assert.ok(metadataOf(reply).deletionTimestamp !== undefined)
    assert.equal(metadataOf(reply).deletionGracePeriodSeconds, 0)
    const again = accepted(await world.remove(configMaps, 'a'))
    assert.equal(again.status, 200)
    accepted(await world.patch(configMaps, 'a', 'json-patch+json', release))
    refused(await world.get(configMaps, 'a'), 404, 'NotFound')
  })

  scenario('a second release finds the object gone, or its test fails', async world => {
    accepted(await world.create(configMaps, held), 201)
    accepted(await world.patch(configMaps, 'a', 'json-patch+json', release))
    assert.equal((await world.patch(configMaps, 'a', 'json-patch+json', release)).status, 422)
    await world.remove(configMaps, 'a')
    refused(await world.patch(configMaps, 'a', 'json-patch+json', release), 404, 'NotFound')
  })

  scenario('no finalizer can be added to an object that is being deleted', async world => {
    accepted(await world.create(configMaps, held), 201)
    await world.remove(configMaps, 'a')
    const add = [{ op: 'add', path: '/metadata/finalizers/-', value: 'contract.test/late' }]
    refused(
      await world.patch(configMaps, 'a', 'json-patch+json', add),
      422,
      'Invalid',
      'no new finalizers can be added if the object is being deleted',
    )
    accepted(await world.patch(configMaps, 'a', 'json-patch+json', release))
  })

  scenario('deletion counts as a change of generation', async world => {
    accepted(
      await world.create(daemonSets, { ...daemonSet('a'), metadata: { name: 'a', finalizers: ['contract.test/hold'] } }),
      201,
    )
    assert.equal(metadataOf(accepted(await world.remove(daemonSets, 'a', { propagationPolicy: 'Background' }))).generation, 2)
    accepted(await world.patch(daemonSets, 'a', 'json-patch+json', release))
  })

  scenario('foreground deletion waits for the garbage collector', async world => {
    accepted(await world.create(configMaps, held), 201)
    const reply = accepted(await world.remove(configMaps, 'a', { propagationPolicy: 'Foreground' }))
    assert.ok(metadataOf(reply).finalizers?.includes('foregroundDeletion'))
    accepted(await world.patch(configMaps, 'a', 'merge-patch+json', { metadata: { finalizers: null } }))
  })

  scenario('an unscheduled pod is deleted at once', async world => {
    accepted(await world.create(pods, pod('a')), 201)
    accepted(await world.remove(pods, 'a'))
    refused(await world.get(pods, 'a'), 404, 'NotFound')
  })

  scenario('a scheduled pod is deleted in two steps: its grace period, then the kubelet', async world => {
    const made = accepted(
      await world.create(pods, pod('a', { node: world.unique('node'), spec: { terminationGracePeriodSeconds: 300 } })),
      201,
    )
    const first = accepted(await world.remove(pods, 'a'))
    assert.equal(metadataOf(first).deletionGracePeriodSeconds, 300)
    const seconds = Date.parse(metadataOf(first).deletionTimestamp ?? '') - Date.parse(metadataOf(made).creationTimestamp ?? '')
    assert.ok(seconds >= 300_000 && seconds < 330_000, `${seconds} ms until the end`)
    const longer = accepted(await world.remove(pods, 'a', { gracePeriodSeconds: 400 }))
    assert.equal(metadataOf(longer).deletionGracePeriodSeconds, 300)
    const shorter = accepted(await world.remove(pods, 'a', { gracePeriodSeconds: 200 }))
    assert.equal(metadataOf(shorter).deletionGracePeriodSeconds, 200)
    accepted(await world.remove(pods, 'a', { gracePeriodSeconds: 0, preconditions: { uid: metadataOf(made).uid } }))
    refused(await world.get(pods, 'a'), 404, 'NotFound')
  })

  scenario('the finalizer of a scheduled pod outlives the kubelet', async world => {
    const spec = { terminationGracePeriodSeconds: 300 }
    accepted(
      await world.create(pods, pod('a', { node: world.unique('node'), metadata: { finalizers: ['contract.test/hold'] }, spec })),
      201,
    )
    accepted(await world.remove(pods, 'a'))
    const reply = accepted(await world.remove(pods, 'a', { gracePeriodSeconds: 0 }))
    assert.equal(metadataOf(reply).deletionGracePeriodSeconds, 0)
    assert.deepEqual(metadataOf(accepted(await world.get(pods, 'a'))).finalizers, ['contract.test/hold'])
    accepted(await world.patch(pods, 'a', 'json-patch+json', release))
    refused(await world.get(pods, 'a'), 404, 'NotFound')
  })

  scenario('a finalizer that is released during the grace period does not end the pod', async world => {
    const spec = { terminationGracePeriodSeconds: 300 }
    accepted(
      await world.create(pods, pod('a', { node: world.unique('node'), metadata: { finalizers: ['contract.test/hold'] }, spec })),
      201,
    )
    accepted(await world.remove(pods, 'a'))
    accepted(await world.patch(pods, 'a', 'json-patch+json', release))
    accepted(await world.get(pods, 'a'))
    accepted(await world.remove(pods, 'a', { gracePeriodSeconds: 0 }))
    refused(await world.get(pods, 'a'), 404, 'NotFound')
  })

  scenario('a namespace that is being deleted takes nothing new, and goes with its contents', async world => {
    const name = world.unique('ending')
    accepted(await world.create(namespaces, { metadata: { name } }), 201)
    const path = `/api/v1/namespaces/${name}/configmaps`
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', finalizers: ['contract.test/hold'] } }
    accepted(await world.request('POST', path, { body }), 201)
    const reply = accepted(await world.remove(namespaces, name))
    assert.equal(reply.body['status']?.['phase'], 'Terminating')
    const late = { ...body, metadata: { name: 'b' } }
    refused(await world.request('POST', path, { body: late }), 403, 'Forbidden', 'because it is being terminated')
    accepted(await world.request('PATCH', `${path}/a`, { body: release, contentType: 'application/json-patch+json' }))
    // Without a controller manager a real namespace stays for ever.
    if (!world.hasControllers) return
    await eventually('the namespace is gone', async () => (await world.get(namespaces, name)).status === 404)
  })
}
