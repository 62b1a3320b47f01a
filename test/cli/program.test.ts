import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import { runKmm } from './run-kmm.ts'

describe('the command line', () => {
  const wrong: readonly (readonly [argv: readonly string[], sentence: RegExp])[] = [
    [['plna'], /^kmm: unknown command 'plna'\n\(Did you mean plan\?\)\n$/],
    [['plan'], /^kmm: kubeconfig: no cluster to talk to: .* pass --kubeconfig FILE, or name files or directories with -f .*\n$/],
    [['status', '--kubeconfig', '/nonexistent'], /^kmm: \/nonexistent: this file does not exist/],
    [['status', '-f', '-', '--context', 'a'], /^kmm: -f reads files and --kubeconfig and --context a cluster: choose one/],
    [['explain'], /^kmm: missing required argument 'module'\n$/],
    [['explain', 'a/b/c', '-f', '-'], /^kmm: (stdin: there is no Kubernetes object|a\/b\/c names no Module)/],
    [['release', 'node'], /^kmm: missing required argument 'module'\n$/],
    [['pause', 'driver', '-n', 'A'], /It must be the name of a namespace\.\n$/],
    [['validate', '-o', 'json'], /^kmm: no input/],
    [['plan', '-f'], /^kmm: option '-f, --filename <path>' argument missing\n$/],
    [['plan', '-f', '-', '--nwo', 'x'], /^kmm: unknown option '--nwo'\n\(Did you mean --now\?\)\n$/],
    [
      ['plan', '-f', '-', '--now', 'noon'],
      /^kmm: option '--now <time>' argument 'noon' is invalid\. It must be a time such as 2024-/,
    ],
    [['plan', '-f', '-', '--operator-namespace', 'A'], /argument 'A' is invalid\. It must be the name of a namespace\.\n$/],
    [['plan', '-f', '-', '--assume-images', 'yes'], /Allowed choices are exist, missing, unknown\.\n$/],
    [['plan', '-f', '-', '-o', 'xml'], /Allowed choices are json, yaml, text\.\n$/],
    [['validate', '-f', '-', '-o', 'yaml'], /Allowed choices are json, text\.\n$/],
    [['simulate', '--nodes', '50001'], /argument '50001' is invalid\. It must be a number from 0 to 50000\.\n$/],
    [['plan', '-f', '/nonexistent.yaml'], /^kmm: \/nonexistent\.yaml: cannot be read: there is no such file or directory\n$/],
    [['plan', '-f', '-', 'x'], /^kmm: too many arguments/],
  ]
  for (const [argv, sentence] of wrong) {
    it(`says in one sentence what is wrong with: kmm ${argv.join(' ')}`, async () => {
      const { code, out, err } = await runKmm(argv)
      assert.deepEqual({ code, out }, { code: 2, out: '' })
      assert.match(err, sentence)
      assert.doesNotMatch(err, /^\s+at /m)
    })
  }

  it('prints its version, and nothing else', async () => {
    assert.deepEqual(await runKmm(['--version']), { code: 0, out: `${packageJson.version}\n`, err: '' })
  })

  it('shows every command in the help, and examples in the help of each', async () => {
    const { code, out } = await runKmm(['--help'])
    assert.equal(code, 0)
    for (const command of ['plan', 'validate', 'simulate', 'status', 'explain', 'pause', 'resume', 'release', 'operator']) {
      assert.match(out, new RegExp(`^  ${command} `, 'm'))
      const help = await runKmm([command, '--help'])
      assert.match(help.out, new RegExp(`Examples:\n  (.*\\| )?kmm ${command}`))
      assert.equal(help.code, 0)
    }
  })

  it('shows the help, as a mistake, when there is no command', async () => {
    const { code, out, err } = await runKmm([])
    assert.deepEqual({ code, out }, { code: 2, out: '' })
    assert.match(err, /^Usage: kmm /)
  })
})

const entrance = fileURLToPath(new URL('../../src/cli/kmm.ts', import.meta.url))

/** A process of its own, as users start it. */
function spawnKmm(argv: readonly string[], stdin: string): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [entrance, ...argv], { timeout: 30_000 }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err })
    })
    child.stdin?.end(stdin)
  })
}

describe('the process', () => {
  it('ends with the exit code of the command, its answer on stdout and nothing on stderr', async () => {
    const { code, out, err } = await spawnKmm(
      ['plan', '-f', '-', '-o', 'json'],
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n',
    )
    assert.deepEqual({ code, out, err }, { code: 0, out: '{\n  "plans": []\n}\n', err: '' })
  })

  it('ends with 2 and a sentence for bad input', async () => {
    const { code, out, err } = await spawnKmm(['plan', '-f', '-'], 'a: [')
    assert.deepEqual({ code, out }, { code: 2, out: '' })
    assert.match(err, /^kmm: stdin:1: this is not YAML: .+\n$/)
  })

  it('does not mind a reader that goes away', async () => {
    const said = await new Promise<string>(resolve => {
      const script = '{ "$0" "$1" plan --help; echo "code $?" >&2; } | true'
      execFile('/bin/sh', ['-c', script, process.execPath, entrance], (_, __, err) => resolve(err))
    })
    assert.equal(said, 'code 0\n')
  })
})
