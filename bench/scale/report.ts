// docs/benchmarks/scale.md and its picture, made of the results: npm run bench -- report
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Floor } from './floor.ts'
import type { Measured } from './measure.ts'
import { fitPower, type Point, plotSvg, type Series } from './plot.ts'
import { type Result, resultsFolder } from './run.ts'

/** Reads all results in the folder, ascending by size. */
export async function readResults(folder: string): Promise<readonly Result[]> {
  const names = (await readdir(folder)).filter(name => /^scale-.*\.json$/.test(name))
  const results = await Promise.all(names.map(async name => JSON.parse(await readFile(join(folder, name), 'utf8')) as Result))
  return results.toSorted(
    (a, b) => a.shape.nodes * a.shape.modules - b.shape.nodes * b.shape.modules || a.shape.nodes - b.shape.nodes,
  )
}

/** Writes the tables and the picture beside the results. */
export async function report(folder: string = resultsFolder): Promise<void> {
  const results = await readResults(folder)
  const series = seriesOf(results)
  await writeFile(join(folder, 'scale.svg'), plotSvg('Fresh rollout of one Module, two kernels', 'nodes', series))
  await writeFile(join(folder, 'scale.md'), markdownOf(results, series))
  process.stdout.write(`${results.length} results: ${join(folder, 'scale.md')}, ${join(folder, 'scale.svg')}\n`)
}

const find = (result: Result, scenario: string): Measured | undefined =>
  result.measured.find(measured => measured.scenario.startsWith(scenario))

const isPlain = ({ shape }: Result): boolean => shape.modules === 1 && shape.kernels === 2 && !shape.devicePlugin

function seriesOf(results: readonly Result[]): readonly Series[] {
  const plain = results.filter(isPlain)
  const points = (of: (result: Result) => number | undefined): readonly Point[] =>
    plain.flatMap(result => {
      const y = of(result)
      return y === undefined ? [] : [{ x: result.shape.nodes, y }]
    })
  const ofRollout = (of: (measured: Measured) => number) =>
    points(result => {
      const measured = find(result, 'fresh rollout')
      return measured === undefined ? undefined : of(measured)
    })
  return [
    { name: 'requests of the operator', colour: '#1f77b4', points: ofRollout(({ writes, reads }) => writes + reads) },
    { name: 'MiB resident, at most', colour: '#9467bd', points: ofRollout(({ peakMiB }) => peakMiB) },
    { name: 's until the last node is told', colour: '#d62728', points: points(result => rolloutSeconds(result)) },
    { name: 's of the floor', colour: '#7f7f7f', points: points(result => floorOf(result).rolloutSeconds) },
    { name: 's CPU of the operator', colour: '#2ca02c', points: ofRollout(({ cpuSeconds }) => cpuSeconds) },
  ]
}

/** Of the rollouts before and after the floor, whose places in the run differ. */
function rolloutSeconds(result: Result): number {
  const found = ['fresh rollout', 'second rollout'].flatMap(name => find(result, name)?.seconds ?? [])
  return found.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, found.length)
}

