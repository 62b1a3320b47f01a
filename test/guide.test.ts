// The commands of the guide, run on the simulated cluster; `<!-- then: NODE=VERSION ... -->` says which driver is in which kernel after them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Module } from '../src/api/module.ts'
import { imagesFor } from '../src/cli/simulate/images.ts'
import { type Simulation, startSimulation } from '../src/cli/simulate/simulation.ts'
import { createWorld } from '../src/cli/simulate/world.ts'
import { pluginReadyLabel } from '../src/core/names.ts'
import { modules, nodes } from '../src/core/resources.ts'
import { parseYamlDocuments } from '../src/shell/yaml.ts'
import { filesOf, runKmm } from './cli/run-kmm.ts'
import { serve } from './cli/served-cluster.ts'

const guide = (name: string): string => readFileSync(join(import.meta.dirname, '../docs/guide', name), 'utf8')

type Step = { readonly is: 'command' | 'then'; readonly text: string }

/** Lines of `sh` blocks and `then` comments, in the order of the page. */
function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(/^ *```sh\n([\s\S]*?)^ *```$|<!-- then: (.*?) -->/gm)].flatMap(
    ([, block = '', then]): readonly Step[] => {
      if (then !== undefined) return [{ is: 'then', text: then }]
      const lines = block.split('\n').map(line => line.trim())
      return lines.filter(line => line !== '').map(text => ({ is: 'command', text }))
    },
  )
}

const yamlOf = (page: string): string => /^```yaml\n(# module\.yaml\n[\s\S]*?)^```$/m.exec(page)?.[1] ?? ''

/** As a shell splits a line without variables: blanks, and what stands in single quotes as it is. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')

type Bench = { readonly simulation: Simulation; readonly kubeconfig: string; readonly module: Module }

async function run({ simulation, kubeconfig, module }: Bench, line: string): Promise<void> {
  const [program, ...all] = wordsOf(line)
  if (program === 'kmm') {
    const { code, err } = await runKmm([...all, '--kubeconfig', kubeconfig])
    assert.deepEqual({ line, code, err }, { line, code: 0, err: '' })
    return
  }
  assert.equal(program, 'kubectl', line)
  const words = all[0] === '-n' ? all.slice(2) : all
  if (words[0] === 'label') return label(simulation, words.slice(1))
  if (words[0] === 'apply') return simulation.changeModule(module)
  assert.deepEqual(words.slice(0, 5), ['patch', 'module', module.metadata.name, '--type', 'merge'], line)
  const found = simulation.cluster.api.get(modules, `drivers/${words[2]}`) as Module
  simulation.changeModule(merged(found, JSON.parse(words[6] ?? '')) as Module)
}

/** kubectl changes a label that is there only with --overwrite. */
function label({ cluster }: Simulation, words: readonly string[]): void {
  const isForced = words[0] === '--overwrite'
  const [kind, ...rest] = isForced ? words.slice(1) : words
  assert.equal(kind, 'node')
  const change = rest.at(-1) ?? ''
  const [key = '', value] = change.endsWith('-') ? [change.slice(0, -1)] : change.split('=')
  for (const name of rest.slice(0, -1)) {
    const node = cluster.api.update(nodes, name, found => {
      const { [key]: before, ...others } = found.metadata.labels ?? {}
      assert.ok(value === undefined ? before !== undefined : before === undefined || isForced, `${name}: ${change}`)
      return { ...found, metadata: { ...found.metadata, labels: value === undefined ? others : { ...others, [key]: value } } }
    })
    assert.ok(node, `there is no node ${name}`)
  }
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(target as object) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

async function benchFor(context: TestContext, page: string): Promise<Bench> {
  const module = parseYamlDocuments(yamlOf(page), 'module.yaml')[0]?.value as Module
  const workers = ['worker-1', 'worker-2', 'worker-3'].map(name => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'node-role.kubernetes.io/worker': '' } },
    status: { nodeInfo: { kernelVersion: '6.1.0-18-generic' } },
  }))
  // It brings its namespace along.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'loader', namespace: 'drivers' } }
  const world = createWorld([account, ...workers], { count: 0, kernels: [], failures: [], isPushed: () => true })
  const stop = new AbortController().signal
  const simulation = startSimulation(world, { operatorNamespace: 'openshift-kmm', answer: () => undefined, stop })
  context.after(() => simulation.end())
  for (const image of imagesFor([module], ['6.1.0-18-generic'])) simulation.push(image)
  await simulation.settle(() => Promise.resolve())
  return { simulation, module, kubeconfig: (await serve(context, simulation.cluster.api)).kubeconfig }
}

function driversOf({ cluster }: Simulation): string {
  return cluster
    .nodeNames()
    .map(name => `${name}=${cluster.node(name).kernel.loaded.get('my_kmod')?.version ?? 'none'}`)
    .join(' ')
}

describe('the guide', () => {
  it('leads through an ordered upgrade, in both ways, as it says', async context => {
    const page = guide('upgrade.md')
    const bench = await benchFor(context, page)
    const { api } = bench.simulation.cluster
    const steps = stepsOf(page)
    assert.ok(steps.filter(({ is }) => is === 'then').length >= 6)
    for (const { is, text } of steps) {
      if (is === 'command') {
        await run(bench, text)
        await bench.simulation.settle(() => Promise.resolve(), 'waiting')
        continue
      }
      assert.equal(driversOf(bench.simulation), text)
      const withPlugin = api
        .list(nodes)
        .filter(node => node.metadata.labels?.[pluginReadyLabel('drivers', 'my-kmod')] !== undefined)
      assert.equal(withPlugin.length, text.split(' ').filter(one => !one.endsWith('=none')).length, `device plugins: ${text}`)
    }
  })

  it('starts with a Module that is valid, and shows what it says', async context => {
    const page = guide('getting-started.md')
    const file = join(filesOf(context, { 'module.yaml': yamlOf(page) }), 'module.yaml')
    const calls = stepsOf(page).filter(({ text }) => text.startsWith('kmm ') && text.includes('-f module.yaml'))
    assert.deepEqual(
      calls.map(({ text }) => text.split(' ')[1]),
      ['validate', 'simulate', 'simulate'],
    )
    const said: string[] = []
    for (const { text } of calls) {
      const { code, out, err } = await runKmm(wordsOf(text.replace('module.yaml', file)).slice(1))
      assert.deepEqual({ text, code, err }, { text, code: 0, err: '' })
      said.push(out)
    }
    assert.match(said[1] ?? '', /3 of 3 drivers are loaded/)
    assert.match(said[2] ?? '', /KeyRejected/)
  })
})
