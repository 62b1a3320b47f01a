import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type ChosenCluster, loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import type { Environment } from '../../src/shell/kube/kubeconfig-connection.ts'
import { BadInput } from '../../src/shell/yaml.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmm-kubeconfig-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

const pem = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n'
const base64 = Buffer.from(pem).toString('base64')

/** A file with one context `c` of a cluster and a user with these fields (YAML flow maps). */
const file = (cluster: string, user: string, context = '{cluster: k, user: u}') => `apiVersion: v1
kind: Config
current-context: c
clusters:
  - name: k
    cluster: ${cluster}
users:
  - name: u
    user: ${user}
contexts:
  - name: c
    context: ${context}
`

let files = 0
async function load(text: string, more: { context?: string; environment?: Environment } = {}): Promise<ChosenCluster> {
  files += 1
  return loadKubeconfig({ file: await write(`one-${files}/config`, text), environment: {}, ...more })
}
const folderOfLast = () => join(folder, `one-${files}`)

describe('a kubeconfig', () => {
  it('gives the connection of its current context, and the namespace', async () => {
    const chosen = await load(file('{server: "https://a:6443"}', '{token: t}', '{cluster: k, user: u, namespace: ns}'))
    assert.deepEqual(chosen, {
      config: { server: 'https://a:6443', serverCertificate: 'verify', bearer: { token: 't' } },
      context: 'c',
      namespace: 'ns',
    })
  })

  it('may be JSON, and may name no user', async () => {
    const clusters = [{ name: 'k', cluster: { server: 'http://127.0.0.1:8001' } }]
    const text = JSON.stringify({ 'current-context': 'c', clusters, contexts: [{ name: 'c', context: { cluster: 'k' } }] })
    const chosen = await load(text)
    assert.deepEqual(
      [chosen.config, chosen.namespace],
      [{ server: 'http://127.0.0.1:8001', serverCertificate: 'verify' }, 'default'],
    )
  })

  const meanings: readonly (readonly [what: string, cluster: string, user: string, expected: (at: string) => object])[] = [
    [
      'data wins over a file',
      `{server: "https://a", certificate-authority: x, certificate-authority-data: ${base64}}`,
      '{}',
      () => ({ authority: { text: pem } }),
    ],
    [
      'paths are relative to the file',
      '{server: "https://a", certificate-authority: pki/ca.crt}',
      '{client-certificate: a.crt, client-key: /etc/a.key}',
      at => ({
        authority: { file: `${at}/pki/ca.crt` },
        clientCertificate: { certificate: { file: `${at}/a.crt` }, key: { file: '/etc/a.key' } },
      }),
    ],
    [
      'a token file wins over a token',
      '{server: "https://a"}',
      '{token: t, tokenFile: run/token}',
      at => ({ bearer: { file: `${at}/run/token` } }),
    ],
    [
      'certificate and token go together',
      '{server: "https://a"}',
      `{token: t, client-certificate-data: ${base64}, client-key-data: ${base64}}`,
      () => ({
        bearer: { token: 't' },
        clientCertificate: { certificate: { text: pem }, key: { text: pem } },
      }),
    ],
    [
      'an empty text counts as absent',
      '{server: "https://a", tls-server-name: "", certificate-authority: ""}',
      '{token: ""}',
      () => ({}),
    ],
    [
      'the server name and the unchecked certificate',
      '{server: "https://a", tls-server-name: b, insecure-skip-tls-verify: true}',
      '{}',
      () => ({
        serverName: 'b',
        serverCertificate: 'do not verify',
      }),
    ],
    ['a password', '{server: "https://a"}', '{username: u, password: p}', () => ({ basic: { username: 'u', password: 'p' } })],
    [
      'impersonation',
      '{server: "https://a"}',
      '{as: jane, as-uid: "7", as-groups: [x, z]}',
      () => ({ impersonate: { user: 'jane', uid: '7', groups: ['x', 'z'] } }),
    ],
    [
      'a proxy of its own',
      '{server: "https://a", proxy-url: "http://p:1"}',
      '{}',
      () => ({ proxy: { HTTPS_PROXY: 'http://p:1', HTTP_PROXY: 'http://p:1' } }),
    ],
  ]
  for (const [what, cluster, user, expected] of meanings) {
    it(`means: ${what}`, async () => {
      const { config } = await load(file(cluster, user))
      assert.deepEqual(config, { server: 'https://a', serverCertificate: 'verify', ...expected(folderOfLast()) })
    })
  }

  it('takes the proxy of the environment where the cluster has none', async () => {
    const environment = { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'b', PATH: '/bin' }
    const { config } = await load(file('{server: "https://a"}', '{}'), { environment })
    assert.deepEqual(config.proxy, { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'b' })
  })

  it('describes a credential plugin: command, arguments, environment, what the plugin is told', async () => {
    const exec = `{apiVersion: client.authentication.k8s.io/v1, command: bin/login, args: [get], installHint: install it,
      provideClusterInfo: true, interactiveMode: IfAvailable, env: [{name: A, value: "1"}]}`
    const extensions = 'extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]'
    const { config } = await load(file(`{server: "https://a", ${extensions}}`, `{exec: ${exec}}`), {
      environment: { PATH: '/bin', A: '0' },
    })
    assert.deepEqual(config.bearer, {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: `${folderOfLast()}/bin/login`,
        args: ['get'],
        env: { PATH: '/bin', A: '1' },
        installHint: 'install it',
        cluster: { server: 'https://a', config: { audience: 'x' } },
      },
    })
  })

  it('gives another context when asked', async () => {
    const text = `${file('{server: "https://a"}', '{token: t}')}  - {name: other, context: {cluster: k, namespace: far}}\n`
    assert.deepEqual((await load(text, { context: 'other' })).namespace, 'far')
  })
})

