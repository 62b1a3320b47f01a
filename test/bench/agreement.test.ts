// How the benchmark compares the simulated cluster with a control plane, and keeps their figures apart.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { compareWrites, pairsOf, summaryOf } from '../../bench/scale/agreement.ts'
import { report } from '../../bench/scale/report.ts'
import type { Result } from '../../bench/scale/run.ts'
import { result, simulated } from './builders.ts'

describe('the agreement of the simulated cluster with a control plane', () => {
  const real = result(100, {
    'patch nodes': 100,
    'patch modules/status': 3,
    'update leases': 9,
    'create events': 4,
    'list pods': 1,
  })
  const other = result(
    100,
    { 'patch nodes': 98, 'patch daemonsets': 2, 'patch modules/status': 9, 'patch pods (422)': 7 },
    { simulated },
  )

  it('compares each kind of write of each scenario, but no reads, leases and Events', () => {
    const rows = compareWrites(real, other).filter(({ scenario }) => scenario === 'fresh rollout')
    assert.deepEqual(
      rows.map(row => [row.write, row.real, row.simulated]),
      [
        ['patch daemonsets', 0, 2],
        ['patch modules/status', 3, 9],
        ['patch nodes', 100, 98],
        ['patch pods (422)', 0, 7],
      ],
    )
  })

  it('leaves paced status writes and refused ones out of its sums', () => {
    assert.deepEqual(summaryOf(compareWrites(real, other)), { real: 200, simulated: 200, widest: 2 })
    assert.deepEqual(summaryOf([]), { real: 0, simulated: 0, widest: 0 })
  })

  it('pairs equal shapes only, one of each', () => {
    const pairs = pairsOf([real, other, result(200, {}), result(400, {}, { simulated })])
    assert.deepEqual(pairs, [{ real, simulated: other }])
    assert.throws(() => compareWrites(real, result(200, {})), /100x1x2 is not 200x1x2/)
  })
})

describe('the report of both', () => {
  const folderOf = async (context: TestContext, results: Readonly<Record<string, Result>>) => {
    const folder = await mkdtemp(join(tmpdir(), 'kmm-report-test-'))
    context.after(() => rm(folder, { recursive: true }))
    for (const [name, one] of Object.entries(results)) await writeFile(join(folder, `${name}.json`), JSON.stringify(one))
    const exitCode = await report(folder)
    return { exitCode, text: await readFile(join(folder, 'scale.md'), 'utf8') }
  }
  const grown = (nodes: number, power: number, more: Partial<Result> = {}) => {
    const one = result(nodes, { 'patch nodes': nodes }, more)
    return { ...one, measured: one.measured.map(measured => ({ ...measured, cpuSeconds: (nodes / 250) ** power })) }
  }

  it('has tables and exponents of their own for simulated sizes', async context => {
    const { exitCode, text } = await folderOf(context, {
      'scale-100x1x2': grown(100, 3),
      'scale-250x1x2': grown(250, 1),
      'scale-1000x1x2': grown(1000, 1),
      'simulated-250x1x2': grown(250, 2, { simulated }),
      'simulated-20000x1x2': grown(20_000, 2, { simulated }),
      'other-1': grown(7, 1),
    })
    const exponents = [...text.matchAll(/\| s CPU of the operator \| ([\d.]+) \|/g)].map(([, exponent]) => exponent)
    assert.deepEqual(exponents, ['1.00', '2.00'], 'of the rig from 250 nodes on, then of the simulated cluster')
    assert.equal(exitCode, 1)
    assert.match(
      text,
      /\| exponent of s CPU of the operator \| simulated cluster, 250 to 20000 nodes \| at most 1.1 \| 2.00 \| \*\*missed\*\* \|/,
    )
    const [rig = '', rest = ''] = text
      .slice(text.indexOf('## Rollout'))
      .split('## Rollout, beside the floor, on a simulated cluster')
    assert.match(rig, /\| 1000 x 1 x 2 \|/)
    assert.doesNotMatch(rig, /20000/)
    assert.match(rest, /\| 20000 x 1 x 2 \| 12800 \| 100 \| 5 \| 500 \|/)
    assert.match(rest, /### 250 x 1 x 2, on both/)
    assert.match(rest, /500 writes against 500; the kind of write that lies farthest apart differs by 0 %/)
  })

  it('says nothing of simulated clusters where there are none', async context => {
    const { exitCode, text } = await folderOf(context, { 'scale-250x1x2': grown(250, 1) })
    assert.equal(exitCode, 0)
    assert.doesNotMatch(text, /simulated/)
  })
})
