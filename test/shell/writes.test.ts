// The single writes, on the model API server.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../../src/core/object.ts'
import type { Removal } from '../../src/core/plan.ts'
import { nodes } from '../../src/core/resources.ts'
import { builtInResources, createApiServer } from '../../src/model/api-server.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { sendApply, takeOver } from '../../src/shell/kube/apply.ts'
import { needsApply } from '../../src/shell/kube/compare.ts'
import { sendRemoval } from '../../src/shell/kube/remove.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { managedFieldsTrim } from '../../src/shell/snapshot/trim.ts'
import { configMaps } from './toys.ts'

const never = new AbortController().signal
const part = (metadata: object, data?: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', ...metadata },
  ...(data === undefined ? {} : { data }),
})

function setUp() {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'))
  const requests: KubeRequest[] = []
  let before: (request: KubeRequest) => void = () => {}
  const api = createApiServer({ clock, resources: builtInResources })
  const sender = {
    clock,
    deadlineMs: 30_000,
    transport: (request: KubeRequest, stop: AbortSignal) => {
      requests.push(request)
      before(request)
      return api.transport(request, stop)
    },
  }
  const seen = (): KubeObject => api.get(configMaps, 'default/a') ?? assert.fail('a is gone')
  const paint = (colour: string, manager = 'a-person') =>
    api.update(configMaps, 'default/a', object => ({ ...object, data: { colour } }) as KubeObject, manager)
  return { api, sender, requests, seen, paint, onRequest: (next: typeof before) => (before = next) }
}

const removalOf = (object: KubeObject, finalizer?: string): Removal => ({
  object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' },
  uid: object.metadata.uid ?? '',
  resourceVersion: object.metadata.resourceVersion ?? '',
  because: 'the test wants it',
  ...(finalizer === undefined ? {} : { finalizer }),
})

describe('A removal', () => {
  it('removes the object as it was seen', async () => {
    const { api, sender, seen } = setUp()
    api.create(configMaps, part({}))
    assert.equal((await sendRemoval(sender, configMaps, removalOf(seen()), seen(), never)).result, 'written')
    assert.equal(api.get(configMaps, 'default/a'), undefined)
    assert.equal(
      (await sendRemoval(sender, configMaps, removalOf(part({ uid: 'u', resourceVersion: '1' })), undefined, never)).result,
      'gone',
    )
  })

  it('leaves alone what changed since', async () => {
    const { api, sender, seen, paint } = setUp()
    api.create(configMaps, part({}))
    const removal = removalOf(seen())
    paint('red')
    assert.equal((await sendRemoval(sender, configMaps, removal, seen(), never)).result, 'again')
    assert.ok(api.get(configMaps, 'default/a'))
  })

  it('leaves alone another incarnation', async () => {
    const { api, sender, seen } = setUp()
    api.create(configMaps, part({}))
    const removal = removalOf(seen())
    api.remove(configMaps, 'default/a')
    api.create(configMaps, part({}))
    assert.equal((await sendRemoval(sender, configMaps, removal, seen(), never)).result, 'again')
    assert.ok(api.get(configMaps, 'default/a'))
  })

  it('takes off one finalizer of several', async () => {
    const { api, sender, seen, requests } = setUp()
    api.create(configMaps, part({ finalizers: ['x/one', 'x/two', 'x/three'] }))
    assert.equal((await sendRemoval(sender, configMaps, removalOf(seen(), 'x/two'), seen(), never)).result, 'written')
    assert.deepEqual(seen().metadata.finalizers, ['x/one', 'x/three'])
    assert.equal((await sendRemoval(sender, configMaps, removalOf(seen(), 'x/two'), seen(), never)).result, 'gone')
    assert.equal(requests.length, 1, 'what is not there needs no request')
  })

  it('takes off no finalizer of an object that changed since', async () => {
    const { api, sender, seen, paint } = setUp()
    api.create(configMaps, part({ finalizers: ['x/one'] }))
    const old = seen()
    paint('red')
    assert.equal((await sendRemoval(sender, configMaps, removalOf(old, 'x/one'), old, never)).result, 'again')
    assert.deepEqual(seen().metadata.finalizers, ['x/one'])
  })
})

