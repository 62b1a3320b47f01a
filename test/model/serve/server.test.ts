// The served model, by raw HTTPS requests as clients other than ours send them.
import assert from 'node:assert/strict'
import { request as httpsRequest } from 'node:https'
import { describe, it, type TestContext } from 'node:test'
import { jsonHeaders } from '../../../src/model/api/errors.ts'
import { type ApiServerOptions, builtInResources, createApiServer } from '../../../src/model/api-server.ts'
import { WatchLines } from '../../../src/model/serve/watch-lines.ts'
import { serveModel } from '../../../src/model/serve.ts'
import { realClock } from '../../../src/shell/clock.ts'
import { configMaps } from '../api/server.ts'

/** The value at a path of fields and indexes; undefined where there is none. */
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (found, step) => (typeof found === 'object' && found !== null ? Reflect.get(found, step) : undefined),
    value,
  )
const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] =>
  at(value, ...path) as readonly unknown[]

type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly body: unknown
}

const maps = '/api/v1/namespaces/default/configmaps'
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const metadata = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

const fieldsOf = (value: unknown): readonly string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : [])

async function started(context: TestContext, options: Partial<ApiServerOptions> = {}) {
  const api = createApiServer({ clock: realClock, resources: builtInResources, ...options })
  const served = await serveModel(api, { clock: realClock, nowMs: realClock.nowMs() })
  context.after(() => served.close())
  /** `onData` gets what arrives of an answer that does not end. */
  const send = (
    method: string,
    path: string,
    more: {
      readonly body?: string | Buffer
      readonly headers?: Readonly<Record<string, string>>
      readonly onData?: (text: string) => void
    } = {},
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const options = { method, ca: served.certificate, headers: { connection: 'close', ...more.headers } }
      const request = httpsRequest(`${served.url}${path}`, options, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
          more.onData?.(part)
        })
        response.on('end', () => {
          const isJson = response.headers['content-type'] === 'application/json'
          const body = isJson && more.onData === undefined ? JSON.parse(text) : undefined
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body })
        })
        response.on('error', reject)
      })
      request.on('error', reject)
      request.end(more.body)
    })
  const create = (name: string, data: Readonly<Record<string, string>> = {}) =>
    api.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data } as never)
  return { api, served, send, create }
}

