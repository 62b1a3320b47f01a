// Wrong settings of the operator: one sentence that says what to change, and exit code 2. Running it is shown in test/real.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { main } from '../../src/cli/program.ts'
import { filesOf } from './run-kmm.ts'

const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'one',
  clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'one', user: { token: 'secret' } }],
  contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
})
const files = {
  kubeconfig,
  'no-context': kubeconfig.replace('"one"', '"two"'),
  'not-yaml': 'clusters: [',
  'pod.yaml': 'apiVersion: v1\nkind: Pod\n',
  'wrong.yaml': 'leaderElection:\n  enabled: "yes"\n',
  'address.yaml': 'healthProbeBindAddress: eighty\n',
  'images.yaml': 'registry.example.com/driver:1: yes please\n',
}

type Case = {
  readonly sentence: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly says: RegExp
}
const inNamespace = { OPERATOR_NAMESPACE: 'openshift-kmm' }
const cases: readonly Case[] = [
  {
    sentence: 'no kubeconfig there',
    args: ['--kubeconfig', 'nope'],
    says: /nope: this file does not exist: check the path given with --kubeconfig/,
  },
  { sentence: 'a kubeconfig that is no YAML', args: ['--kubeconfig', 'not-yaml'], says: /not-yaml:\d+: / },
  {
    sentence: 'another kind in its place',
    args: ['--kubeconfig', 'pod.yaml'],
    says: /pod\.yaml:2: .*this is a Pod, not a kubeconfig/,
  },
  { sentence: 'a context that is not there', args: ['--kubeconfig', 'no-context'], says: /no-context.*two/ },
  {
    sentence: 'no config file there',
    args: ['--config', 'nope'],
    says: /nope: the config file cannot be read: there is no such file/,
  },
  {
    sentence: 'a wrong type in the config file',
    args: ['--config', 'wrong.yaml'],
    says: /wrong\.yaml:2: leaderElection\.enabled must be a boolean/,
  },
  {
    sentence: 'a wrong address in the config file',
    args: ['--config', 'address.yaml'],
    says: /address\.yaml: "eighty" is no address such as :8081/,
  },
  { sentence: 'no file of images there', args: ['--images', 'nope'], says: /nope: .*no such file/ },
  { sentence: 'a file of images that is none', args: ['--images', 'images.yaml'], says: /images\.yaml:1: / },
  { sentence: 'no namespace of its own', args: [], env: {}, says: /OPERATOR_NAMESPACE is not set: set it to the namespace/ },
  { sentence: 'an unknown level of its log', args: ['--log-level', 'loud'], says: /'loud' is invalid.*debug, info, warn, error/ },
  { sentence: 'an unknown option', args: ['--leader'], says: /unknown option '--leader'/ },
]

async function runOperator(args: readonly string[], env: Readonly<Record<string, string>>) {
  const written = { out: '', err: '' }
  const io = {
    readStdin: () => Promise.resolve(''),
    out: (text: string) => void (written.out += text),
    err: (text: string) => void (written.err += text),
    terminal: undefined,
    // Whatever starts by mistake ends at once.
    stop: AbortSignal.abort(),
  }
  return { code: await main(['operator', '--log-level', 'error', ...args], io, env), ...written }
}

describe('kmm operator', () => {
  for (const { sentence, args, env = inNamespace, says } of cases) {
    it(`says in one sentence that it was given ${sentence}`, async context => {
      const folder = filesOf(context, files)
      const within = (arg: string) => (arg === 'nope' || arg in files ? join(folder, arg) : arg)
      const given = args.includes('--kubeconfig') ? args : ['--kubeconfig', 'kubeconfig', ...args]
      const { code, out, err } = await runOperator(given.map(within), env)
      assert.equal(code, 2)
      assert.match(err, says)
      assert.match(err, /^kmm: [^\n]+\n(\(Did you mean[^\n]+\n)?$/)
      assert.equal(out, '')
      assert.doesNotMatch(err, /secret/)
    })
  }

  it('says that its port is taken, before it touches the cluster', async context => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const folder = filesOf(context, { kubeconfig, 'config.yaml': `healthProbeBindAddress: 127.0.0.1:${port}\n` })
    const { code, err } = await runOperator(
      ['--kubeconfig', join(folder, 'kubeconfig'), '--config', join(folder, 'config.yaml')],
      inNamespace,
    )
    server.close()
    assert.equal(code, 2)
    assert.match(err, /^kmm: healthProbeBindAddress: 127\.0\.0\.1:\d+ is taken by another process: choose another/)
  })
})