describe('several kubeconfig files', () => {
  it('are merged: the first that says something wins, paths stay relative to their own file, missing files are skipped', async () => {
    const first = await write(
      'several/a/config',
      'contexts: [{name: c, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {tokenFile: t}}]\n',
    )
    const second = await write(
      'several/b/config',
      file('{server: "https://b", certificate-authority: ca.crt}', '{token: no}', '{cluster: none}'),
    )
    const environment = { KUBECONFIG: [first, join(folder, 'several/none'), '', second].join(':') }
    const chosen = await loadKubeconfig({ environment })
    assert.deepEqual(chosen.config, {
      server: 'https://b',
      serverCertificate: 'verify',
      authority: { file: join(folder, 'several/b/ca.crt') },
      bearer: { file: join(folder, 'several/a/t') },
    })
  })

  it('are ~/.kube/config where KUBECONFIG is not set', async () => {
    await write('home/.kube/config', file('{server: "https://home"}', '{}'))
    const chosen = await loadKubeconfig({ environment: { HOME: join(folder, 'home'), KUBECONFIG: '' } })
    assert.equal(chosen.config.server, 'https://home')
  })

  it('are not looked at when a file is named', async () => {
    const named = await write('named', file('{server: "https://named"}', '{}'))
    const chosen = await loadKubeconfig({ file: named, environment: { KUBECONFIG: '/none', HOME: '/none' } })
    assert.equal(chosen.config.server, 'https://named')
  })
})