/** The mean of the floors; of the latencies too. */
function floorOf({ floors }: Result): Floor {
  const mean = (of: (floor: Floor) => number) => floors.reduce((sum, floor) => sum + of(floor), 0) / Math.max(1, floors.length)
  return {
    labelSeconds: mean(floor => floor.labelSeconds),
    podsSeconds: mean(floor => floor.podsSeconds),
    rolloutSeconds: mean(floor => floor.rolloutSeconds),
    deletionSeconds: mean(floor => floor.deletionSeconds),
    writes: mean(floor => floor.writes),
    cpuSeconds: mean(floor => floor.cpuSeconds),
    peakMiB: mean(floor => floor.peakMiB),
    latency: {
      pairs: mean(floor => floor.latency.pairs),
      p50Ms: mean(floor => floor.latency.p50Ms),
      p99Ms: mean(floor => floor.latency.p99Ms),
    },
  }
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const shapeText = ({ shape }: Result): string =>
  `${shape.nodes} x ${shape.modules} x ${shape.kernels}${shape.devicePlugin ? ' with device plugin' : ''}`

function markdownOf(results: readonly Result[], series: readonly Series[]): string {
  const [first] = results
  if (first === undefined) return 'No results yet: run `npm run bench -- scale`.\n'
  const { machine } = first
  const fits = series.map(({ name, points }) => [name, fitPower(points)?.exponent.toFixed(2) ?? '-'])
  return [
    '# Many nodes: the figures',
    'Made by `npm run bench -- report` from the results in this folder; [what is measured, and what the figures say](../benchmarks.md#many-nodes).',
    `The machine: ${machine.cores} cores (${machine.model}), ${machine.memoryGiB} GiB, Node ${machine.node}, with the whole control plane on it.`,
    '## Rollout, beside the floor',
    'Sizes are nodes x Modules x kernels. Times in seconds: until the last node is told ready. The operator runs before and after the floor.',
    rolloutTable(results),
    '## From a pod that is ready to the label of its Node',
    latencyTable(results),
    '## Writes of the fresh rollout',
    'Budget: 1 per (node, Module), with a device plugin 1 more; 10 per Module and kernel; 1 status per Module and 10 s. The label of the kernel, 1 per node, is counted before.',
    writesTable(results),
    '## How cost grows with the nodes',
    '![cost against nodes](scale.svg)',
    table(['measure', 'exponent'], fits),
    '## Every scenario',
    'CPU in seconds; memory is what is resident when nothing moves any more.',
    ...results.flatMap(result => [
      `### ${shapeText(result)}`,
      `\`${result.command}\`, ${result.date}, commit ${result.commit}. /healthz was asked ${result.health.asked} times, missed ${result.health.missed} times, slowest ${result.health.slowestMs.toFixed(0)} ms.`,
      scenarioTable(result),
    ]),
  ]
    .join('\n\n')
    .concat('\n')
}

const ratio = (a: number, b: number): string => (b === 0 ? '-' : (a / b).toFixed(2))

const rolloutTable = (results: readonly Result[]): string =>
  table(
    [
      'size',
      'labels of kernels',
      'floor',
      'fresh rollout',
      'floor',
      'second rollout',
      'ratio (mean)',
      'CPU',
      'floor',
      'memory at most, MiB',
    ],
    results.map(result => {
      const floor = floorOf(result)
      const [labels, fresh, second] = ['kernel labels', 'fresh rollout', 'second rollout'].map(name => find(result, name))
      const seconds = (measured: Measured | undefined) => measured?.seconds.toFixed(1) ?? '-'
      return [
        shapeText(result),
        seconds(labels),
        floor.labelSeconds.toFixed(1),
        seconds(fresh),
        floor.rolloutSeconds.toFixed(1),
        seconds(second),
        ratio(rolloutSeconds(result), floor.rolloutSeconds),
        fresh?.cpuSeconds.toFixed(1) ?? '-',
        floor.cpuSeconds.toFixed(1),
        Math.max(...result.measured.map(({ peakMiB }) => peakMiB)).toFixed(0),
      ]
    }),
  )

const latencyTable = (results: readonly Result[]): string =>
  table(
    ['size', 'p50 ms', 'floor', 'p99 ms (fresh, second)', 'floor', 'ratio of p99 (mean)'],
    results.map(result => {
      const floor = floorOf(result)
      const [fresh, second] = ['fresh rollout', 'second rollout'].map(name => find(result, name)?.latency)
      const p99s = [fresh, second].flatMap(latency => latency?.p99Ms ?? [])
      return [
        shapeText(result),
        fresh?.p50Ms.toFixed(0) ?? '-',
        floor.latency.p50Ms.toFixed(0),
        p99s.map(ms => ms.toFixed(0)).join(', '),
        floor.latency.p99Ms.toFixed(0),
        ratio(p99s.reduce((sum, ms) => sum + ms, 0) / Math.max(1, p99s.length), floor.latency.p99Ms),
      ]
    }),
  )

const writesTable = (results: readonly Result[]): string =>
  table(
    ['size', 'writes', 'budget', 'of it nodes', 'DaemonSets', 'status', 'floor'],
    results.flatMap(result => {
      const fresh = find(result, 'fresh rollout')
      if (fresh === undefined) return []
      const { nodes, modules, kernels, devicePlugin } = result.shape
      const statuses = modules * Math.ceil(1 + Math.max(fresh.seconds, fresh.lastWriteSeconds) / 10)
      const budget = nodes * modules * (devicePlugin ? 2 : 1) + 10 * modules * kernels + statuses
      const of = (resource: string) =>
        Object.entries(fresh.requests).reduce((sum, [what, count]) => (what.split(' ')[1] === resource ? sum + count : sum), 0)
      return [
        [shapeText(result), fresh.writes, budget, of('nodes'), of('daemonsets'), of('modules/status'), floorOf(result).writes],
      ]
    }),
  )

const scenarioTable = ({ measured, shape }: Result): string =>
  table(
    ['scenario', 'seconds', 'writes', 'per node', 'reads', 'CPU', 'memory, MiB'],
    measured.map(({ scenario, seconds, writes, reads, cpuSeconds, residentMiB }) => [
      scenario,
      seconds.toFixed(1),
      writes,
      (writes / shape.nodes).toFixed(2),
      reads,
      cpuSeconds.toFixed(2),
      residentMiB.toFixed(0),
    ]),
  )
