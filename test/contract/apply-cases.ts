// Server-side apply: who owns what.
import assert from 'node:assert/strict'
import {
  accepted,
  configMaps,
  daemonSet,
  daemonSets,
  eventually,
  metadataOf,
  nodes,
  ownersOf,
  pod,
  pods,
  type Reply,
  refused,
  type Scenario,
  versionOf,
  type World,
} from './world.ts'

const data = (name: string, values: object) => ({ metadata: { name }, data: values })

export function applyCases(scenario: Scenario): void {
  scenario('apply creates an object and owns what it stated, nothing else', async world => {
    const reply = accepted(
      await world.apply(configMaps, { metadata: { name: 'a', labels: { l: '1' } }, data: { x: '1' } } as never),
      201,
    )
    assert.deepEqual(ownersOf(reply), { 'one Apply': { 'f:metadata': { 'f:labels': { 'f:l': {} } }, 'f:data': { 'f:x': {} } } })
  })

  scenario('apply of what is there already writes nothing', async world => {
    const first = accepted(await world.apply(configMaps, data('a', { x: '1' })), 201)
    const second = accepted(await world.apply(configMaps, data('a', { x: '1' })))
    assert.deepEqual(second.body, first.body)
  })

  scenario('a field that is no longer applied goes, when nobody else owns it', async world => {
    await world.apply(configMaps, data('a', { x: '1', y: '2' }))
    const reply = accepted(await world.apply(configMaps, data('a', { x: '1' })))
    assert.deepEqual(reply.body['data'], { x: '1' })
  })

  scenario('two managers share a field that both state, and it stays until both let go', async world => {
    await world.apply(configMaps, data('a', { x: '1', y: '1' }))
    const shared = accepted(await world.apply(configMaps, data('a', { x: '1' }), { by: 'two' }))
    assert.deepEqual(Object.keys(ownersOf(shared)).sort(), ['one Apply', 'two Apply'])
    const released = accepted(await world.apply(configMaps, data('a', { y: '1' })))
    assert.deepEqual(released.body['data'], { x: '1', y: '1' })
    const gone = accepted(await world.apply(configMaps, data('a', {}), { by: 'two' }))
    assert.deepEqual(gone.body['data'], { y: '1' })
  })

  scenario('another value for a field of another manager is a conflict that names the manager and the field', async world => {
    await world.apply(configMaps, data('a', { x: '1' }))
    const reply = await world.apply(configMaps, data('a', { x: '2' }), { by: 'two' })
    refused(reply, 409, 'Conflict', 'Apply failed with 1 conflict', 'conflict with "one"', '.data.x')
    assert.equal(reply.body['details']?.['causes']?.[0]?.['reason'], 'FieldManagerConflict')
    assert.equal(reply.body['details']?.['causes']?.[0]?.['field'], '.data.x')
  })

  scenario('force takes the field over; the former owner owns it no more', async world => {
    await world.apply(configMaps, data('a', { x: '1' }))
    const reply = accepted(await world.apply(configMaps, data('a', { x: '2' }), { by: 'two', force: true }))
    assert.deepEqual(reply.body['data'], { x: '2' })
    assert.deepEqual(ownersOf(reply), { 'two Apply': { 'f:data': { 'f:x': {} } } })
  })

  scenario('an update makes its manager the owner of what it changed, and takes it from the applier', async world => {
    await world.apply(configMaps, data('a', { x: '1', y: '1' }))
    const reply = accepted(await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: '2' } }))
    assert.deepEqual(ownersOf(reply), {
      'one Apply': { 'f:data': { 'f:y': {} } },
      'contract Update': { 'f:data': { 'f:x': {} } },
    })
    refused(await world.apply(configMaps, data('a', { x: '1', y: '1' })), 409, 'Conflict', 'conflict with "contract" using v1')
  })

  scenario('what an update manager owns stays when the applier that took it over by force lets go', async world => {
    await world.create(configMaps, data('a', { x: '1' }))
    const forced = accepted(await world.apply(configMaps, data('a', { x: '1', y: '1' }), { force: true }))
    assert.deepEqual(Object.keys(ownersOf(forced)).sort(), ['contract Update', 'one Apply'])
    const reply = accepted(await world.apply(configMaps, data('a', { y: '1' })))
    assert.deepEqual(reply.body['data'], { x: '1', y: '1' })
  })

  scenario(
    'after its entry was renamed to ours by a JSON patch, what an older manager owned goes when we leave it out',
    async world => {
      const made = accepted(await world.create(configMaps, data('a', { old: '1', kept: '1' })), 201)
      const entries = metadataOf(made).managedFields ?? []
      const index = entries.findIndex(entry => entry.manager === 'contract')
      const steps = [
        { op: 'test', path: '/metadata/resourceVersion', value: versionOf(made) },
        { op: 'replace', path: `/metadata/managedFields/${index}/manager`, value: 'one' },
        { op: 'replace', path: `/metadata/managedFields/${index}/operation`, value: 'Apply' },
      ]
      const renamed = accepted(await world.patch(configMaps, 'a', 'json-patch+json', steps))
      assert.deepEqual(Object.keys(ownersOf(renamed)), ['one Apply'])
      const reply = accepted(await world.apply(configMaps, data('a', { kept: '1' })))
      assert.deepEqual(reply.body['data'], { kept: '1' })
    },
  )

  scenario('managedFields in an applied object are refused', async world => {
    const managedFields = [
      { manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } },
    ]
    refused(
      await world.apply(configMaps, { metadata: { name: 'a', managedFields } }),
      400,
      'BadRequest',
      'managedFields must be nil',
    )
  })

  scenario('apply without a field manager is refused', async world => {
    const path = `/api/v1/namespaces/${world.namespace}/configmaps/a`
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
    const reply = await world.request('PATCH', path, { body, contentType: 'application/apply-patch+yaml' })
    refused(reply, 422, 'Invalid', 'fieldManager: Required value: is required for apply patch')
  })

  scenario('applying a label to a Node that is gone makes a ghost Node; with its uid it is a 409 instead', async world => {
    const name = world.unique('ghost')
    world.atEnd(() => world.remove(nodes, name))
    const uid = '00000000-0000-4000-8000-000000000001'
    refused(
      await world.apply(nodes, { metadata: { name, uid, labels: { l: '1' } } }),
      409,
      'Conflict',
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
    accepted(await world.apply(nodes, { metadata: { name, labels: { l: '1' } } }), 201)
  })

  scenario('the uid of another incarnation is refused by apply', async world => {
    const made = accepted(await world.create(configMaps, data('a', {})), 201)
    const right = await world.apply(configMaps, { metadata: { name: 'a', uid: metadataOf(made).uid, labels: { l: '1' } } })
    accepted(right)
    const wrong = await world.apply(configMaps, {
      metadata: { name: 'a', uid: '00000000-0000-4000-8000-000000000001', labels: { l: '2' } },
    })
    refused(wrong, 422, 'Invalid', 'metadata.uid: Invalid value:', 'field is immutable')
  })

  scenario('a stale resourceVersion in an applied object is a conflict', async world => {
    const made = accepted(await world.create(configMaps, data('a', {})), 201)
    await world.patch(configMaps, 'a', 'merge-patch+json', { data: { x: '1' } })
    const reply = await world.apply(configMaps, { metadata: { name: 'a', resourceVersion: versionOf(made), labels: { l: '1' } } })
    refused(reply, 409, 'Conflict', 'the object has been modified')
  })

  scenario('lists with keys merge item by item, other lists have one owner', async world => {
    const env = (name: string) => daemonSet('a', { container: { env: [{ name, value: '1' }] } })
    accepted(await world.apply(daemonSets, env('ONE')), 201)
    const both = accepted(await world.apply(daemonSets, env('TWO'), { by: 'two' }))
    const container = both.body['spec']?.['template']?.['spec']?.['containers']?.[0]
    assert.deepEqual(container?.['env'], [
      { name: 'ONE', value: '1' },
      { name: 'TWO', value: '1' },
    ])
    const mine = JSON.stringify(ownersOf(both)['two Apply'])
    assert.ok(mine.includes('"f:containers":{"k:{\\"name\\":\\"a\\"}":{".":{}'), mine)
    const tolerations = (key: string) => daemonSet('a', { pod: { tolerations: [{ key, operator: 'Exists' }] } })
    accepted(await world.apply(daemonSets, tolerations('x')))
    refused(await world.apply(daemonSets, tolerations('y'), { by: 'two' }), 409, 'Conflict', '.spec.template.spec.tolerations')
  })

  scenario(
    'a finalizer of the pod template cannot be taken off a running object by leaving it out of apply, only by patch',
    async world => {
      accepted(await world.create(pods, pod('a', { metadata: { finalizers: ['contract.test/hold'] } })), 201)
      const reply = accepted(await world.apply(pods, { metadata: { name: 'a', finalizers: [] } }))
      assert.deepEqual(metadataOf(reply).finalizers, ['contract.test/hold'])
      const steps = [
        { op: 'test', path: '/metadata/finalizers/0', value: 'contract.test/hold' },
        { op: 'remove', path: '/metadata/finalizers/0' },
      ]
      assert.equal(metadataOf(accepted(await world.patch(pods, 'a', 'json-patch+json', steps))).finalizers, undefined)
    },
  )

  scenario('apply cannot take the service account of a pod template away, only name another one', async world => {
    const named = (serviceAccountName: string) => daemonSet('a', { pod: { serviceAccountName } })
    const account = (reply: Reply) => reply.body['spec']?.['template']?.['spec']?.['serviceAccountName']
    accepted(await world.apply(daemonSets, named('x')), 201)
    assert.equal(account(accepted(await world.apply(daemonSets, daemonSet('a')))), 'x')
    assert.equal(account(accepted(await world.apply(daemonSets, named('y')))), 'y')
  })

  scenario('an applied update strategy and template touch no selector and no generation twice', async world => {
    const onDelete = daemonSet('a', { spec: { updateStrategy: { type: 'OnDelete' } } })
    accepted(await world.create(daemonSets, daemonSet('a')), 201)
    const adopted = accepted(await world.apply(daemonSets, onDelete, { force: true }))
    assert.deepEqual(adopted.body['spec']?.['updateStrategy'], {
      type: 'OnDelete',
      rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
    })
    assert.equal(metadataOf(adopted).generation, 2)
    assert.equal(metadataOf(accepted(await world.apply(daemonSets, onDelete, { force: true }))).generation, 2)
  })

  for (const [what, object] of awkward) {
    scenario(`applied twice, ${what} changes nothing the second time`, async world => {
      accepted(await world.apply(daemonSets, object), 201)
      const before = await settled(world)
      accepted(await world.apply(daemonSets, object))
      assert.deepEqual(await settled(world), before)
    })
  }
}