describe('An apply', () => {
  it('makes what we state ours, also what somebody else has', async () => {
    const { api, sender, seen, paint } = setUp()
    api.create(configMaps, part({}))
    paint('blue')
    const stated = part({}, { colour: 'red' })
    assert.ok(needsApply(stated, seen(), 'us'))
    await sendApply(sender, configMaps, stated, 'main', 'us', never)
    assert.deepEqual((seen() as { data?: unknown }).data, { colour: 'red' })
    assert.ok(!needsApply(stated, seen(), 'us'))
    paint('green')
    assert.ok(needsApply(stated, seen(), 'us'))
  })

  it('sends no nulls, and is content afterwards', async () => {
    const { sender, seen, requests } = setUp()
    const stated = part({ labels: {}, annotations: null }, { colour: 'red', size: null })
    await sendApply(sender, configMaps, stated, 'main', 'us', never)
    assert.deepEqual(
      requests.map(({ body }) => (body as { data?: unknown }).data),
      [{ colour: 'red' }],
    )
    assert.ok(!needsApply(stated, seen(), 'us'))
  })

  it('with a uid creates nothing: neither where nothing is nor where another incarnation is', async () => {
    const { api, sender } = setUp()
    const ghost = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n', uid: '11111111-2222-3333-4444-555555555555', labels: { a: 'b' } },
    }
    assert.equal((await sendApply(sender, nodes, ghost, 'main', 'us', never)).result, 'gone')
    assert.equal(api.get(nodes, 'n'), undefined)
    api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
    assert.equal((await sendApply(sender, nodes, ghost, 'main', 'us', never)).result, 'gone')
    assert.equal(api.get(nodes, 'n')?.metadata.labels?.['a'], undefined)
  })

  it('is refused with a sentence that names the object', async () => {
    const { sender } = setUp()
    await assert.rejects(
      sendApply(sender, configMaps, part({ namespace: 'nowhere' }), 'main', 'us', never),
      /^ApiError: apply ConfigMap nowhere\/a: the API server answered 404 NotFound/,
    )
  })
})

describe('Taking over', () => {
  const former = [{ manager: 'old' }]
  function withOldOperator() {
    const world = setUp()
    world.api.create(configMaps, { ...part({ labels: { a: '1' } }), data: { colour: 'red', old: 'yes' } } as KubeObject, 'old')
    return world
  }

  it('leaves nothing of the old operator that we do not state', async () => {
    const { sender, seen } = withOldOperator()
    const stated = part({}, { colour: 'red' })
    const trim = managedFieldsTrim('us', former)
    const asKept = () => ({ ...seen(), metadata: { ...seen().metadata, managedFields: trim(seen()) } })
    assert.ok(needsApply(stated, asKept(), 'us', 'main', former))
    assert.equal((await takeOver(sender, configMaps, seen(), former, 'main', 'us', never)).result, 'written')
    await sendApply(sender, configMaps, stated, 'main', 'us', never)
    assert.deepEqual((seen() as { data?: unknown }).data, { colour: 'red' })
    assert.equal(seen().metadata.labels, undefined)
    assert.ok(!needsApply(stated, asKept(), 'us', 'main', former))
  })

  it('would leave them after a forced apply alone', async () => {
    const { sender, seen } = withOldOperator()
    await sendApply(sender, configMaps, part({}, { colour: 'red' }), 'main', 'us', never)
    assert.deepEqual((seen() as { data?: unknown }).data, { colour: 'red', old: 'yes' })
  })

  it('does nothing where the object changed between reading and writing, or is another one', async () => {
    const { sender, seen, onRequest, paint, api } = withOldOperator()
    const old = seen()
    onRequest(({ method }) => {
      if (method === 'PATCH') paint('green')
    })
    assert.equal((await takeOver(sender, configMaps, old, former, 'main', 'us', never)).result, 'again')
    onRequest(() => {})
    api.remove(configMaps, 'default/a')
    assert.equal((await takeOver(sender, configMaps, old, former, 'main', 'us', never)).result, 'gone')
    api.create(configMaps, part({}, { colour: 'red' }), 'old')
    assert.equal((await takeOver(sender, configMaps, old, former, 'main', 'us', never)).result, 'gone')
    assert.deepEqual(
      seen().metadata.managedFields?.map(entry => entry.manager),
      ['old'],
    )
  })
})
