// What the promises of docs/benchmarks.md are measured with.
//   npm run bench -- idle
import { spawn } from 'node:child_process'
import { join } from 'node:path'

// Each in a process of its own: what it measures is not what another one left behind.
const benchmarks: Readonly<Record<string, { readonly file: string; readonly what: string }>> = {
  idle: { file: 'idle.ts', what: 'memory, CPU and cold start of the operator on a small cluster' },
  scale: { file: 'scale.ts', what: 'requests, time, CPU and memory on many nodes, beside the floor' },
  report: { file: 'report.ts', what: 'the tables and the picture of docs/benchmarks from the results of scale' },
  client: { file: 'client.ts', what: 'our Kubernetes client against the official one' },
}

const [name = '', ...args] = process.argv.slice(2)
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
if (benchmark === undefined) {
  const known = Object.entries(benchmarks).map(([known, { what }]) => `  ${known.padEnd(8)} ${what}\n`)
  process.stderr.write(
    `${name === '' ? 'Name a benchmark' : `There is no benchmark ${name}`}: npm run bench -- NAME\n${known.join('')}`,
  )
  process.exit(2)
}
const child = spawn(process.execPath, [join(import.meta.dirname, benchmark.file), ...args], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', code => process.exit(code ?? 1))