const awkward: readonly (readonly [string, ReturnType<typeof daemonSet>])[] = [
  ['a quantity of 1000m', daemonSet('a', { container: { resources: { limits: { cpu: '1000m', memory: '1024Mi' } } } })],
  ['an empty list of tolerations', daemonSet('a', { pod: { tolerations: [] } })],
  ['an empty list of volumes', daemonSet('a', { pod: { volumes: [] } })],
  ['an empty map of limits', daemonSet('a', { container: { resources: { limits: {} } } })],
  ['a null service account', daemonSet('a', { pod: { serviceAccountName: null } })],
  ['an empty value of a variable', daemonSet('a', { container: { env: [{ name: 'A', value: '' }] } })],
  ['an empty list of arguments', daemonSet('a', { container: { args: [] } })],
  ['a volume without a source', daemonSet('a', { pod: { volumes: [{ name: 'v' }] } })],
  ['an empty pod security context', daemonSet('a', { pod: { securityContext: {} } })],
  ['an empty label', daemonSet('a', { labels: { l: '' } })],
  ['hostNetwork false', daemonSet('a', { pod: { hostNetwork: false } })],
]

/** The object but for its status, once controllers have looked at it. */
async function settled(world: World): Promise<unknown> {
  let reply = accepted(await world.get(daemonSets, 'a'))
  if (world.hasControllers) {
    await eventually('the DaemonSet controller has seen the DaemonSet', async () => {
      reply = accepted(await world.get(daemonSets, 'a'))
      return (reply.body['status']?.['observedGeneration'] as unknown) === metadataOf(reply).generation
    })
  }
  return reply.body
}
