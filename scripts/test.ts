// The test command: every level in turn, from rules that take seconds to real control planes that take minutes.
//   npm test            all levels
//   npm test -- pure    only the levels named
// It installs nothing itself but what a level's own set-up compiles (test/control-plane). What is skipped is said loudly at the
// end; with CI=true it is a failure.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules', '.bin')

type Level = {
  readonly name: string
  readonly what: string
  readonly commands?: readonly (readonly string[])[]
  readonly files?: readonly string[]
  /** Done first; its failure is no failed test: the tests themselves say what they lack. */
  readonly prepare?: readonly string[]
}

const levels: readonly Level[] = [
  {
    name: 'rules',
    what: 'format, lint, types, unused exports, architecture',
    commands: [
      [join(bin, 'biome'), 'check', '--error-on-warnings', '.'],
      [join(bin, 'oxlint'), '--type-aware', '--deny-warnings', '.'],
      [join(bin, 'tsc'), '-p', '.'],
      [join(bin, 'knip')],
    ],
    files: ['test/*.test.ts'],
  },
  {
    name: 'pure',
    what: 'tables, scenarios and properties of the core, the API and the command line',
    files: ['test/{core,api,rules,manifests,cli,scenarios}/**/*.test.ts'],
  },
  {
    name: 'shell',
    what: 'sockets, watches, queue, apply, benchmarks',
    files: ['test/{shell,https,kubeconfig,bench}/**/*.test.ts'],
  },
  {
    name: 'model',
    what: 'the simulated API server and cluster, and the contract suite on them',
    files: ['test/model/**/*.test.ts', 'test/contract/{model,serve,kubectl}.test.ts'],
  },
  {
    name: 'faults',
    what: 'crashes at every write, stale views, lost events, random worlds',
    files: ['test/faults/**/*.test.ts'],
  },
  {
    name: 'real',
    what: 'the contract suite and the operator on a real etcd, kube-apiserver, controller-manager and scheduler',
    // Compiles what is not in the cache yet: minutes, once per machine.
    prepare: [process.execPath, join(root, 'test/control-plane/compile.ts')],
    files: ['test/contract/real.test.ts', 'test/real/**/*.test.ts'],
  },
]

type Outcome = {
  readonly level: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
}

function run(command: readonly string[], echo: (text: string) => void): Promise<number> {
  const [program = '', ...args] = command
  return new Promise(resolve => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, FORCE_COLOR: '0' },
    })
    child.stdout.setEncoding('utf8').on('data', echo)
    child.on('error', error => {
      process.stdout.write(`${program}: ${error.message}\n`)
      resolve(1)
    })
    child.on('close', code => resolve(code ?? 1))
  })
}

async function runLevel(level: Level): Promise<Outcome> {
  const started = performance.now()
  process.stdout.write(`\n== ${level.name}: ${level.what}\n`)
  let [passed, failed, skipped] = [0, 0, 0]
  if (level.prepare !== undefined) await run(level.prepare, () => {})
  for (const command of level.commands ?? []) {
    let output = ''
    const code = await run(command, text => (output += text))
    if (code === 0) passed++
    else {
      failed++
      process.stdout.write(`${output}\nfailed: ${command.join(' ').replaceAll(`${root}/`, '')}\n`)
    }
  }
  const files = (level.files ?? []).flatMap(pattern => globSync(pattern, { cwd: root })).sort()
  if (files.length > 0) {
    let output = ''
    const code = await run(
      [
        process.execPath,
        '--test',
        '--test-reporter=dot',
        '--test-reporter-destination=stderr',
        '--test-reporter=tap',
        '--test-reporter-destination=stdout',
        ...files,
      ],
      text => (output += text),
    )
    const count = (word: string) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0)
    passed += count('pass')
    failed += count('fail') + count('cancelled')
    skipped += count('skipped') + count('todo')
    if (code !== 0 && count('fail') + count('cancelled') === 0) failed++
    for (const line of output.split('\n'))
      if (/^\s*not ok /.test(line) || / # SKIP/.test(line)) process.stdout.write(`${line.trim()}\n`)
    if (code !== 0) process.stdout.write(failureDetails(output))
    if (count('tests') === 0) failed++
  }
  const seconds = (performance.now() - started) / 1000
  process.stdout.write(`== ${level.name}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds.toFixed(1)} s\n`)
  return { level: level.name, passed, failed, skipped, seconds }
}

/** The YAML blocks that TAP puts behind `not ok`. */
function failureDetails(tap: string): string {
  const blocks = tap.match(/^(\s*)not ok [^\n]*\n\1 {2}---\n[\s\S]*?\n\1 {2}\.\.\.\n/gm) ?? []
  return blocks
    .filter(block => !block.includes("failureType: 'subtestsFailed'"))
    .slice(0, 20)
    .join('\n')
}

const { positionals } = parseArgs({ allowPositionals: true })
const unknown = positionals.find(name => !levels.some(level => level.name === name))
if (unknown !== undefined) {
  process.stderr.write(`There is no test level ${unknown}. There are: ${levels.map(level => level.name).join(', ')}.\n`)
  process.exit(2)
}

const outcomes: Outcome[] = []
for (const level of levels) if (positionals.length === 0 || positionals.includes(level.name)) outcomes.push(await runLevel(level))

const sum = (field: 'passed' | 'failed' | 'skipped') => outcomes.reduce((total, outcome) => total + outcome[field], 0)
const isCi = process.env['CI'] === 'true'
process.stdout.write('\n')
for (const { level, passed, failed, skipped, seconds } of outcomes) {
  process.stdout.write(
    `${level.padEnd(8)}${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped ${seconds.toFixed(1).padStart(7)} s\n`,
  )
}
if (sum('skipped') > 0)
  process.stdout.write(
    `\nATTENTION: ${sum('skipped')} tests were SKIPPED, see "# SKIP" above for what is missing.${isCi ? ' With CI=true that is a failure.' : ''}\n`,
  )
process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`)
process.exit(sum('failed') > 0 || (isCi && sum('skipped') > 0) ? 1 : 0)
