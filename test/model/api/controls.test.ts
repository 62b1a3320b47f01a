// What a test or a simulation can do to the model that nobody can do to a real server.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodes, pods } from '../../../src/core/resources.ts'
import { ApiError, type AuditEntry, type Change, type Fault } from '../../../src/model/api-server.ts'
import { configMap, configMaps, testServer } from './server.ts'

const pod = (name: string, nodeName: string) => ({
  ...configMap(name),
  kind: 'Pod',
  spec: { nodeName, containers: [{ name: 'a', image: 'a:1' }] },
})

describe('faults', () => {
  const faulty = () => {
    const faults: Fault[] = []
    return { faults, ...testServer({ fault: (_, isWrite) => (isWrite ? (faults.shift() ?? 'pass') : 'pass') }) }
  }

  it('fail-before breaks the connection and carries out nothing', () => {
    const { api, create, faults } = faulty()
    faults.push('fail-before')
    assert.throws(() => create('a'), /the connection broke before POST .*configmaps was carried out/)
    assert.equal(api.get(configMaps, 'default/a'), undefined)
    assert.equal(api.writes, 0)
  })

  it('fail-after carries it out and loses the answer', () => {
    const { api, create, faults } = faulty()
    faults.push('fail-after')
    assert.throws(() => create('a'), /the connection broke after POST/)
    assert.equal(api.get(configMaps, 'default/a')?.metadata.name, 'a')
    assert.equal(api.writes, 1)
  })

  it('a response is sent instead', () => {
    const { api, create, faults } = faulty()
    faults.push({ status: 429, headers: { 'retry-after': '1' }, body: 'slow down' })
    assert.equal(create('a').status, 429)
    assert.equal(api.list(configMaps).length, 0)
  })

  it('over the transport they reject the promise', async () => {
    const { api, faults } = faulty()
    faults.push('fail-before')
    const request = { method: 'DELETE' as const, path: '/api/v1/nodes/a', deadlineMs: 1 }
    await assert.rejects(api.transport(request, new AbortController().signal), /the connection broke/)
  })
})

describe('audit', () => {
  it('tells who did what, with which answer, and whether it changed anything', () => {
    const entries: AuditEntry[] = []
    const { create, label, list, remove } = testServer({ audit: entry => entries.push(entry) })
    create('a', { x: '1' })
    label('a', { x: '1' })
    list()
    remove('b')
    assert.deepEqual(
      entries.map(
        entry => `${entry.verb} ${entry.resource}/${entry.name ?? ''} by ${entry.manager}: ${entry.status} ${entry.changed}`,
      ),
      [
        'create configmaps/ by test: 201 true',
        'patch configmaps/a by unknown: 200 false',
        'list configmaps/ by unknown: 200 false',
        'delete configmaps/b by unknown: 404 false',
      ],
    )
  })

  it('counts as writes only requests that changed something', () => {
    const { api, create, label, list } = testServer()
    create('a')
    label('a', { x: '1' })
    label('a', { x: '1' })
    list()
    api.create(configMaps, configMap('b'))
    assert.equal(api.writes, 2)
  })
})

describe('admission', () => {
  it('refuses with the words of the webhook, and warns in a header', () => {
    const { create, label, remove } = testServer({
      admit: ({ operation, object }) => ({
        allowed: object?.metadata.labels?.['bad'] === undefined && operation !== 'DELETE',
        webhook: 'v.test',
        message: `no ${operation}`,
        warnings: ['think again'],
      }),
    })
    const made = create('a')
    assert.equal(made.status, 201)
    assert.equal(made.headers['warning'], '299 - "think again"')
    const refused = label('a', { bad: 'yes' })
    assert.equal(refused.status, 403)
    assert.equal((refused.body as { message: string }).message, 'admission webhook "v.test" denied the request: no UPDATE')
    assert.equal(remove('a').status, 403)
  })
})

