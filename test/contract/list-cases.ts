// Lists: selectors, pages, the moment that a list belongs to.
import assert from 'node:assert/strict'
import {
  accepted,
  configMaps,
  events,
  pod,
  pods,
  type Reply,
  refused,
  type Scenario,
  secrets,
  versionOf,
  type World,
} from './world.ts'

const namesOf = (reply: Reply): readonly string[] =>
  [...(reply.body['items'] ?? [])].map(item => String(item['metadata']?.['name']))

async function five(world: World): Promise<void> {
  for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    const labels = { n: String(index), ...(index % 2 === 0 ? { even: 'yes' } : {}) }
    accepted(await world.create(configMaps, { metadata: { name, labels } }), 201)
  }
}

const selectors: readonly (readonly [string, readonly string[]])[] = [
  ['even=yes', ['a', 'c', 'e']],
  ['even==yes,n!=2', ['a', 'e']],
  ['even', ['a', 'c', 'e']],
  ['!even', ['b', 'd']],
  ['even!=yes', ['b', 'd']],
  ['n in (1, 2)', ['b', 'c']],
  ['n notin (1,2),even', ['a', 'e']],
  ['n in (7)', []],
  ['n>2', ['d', 'e']],
]

export function listCases(scenario: Scenario): void {
  scenario('a list has a version, and its items need not say their kind', async world => {
    await five(world)
    const reply = accepted(await world.list(configMaps, { labelSelector: 'n' }))
    assert.equal(reply.body['kind'], 'ConfigMapList')
    assert.match(versionOf(reply), /^[1-9]\d*$/)
    assert.deepEqual(namesOf(reply), ['a', 'b', 'c', 'd', 'e'])
    assert.equal(reply.body['items']?.[0]?.['kind'], undefined)
    assert.equal(reply.body['items']?.[0]?.['apiVersion'], undefined)
  })

  scenario('an empty list has an empty list of items', async world => {
    assert.deepEqual(accepted(await world.list(configMaps, { labelSelector: 'none=here' })).body['items'], [])
  })

  scenario('label selectors', async world => {
    await five(world)
    for (const [selector, names] of selectors) {
      const reply = accepted(await world.list(configMaps, { labelSelector: `n,${selector}` }))
      assert.deepEqual(namesOf(reply), names, selector)
    }
  })

  scenario('field selectors', async world => {
    await five(world)
    assert.deepEqual(namesOf(accepted(await world.list(configMaps, { fieldSelector: 'metadata.name=b' }))), ['b'])
    accepted(await world.create(pods, pod('p', { node: 'contract-node-1' })), 201)
    accepted(await world.create(pods, pod('q')), 201)
    assert.deepEqual(namesOf(accepted(await world.list(pods, { fieldSelector: 'spec.nodeName=contract-node-1' }))), ['p'])
    assert.deepEqual(namesOf(accepted(await world.list(pods, { fieldSelector: 'spec.nodeName!=contract-node-1' }))), ['q'])
    accepted(await world.create(secrets, { metadata: { name: 's' }, type: 'contract.test/t' }), 201)
    assert.deepEqual(namesOf(accepted(await world.list(secrets, { fieldSelector: 'type=contract.test/t' }))), ['s'])
    const about = { kind: 'Pod', namespace: world.namespace, name: 'p', uid: 'u-1' }
    accepted(await world.create(events, { metadata: { name: 'e' }, involvedObject: about, type: 'Warning', reason: 'R' }), 201)
    for (const fieldSelector of [
      'type=Warning,reason=R',
      'involvedObject.kind=Pod,involvedObject.name=p',
      'involvedObject.uid=u-1',
    ]) {
      assert.deepEqual(namesOf(accepted(await world.list(events, { fieldSelector }))), ['e'], fieldSelector)
    }
    refused(
      await world.list(configMaps, { fieldSelector: 'data.x=1' }),
      400,
      'BadRequest',
      '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    )
    refused(await world.list(pods, { fieldSelector: 'data.x=1' }), 400, 'BadRequest', 'field label not supported: data.x')
  })

  scenario('a bad label selector is refused', async world => {
    refused(
      await world.list(configMaps, { labelSelector: 'a in b' }),
      400,
      'BadRequest',
      "unable to parse requirement: found 'b'",
    )
  })

  scenario('pages belong to one moment: what is created or deleted between them does not show', async world => {
    await five(world)
    const first = accepted(await world.list(configMaps, { labelSelector: 'n', limit: '2' }))
    assert.deepEqual(namesOf(first), ['a', 'b'])
    await world.remove(configMaps, 'c')
    await world.create(configMaps, { metadata: { name: 'cc', labels: { n: '9' } } })
    const metadata = first.body['metadata'] as unknown as { continue: string }
    const second = accepted(await world.list(configMaps, { labelSelector: 'n', limit: '2', continue: metadata.continue }))
    assert.deepEqual(namesOf(second), ['c', 'd'])
    assert.equal(versionOf(second), versionOf(first))
    const next = second.body['metadata'] as unknown as { continue: string }
    const last = accepted(await world.list(configMaps, { labelSelector: 'n', limit: '2', continue: next.continue }))
    assert.deepEqual(namesOf(last), ['e'])
    assert.equal(last.body['metadata']?.['continue'], undefined)
  })

  scenario('a first page says how many objects follow', async world => {
    for (const name of ['x', 'y', 'z']) accepted(await world.create(secrets, { metadata: { name } }), 201)
    const reply = accepted(await world.list(secrets, { limit: '1' }))
    assert.equal(reply.body['metadata']?.['remainingItemCount'], 2)
  })

  scenario('a made-up continue token is refused', async world => {
    refused(await world.list(configMaps, { limit: '1', continue: 'nonsense' }), 400, 'BadRequest')
  })
}
