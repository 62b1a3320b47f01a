import assert from 'node:assert/strict'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { type Clock, realClock } from '../../src/shell/clock.ts'
import type { Bearer, ConnectionConfig, ExecPlugin } from '../../src/shell/kube/connection.ts'
import { type HttpsTransport, httpsTransport } from '../../src/shell/kube/https.ts'
import { json, startServer, type TestServer } from './server.ts'

let server: TestServer
let transport: HttpsTransport
let aheadMs = 0
/** Real, but a test can put it forward. */
const clock: Clock = { ...realClock, nowMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs }

before(async () => {
  server = await startServer()
})
after(() => server.close())
afterEach(() => transport.close())

function open(change: Partial<ConnectionConfig>): () => Promise<number> {
  aheadMs = 0
  transport = httpsTransport({ ...server.config, ...change }, { userAgent: 'kmm/1', clock })
  server.answer((_, response) => json(response, 200, {}))
  return async () => (await transport({ method: 'GET', path: '/x', deadlineMs: 5000 }, new AbortController().signal)).status
}

const lastAuthorization = () => server.seen.at(-1)?.headers['authorization']

/** Only this token is accepted; how many requests have come since. */
function acceptOnly(token: () => string): { readonly requests: () => number } {
  const before = server.seen.length
  server.answer((seen, response) => json(response, seen.headers['authorization'] === `Bearer ${token()}` ? 200 : 401, {}))
  return { requests: () => server.seen.length - before }
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

describe('a bearer token', () => {
  it('is sent with every request', async () => {
    const ask = open({ bearer: { token: 'abc' } })
    await ask()
    assert.equal(lastAuthorization(), 'Bearer abc')
  })

  it('that is refused is not tried again when it cannot have changed', async () => {
    const ask = open({ bearer: { token: 'abc' } })
    const { requests } = acceptOnly(() => 'other')
    assert.equal(await ask(), 401)
    assert.equal(requests(), 1)
  })

  it('in a file is read again within a second of its replacement', async () => {
    const file = join(server.folder, 'token-1')
    await writeFile(file, 'first\n')
    const ask = open({ bearer: { file } })
    await ask()
    assert.equal(lastAuthorization(), 'Bearer first')
    await replace(file, 'second\n')
    aheadMs += 1001
    await ask()
    assert.equal(lastAuthorization(), 'Bearer second')
  })

  it('in a file that was just replaced costs one 401 that nobody sees', async () => {
    const file = join(server.folder, 'token-2')
    await writeFile(file, 'first')
    const ask = open({ bearer: { file } })
    await ask()
    await replace(file, 'second')
    const { requests } = acceptOnly(() => 'second')
    assert.equal(await ask(), 200)
    assert.equal(requests(), 2)
  })

  it('in a file that is gone for a moment is the last one read', async () => {
    const file = join(server.folder, 'token-3')
    await writeFile(file, 'first')
    const ask = open({ bearer: { file } })
    await ask()
    await rename(file, `${file}.gone`)
    aheadMs += 5000
    await ask()
    assert.equal(lastAuthorization(), 'Bearer first')
  })

  it('in a file that never was there is told with its path', async () => {
    const ask = open({ bearer: { file: '/nowhere/token' } })
    await assert.rejects(ask(), { what: 'credentials', message: /token file \/nowhere\/token cannot be read/ })
  })
})

describe('other credentials', () => {
  it('are a user name with a password, and whom to impersonate', async () => {
    const ask = open({ basic: { username: 'u', password: 'p' }, impersonate: { user: 'jane', uid: '7', groups: ['a', 'b'] } })
    await ask()
    const headers = server.seen.at(-1)?.headers ?? {}
    assert.equal(headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`)
    assert.deepEqual(
      [headers['impersonate-user'], headers['impersonate-uid'], headers['impersonate-group']],
      ['jane', '7', 'a, b'],
    )
  })
})

type PluginOptions = {
  readonly prints: string
  readonly apiVersion?: ExecPlugin['apiVersion']
  readonly cluster?: Record<string, unknown>
}

/** A plugin in a shell script that counts its runs; `$RUN` in what it prints is the number of the run. */
async function plugin(
  name: string,
  options: PluginOptions,
): Promise<{ bearer: Bearer; readonly runs: () => Promise<number>; folder: string }> {
  const command = join(server.folder, name)
  const script = [
    '#!/bin/sh',
    `echo x >> ${command}.runs`,
    `RUN=$(($(wc -l < ${command}.runs)))`,
    `printf '%s' "$KUBERNETES_EXEC_INFO" > ${command}.info`,
    `cat <<EOF`,
    options.prints,
    'EOF',
  ]
  await writeFile(command, `${script.join('\n')}\n`)
  await chmod(command, 0o755)
  const apiVersion = options.apiVersion ?? 'client.authentication.k8s.io/v1'
  const cluster = options.cluster === undefined ? {} : { cluster: options.cluster }
  const exec: ExecPlugin = { apiVersion, command, args: [], env: { PATH: '/usr/bin:/bin' }, ...cluster }
  const runs = async () => (await readFile(`${command}.runs`, 'utf8').catch(() => '')).length / 2
  return { bearer: { exec }, runs, folder: server.folder }
}

const credential = (status: object, apiVersion = 'client.authentication.k8s.io/v1') =>
  JSON.stringify({ apiVersion, kind: 'ExecCredential', status })

describe('a credential plugin', () => {
  it('runs once for many requests, also for those at the same time', async () => {
    const { bearer, runs } = await plugin('once', { prints: credential({ token: 'run-$RUN' }) })
    const ask = open({ bearer })
    await Promise.all(Array.from({ length: 10 }, ask))
    await ask()
    assert.deepEqual([await runs(), lastAuthorization()], [1, 'Bearer run-1'])
  })

  it('runs again shortly before its credential expires', async () => {
    const expirationTimestamp = new Date(Date.now() + 60_000).toISOString()
    const { bearer, runs } = await plugin('expiry', { prints: credential({ token: 'run-$RUN', expirationTimestamp }) })
    const ask = open({ bearer })
    await ask()
    aheadMs = 45_000
    await ask()
    assert.equal(await runs(), 1)
    aheadMs = 55_000
    await ask()
    assert.deepEqual([await runs(), lastAuthorization()], [2, 'Bearer run-2'])
  })

  it('runs again when the server refuses the token, once for all requests that were refused', async () => {
    const { bearer, runs } = await plugin('refused', { prints: credential({ token: 'run-$RUN' }) })
    const ask = open({ bearer })
    await ask()
    acceptOnly(() => 'run-2')
    const statuses = await Promise.all(Array.from({ length: 8 }, ask))
    assert.deepEqual([new Set(statuses), await runs()], [new Set([200]), 2])
  })

  it('is told what it is asked, in both versions', async () => {
    for (const version of ['v1', 'v1beta1'] as const) {
      const apiVersion = `client.authentication.k8s.io/${version}` as const
      const cluster = { server: 'https://example.test' }
      const made = await plugin(`asked-${version}`, { prints: credential({ token: 't' }, apiVersion), apiVersion, cluster })
      assert.equal(await open({ bearer: made.bearer })(), 200)
      const info = JSON.parse(await readFile(join(made.folder, `asked-${version}.info`), 'utf8')) as object
      assert.deepEqual(info, { apiVersion, kind: 'ExecCredential', spec: { interactive: false, cluster } })
      transport.close()
    }
  })

  const useless: readonly (readonly [string, string, RegExp])[] = [
    ['prints no JSON', 'secret-token', /no usable ExecCredential: it is not JSON/],
    ['prints another kind', '{"kind":"Pod"}', /`kind` is not ExecCredential/],
    [
      'prints another version',
      credential({ token: 't' }, 'client.authentication.k8s.io/v1beta1'),
      /its apiVersion is .*v1beta1, the kubeconfig says .*v1/,
    ],
    ['prints no token', credential({}), /neither a token nor/],
    ['prints no readable expiry', credential({ token: 't', expirationTimestamp: 'soon' }), /no RFC 3339 time/],
  ]
  for (const [index, [what, prints, message]] of useless.entries()) {
    it(`that ${what} is named in the error, its output is not`, async () => {
      const { bearer } = await plugin(`useless-${index}`, { prints })
      await assert.rejects(open({ bearer })(), (error: Error & { what?: string }) => {
        assert.equal(error.what, 'credentials')
        assert.match(error.message, message)
        return !error.message.includes('secret-token')
      })
    })
  }

  it('that fails is told with its own words', async () => {
    const exec: ExecPlugin = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', 'echo please log in >&2; exit 3'],
      env: { PATH: '/bin:/usr/bin' },
    }
    await assert.rejects(open({ bearer: { exec } })(), {
      what: 'credentials',
      message: /credential plugin sh failed: please log in$/,
    })
  })

  it('that does not exist is told with the hint of the kubeconfig', async () => {
    const exec: ExecPlugin = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'no-such-plugin',
      args: [],
      env: {},
      installHint: 'Install it from example.test.',
    }
    await assert.rejects(open({ bearer: { exec } })(), {
      what: 'credentials',
      message: /no-such-plugin failed: the program does not exist\nInstall it from/,
    })
  })
})