describe('components of the cluster', () => {
  it('read without copies, and cannot change what they read', () => {
    const { api, create } = testServer()
    create('a', { x: '1' })
    const [object] = api.list(configMaps)
    assert.equal(api.get(configMaps, 'default/a'), object)
    assert.throws(() => Object.assign(object?.metadata.labels ?? {}, { x: '2' }), TypeError)
  })

  it('find by an index, also after a change', () => {
    const { api } = testServer()
    api.create(pods, pod('a', 'one'))
    api.create(pods, pod('b', 'two'))
    api.update(
      pods,
      'default/a',
      object => ({ ...object, spec: { ...(object as ReturnType<typeof pod>).spec, nodeName: 'two' } }) as never,
    )
    assert.deepEqual(api.by(pods, 'spec.nodeName', 'one'), [])
    assert.deepEqual(
      api
        .by(pods, 'spec.nodeName', 'two')
        .map(object => object.metadata.name)
        .sort(),
      ['a', 'b'],
    )
    assert.throws(() => api.by(pods, 'spec.other', 'x'), /have no index of spec.other/)
  })

  it('own what they write under their name; the same object back is no write', () => {
    const { api } = testServer()
    const made = api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels: { a: '1' } } }, 'kubelet')
    assert.equal(made.metadata.managedFields?.[0]?.manager, 'kubelet')
    assert.equal(api.updateStatus(nodes, 'n', node => node)?.metadata.resourceVersion, made.metadata.resourceVersion)
    const ready = api.updateStatus(nodes, 'n', node => ({ ...node, status: { phase: 'Running' } }) as never, 'kubelet')
    assert.ok(ready?.metadata.managedFields?.some(entry => entry.subresource === 'status'))
    assert.equal(
      api.update(nodes, 'none', node => node),
      undefined,
    )
  })

  it('are refused like everybody else', () => {
    const { api } = testServer()
    assert.throws(
      () => api.create(configMaps, { ...configMap('A') }),
      (error: unknown) => error instanceof ApiError && error.code === 422,
    )
    api.create(configMaps, configMap('a'))
    assert.throws(() => api.remove(configMaps, 'default/a', { uid: 'other' }), /UID in the precondition/)
    api.remove(configMaps, 'default/none')
  })

  it('hear of every change in order, also of those that they make while they hear', () => {
    const { api } = testServer()
    const heard: string[] = []
    const tell = (who: string) => (change: Change) => heard.push(`${who} ${change.type} ${change.object.metadata.name}`)
    api.subscribe(change => {
      if (change.type === 'ADDED' && change.object.metadata.name === 'a') api.create(configMaps, configMap('b'))
    })
    api.subscribe(tell('one'))
    const end = api.subscribe(tell('two'))
    api.create(configMaps, configMap('a'))
    end()
    api.remove(configMaps, 'default/a')
    assert.deepEqual(heard, ['one ADDED a', 'two ADDED a', 'one ADDED b', 'two ADDED b', 'one DELETED a'])
  })
})

describe('the model', () => {
  it('holds equal objects after equal requests with an equal seed', () => {
    const run = (seed: string) => {
      const { api, send } = testServer({ seed })
      send('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { generateName: 'x-' } } })
      return JSON.stringify(api.list(configMaps))
    }
    assert.equal(run('s'), run('s'))
    assert.notEqual(run('s'), run('t'))
  })

  it('asks somebody else for paths that it does not know', () => {
    const { send } = testServer({
      otherwise: request => (request.path.endsWith('/log') ? { status: 200, headers: {}, body: 'words' } : undefined),
    })
    assert.equal(send('GET', '/api/v1/namespaces/default/pods/a/log').body, 'words')
    assert.equal(send('GET', '/api/v1/namespaces/default/pods/a/exec').status, 404)
  })

  it('gives 410 for a continue token of a moment that is gone, with a token for the rest as it is now', () => {
    const { api, create, list, remove } = testServer()
    for (const name of ['a', 'b', 'c']) create(name)
    const { continue: token = '' } = (list({ limit: '1' }).body as { metadata: { continue?: string } }).metadata
    api.compact()
    remove('b')
    const gone = list({ limit: '1', continue: token })
    assert.equal(gone.status, 410)
    const { continue: rest = '' } = (gone.body as { metadata: { continue?: string } }).metadata
    const { items } = list({ limit: '5', continue: rest }).body as { items: readonly { metadata: { name: string } }[] }
    assert.deepEqual(
      items.map(item => item.metadata.name),
      ['c'],
    )
  })

  it('forgets continue tokens after five minutes', () => {
    const { clock, create, list } = testServer()
    for (const name of ['a', 'b']) create(name)
    const { continue: token = '' } = (list({ limit: '1' }).body as { metadata: { continue?: string } }).metadata
    clock.advance(299_999)
    assert.equal(list({ limit: '1', continue: token }).status, 200)
    clock.advance(1)
    assert.equal(list({ limit: '1', continue: token }).status, 410)
  })

  it('says which kinds it serves', () => {
    const { send } = testServer()
    const { groups } = send('GET', '/apis').body as { groups: readonly { name: string }[] }
    assert.ok(groups.some(group => group.name === 'apps'))
    const { resources } = send('GET', '/apis/apps/v1').body as { resources: readonly { name: string }[] }
    assert.ok(resources.some(resource => resource.name === 'daemonsets/status'))
    assert.equal(send('GET', '/readyz').body, 'ok')
  })

  it('ends a namespace with everything in it once nothing is held', () => {
    const { api, send } = testServer()
    api.create(
      { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } },
    )
    const held = { ...configMap('a'), metadata: { name: 'a', namespace: 'x', finalizers: ['t.test/hold'] } }
    api.create(configMaps, held)
    api.create(configMaps, { ...configMap('b'), metadata: { name: 'b', namespace: 'x' } })
    send('DELETE', '/api/v1/namespaces/x')
    assert.deepEqual(
      api.list(configMaps, 'x').map(object => object.metadata.name),
      ['a'],
    )
    assert.equal(send('GET', '/api/v1/namespaces/x').status, 200)
    api.update(configMaps, 'x/a', object => ({ ...object, metadata: { ...object.metadata, finalizers: [] } }))
    assert.equal(send('GET', '/api/v1/namespaces/x').status, 404)
  })
})