describe('the served model', () => {
  it('shows a list as a table, with the metadata of each object', async context => {
    const { send, create } = await started(context)
    create('a', { x: '1', y: '2' })
    const { body } = await send('GET', maps, { headers: { accept: table } })
    assert.deepEqual([at(body, 'kind'), at(body, 'apiVersion')], ['Table', 'meta.k8s.io/v1'])
    assert.deepEqual(
      listAt(body, 'columnDefinitions').map(column => `${String(at(column, 'name'))} ${String(at(column, 'type'))}`),
      ['Name string', 'Data integer', 'Age string'],
    )
    assert.deepEqual(listAt(body, 'rows', 0, 'cells').slice(0, 2), ['a', 2])
    assert.deepEqual(
      [at(body, 'rows', 0, 'object', 'kind'), at(body, 'rows', 0, 'object', 'metadata', 'name')],
      ['PartialObjectMetadata', 'a'],
    )
  })

  it('shows one object as a table of one row, and includes the object where it is asked for', async context => {
    const { send, create } = await started(context)
    create('a', { x: '1' })
    const { body } = await send('GET', `${maps}/a?includeObject=Object`, { headers: { accept: table } })
    assert.deepEqual(
      listAt(body, 'rows').map(row => [at(row, 'object', 'kind'), at(row, 'object', 'data')]),
      [['ConfigMap', { x: '1' }]],
    )
    const none = await send('GET', `${maps}?includeObject=None`, { headers: { accept: table } })
    assert.equal(at(none.body, 'rows', 0, 'object'), null)
  })

  it('keeps the continue token of a page in its table', async context => {
    const { send, create } = await started(context)
    for (const name of ['a', 'b', 'c']) create(name)
    const first = await send('GET', `${maps}?limit=2`, { headers: { accept: table } })
    const token = encodeURIComponent(String(at(first.body, 'metadata', 'continue')))
    const rest = await send('GET', `${maps}?limit=2&continue=${token}`, { headers: { accept: table } })
    assert.deepEqual(
      [first, rest].flatMap(({ body }) => listAt(body, 'rows').map(row => at(row, 'cells', 0))),
      ['a', 'b', 'c'],
    )
  })

  it('refuses as plain Status, also where a table was asked for', async context => {
    const { send } = await started(context)
    const { status, body } = await send('GET', `${maps}/none`, { headers: { accept: table } })
    assert.deepEqual([status, at(body, 'kind'), at(body, 'reason')], [404, 'Status', 'NotFound'])
  })

  it('shows only the metadata where that is asked for', async context => {
    const { send, create } = await started(context)
    create('a', { x: '1' })
    const one = await send('GET', `${maps}/a`, { headers: { accept: metadata } })
    assert.deepEqual(fieldsOf(one.body), ['kind', 'apiVersion', 'metadata'])
    const all = await send('GET', maps, { headers: { accept: metadata } })
    assert.deepEqual(
      [at(all.body, 'kind'), Object.keys(at(all.body, 'items', 0) ?? {})],
      ['PartialObjectMetadataList', ['kind', 'apiVersion', 'metadata']],
    )
  })

  it('tells a watch as tables, the columns with the first of them', async context => {
    const { api, send, create } = await started(context)
    create('a')
    const events: unknown[] = []
    const ended = send('GET', `${maps}?watch=true&resourceVersion=0`, {
      headers: { accept: table },
      onData: text => {
        events.push(
          ...text
            .trim()
            .split('\n')
            .map(line => JSON.parse(line)),
        )
        if (events.length === 1) create('b')
        if (events.length === 2) api.remove(configMaps, 'default/a')
        if (events.length === 3) api.cutWatches('close')
      },
    })
    await ended
    assert.deepEqual(
      events.map(event => `${String(at(event, 'type'))} ${String(at(event, 'object', 'rows', 0, 'cells', 0))}`),
      ['ADDED a', 'ADDED b', 'DELETED a'],
    )
    assert.deepEqual(
      events.map(event => at(event, 'object', 'columnDefinitions') !== null),
      [true, false, false],
    )
  })

  it('breaks the connection of a watch that breaks, and of a request that a fault cuts off', async context => {
    const { api, send, create } = await started(context, { fault: (_, isWrite) => (isWrite ? 'fail-after' : 'pass') })
    create('a')
    const watch = send('GET', `${maps}?watch=true&resourceVersion=0`, { onData: () => api.cutWatches('break') })
    await assert.rejects(watch, /aborted|hang up|ECONNRESET/)
    await assert.rejects(send('POST', maps, { body: JSON.stringify({ metadata: { name: 'b' } }) }), /hang up|ECONNRESET/)
    assert.ok(api.get(configMaps, 'default/b') !== undefined, 'carried out, and the answer lost')
  })

  it('reads what kubectl creates in protobuf', async context => {
    const { api, send } = await started(context)
    // kubectl 1.33: create configmap a --from-literal=x=1 -n default
    const field = (number: number, content: string | Buffer) => {
      const bytes = Buffer.from(content)
      return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
    }
    const meta = Buffer.concat([
      field(1, 'a'),
      field(2, ''),
      field(3, 'default'),
      Buffer.from([0x38, 0]),
      field(8, ''),
      field(11, Buffer.concat([field(1, 'k'), field(2, 'v')])),
    ])
    const object = Buffer.concat([field(1, meta), field(2, Buffer.concat([field(1, 'x'), field(2, '1')]))])
    const types = Buffer.concat([field(1, 'v1'), field(2, 'ConfigMap')])
    const body = Buffer.concat([Buffer.from('k8s\0'), field(1, types), field(2, object), field(3, ''), field(4, '')])
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    const { status } = await send('POST', maps, { body, headers })
    assert.equal(status, 201)
    const stored = api.get(configMaps, 'default/a') as unknown
    assert.deepEqual([at(stored, 'data'), at(stored, 'metadata', 'labels')], [{ x: '1' }, { k: 'v' }])
    const cut = await send('POST', maps, { body: body.subarray(0, 30), headers })
    assert.deepEqual([cut.status, at(cut.body, 'reason')], [415, 'UnsupportedMediaType'])
  })

  it('refuses bodies that are too large, no JSON, or of another format, each in a sentence', async context => {
    const { send } = await started(context)
    const large = await send('POST', maps, { body: `"${'x'.repeat(3 * 1024 * 1024)}"` }).catch((error: Error) => error)
    // A client that still writes may see the closed connection before the answer.
    assert.ok(large instanceof Error || large.status === 413)
    const yaml = await send('PATCH', `${maps}/a?fieldManager=x`, {
      body: 'a: b',
      headers: { 'content-type': 'application/apply-patch+yaml' },
    })
    assert.deepEqual([yaml.status, at(yaml.body, 'reason')], [400, 'BadRequest'])
    assert.match(String(at(yaml.body, 'message')), /reads only the JSON form of YAML/)
    const cbor = await send('POST', maps, { body: 'x', headers: { 'content-type': 'application/cbor' } })
    assert.equal(cbor.status, 415)
    assert.equal((await send('OPTIONS', maps)).status, 405)
  })

  it('says that dry runs and field checks are its own, and which kinds there are', async context => {
    const { send } = await started(context)
    const index = await send('GET', '/openapi/v3')
    assert.equal(at(index.body, 'paths', 'apis/apps/v1', 'serverRelativeURL'), '/openapi/v3/apis/apps/v1')
    const apps = await send('GET', '/openapi/v3/apis/apps/v1')
    const patch = at(apps.body, 'paths', '/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}', 'patch')
    assert.deepEqual(
      listAt(patch, 'parameters').map(parameter => at(parameter, 'name')),
      ['dryRun', 'fieldManager', 'fieldValidation'],
    )
    assert.equal((await send('GET', '/openapi/v3/apis/none/v1')).status, 404)
    assert.equal((await send('GET', '/openapi/v2')).text, '\n\x032.0')
  })

  it('answers every question about rights with yes', async context => {
    const { send } = await started(context)
    const review = await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: JSON.stringify({ kind: 'SelfSubjectAccessReview' }),
    })
    assert.deepEqual([review.status, at(review.body, 'status', 'allowed')], [201, true])
  })

  it('lets others go on while it prints a large list', async context => {
    let turn = 0
    let timer = setImmediate(function next() {
      turn++
      timer = setImmediate(next)
    })
    context.after(() => clearImmediate(timer))
    const printedIn: number[] = []
    const items = Array.from({ length: 3000 }, (_, name) => ({
      toJSON: () => {
        printedIn.push(turn)
        return { name }
      },
    }))
    const { send } = await started(context, {
      fault: () => ({ status: 200, headers: jsonHeaders, body: { kind: 'List', items } }),
    })
    const { body } = await send('GET', maps)
    assert.deepEqual([at(body, 'kind'), listAt(body, 'items').length, at(body, 'items', 2999, 'name')], ['List', 3000, 2999])
    const most = Math.max(...[...new Set(printedIn)].map(one => printedIn.filter(other => other === one).length))
    assert.ok(most <= 250, `${most} items printed without a pause`)
  })

  it('ends when it is closed, with all its watches', async context => {
    const { served, send } = await started(context)
    const watch = send('GET', `${maps}?watch=true`)
    const broken = assert.rejects(watch, /aborted|hang up|ECONNRESET/)
    await send('GET', '/readyz')
    await served.close()
    await broken
    await assert.rejects(send('GET', '/readyz'), /ECONNREFUSED/)
  })
})

describe('the lines of watches', () => {
  it('an object is printed once for all watches of the moment, and again after thousands of others', () => {
    let prints = 0
    const object = (name: string) => ({ toJSON: () => (prints++, { name }) })
    const lines = new WatchLines()
    const a = object('a')
    assert.equal(lines.of({ type: 'ADDED', object: a }), '{"type":"ADDED","object":{"name":"a"}}\n')
    lines.of({ type: 'ADDED', object: a })
    assert.equal(prints, 1)
    assert.equal(lines.of({ type: 'DELETED', object: a }), '{"type":"DELETED","object":{"name":"a"}}\n')
    for (let index = 0; index < 2500; index++) lines.of({ type: 'ADDED', object: object('b') })
    prints = 0
    lines.of({ type: 'DELETED', object: a })
    assert.equal(prints, 1)
  })
})