describe('a mistake in a kubeconfig is told with file, line and what to do', () => {
  const good = '{server: "https://a"}'
  const plugin = (fields: string) => `{exec: {${fields}}}`
  const mistakes: readonly (readonly [what: string, text: string, line: number | undefined, message: RegExp])[] = [
    ['no YAML', 'a: [', 1, /not YAML/],
    ['a list', '- a\n', 1, /no kubeconfig: expected a map/],
    ['another kind', 'apiVersion: v1\nkind: Pod\n', 2, /this is a Pod, not a kubeconfig/],
    ['two documents', `${file(good, '{}')}---\na: 1\n`, 14, /one document/],
    ['no current context', 'clusters: []\n', undefined, /no current-context is set: choose one with --context/],
    [
      'an unknown context',
      file(good, '{}').replace('current-context: c', 'current-context: d'),
      undefined,
      /no context "d"; there are: c/,
    ],
    ['an unknown cluster', file(good, '{}', '{cluster: x, user: u}'), 12, /names the cluster "x", which is not defined/],
    ['an unknown user', file(good, '{}', '{cluster: k, user: x}'), 12, /names the user "x", which is not defined/],
    ['no cluster', file(good, '{}', '{user: u}'), 12, /names no cluster/],
    ['no server', file('{}', '{}'), 6, /add `server: https:\/\/HOST:PORT`/],
    ['a server that is no address', file('{server: "a:6443"}', '{}'), 6, /"a:6443" is no address/],
    ['a number for a text', file(good, '{token: 12}'), 9, /users\[0\]\.user\.token must be a text/],
    [
      'a text for a flag',
      file('{server: "https://a", insecure-skip-tls-verify: "yes"}', '{}'),
      6,
      /clusters\[0\]\.cluster\.insecure-skip-tls-verify must be true or false/,
    ],
    ['a map for a list', 'current-context: c\ncontexts: {a: 1}\n', 2, /contexts must be a list/],
    ['an entry without a name', 'current-context: c\ncontexts: [{context: {}}]\n', 2, /an entry of contexts has no name/],
    [
      'data that is no PEM',
      file('{server: "https://a", certificate-authority-data: abc}', '{}'),
      6,
      /certificate-authority-data is not the base64 of a PEM/,
    ],
    [
      'an unchecked certificate with an authority',
      file('{server: "https://a", certificate-authority: a, insecure-skip-tls-verify: true}', '{}'),
      6,
      /exclude each other/,
    ],
    ['a certificate without its key', file(good, '{client-certificate: a}'), 9, /client-key belong together/],
    ['groups without a user', file(good, '{as-groups: [a]}'), 9, /need `as`/],
    ['a removed mechanism', file(good, '{auth-provider: {name: gcp}}'), 9, /removed from Kubernetes in 1\.26/],
    [
      'a plugin of an old version',
      file(good, plugin('apiVersion: client.authentication.k8s.io/v1alpha1, command: a')),
      9,
      /expected client\.authentication\.k8s\.io\/v1 or v1beta1/,
    ],
    ['a plugin without a command', file(good, plugin('apiVersion: client.authentication.k8s.io/v1')), 9, /names no command/],
    [
      'a plugin that needs a terminal',
      file(good, plugin('apiVersion: client.authentication.k8s.io/v1, command: a, interactiveMode: Always')),
      9,
      /needs a terminal/,
    ],
    [
      'a proxy of another protocol',
      file('{server: "https://a", proxy-url: "socks5://p:1"}', '{}'),
      6,
      /only http:\/\/ and https:\/\/ proxies/,
    ],
  ]
  for (const [what, text, line, message] of mistakes) {
    it(what, async () => {
      await assert.rejects(load(text), (error: unknown) => {
        assert.ok(error instanceof BadInput, String(error))
        assert.equal(error.file, join(folderOfLast(), 'config'))
        assert.equal(error.line, line, error.message)
        assert.match(error.message, message)
        return true
      })
    })
  }

  it('no file at all, and a named file that does not exist', async () => {
    await assert.rejects(
      loadKubeconfig({ environment: {} }),
      /KUBECONFIG is not set and there is no home folder\. Set KUBECONFIG or pass --kubeconfig/,
    )
    await assert.rejects(loadKubeconfig({ environment: { KUBECONFIG: '/none' } }), /none of these files exists: \/none/)
    await assert.rejects(loadKubeconfig({ file: '/none', environment: {} }), /^BadInput: \/none: this file does not exist/)
  })
})
