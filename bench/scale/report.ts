// docs/benchmarks/scale.md and its picture, made of the results: npm run bench -- report
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measured } from './measure.ts'
import { exponentText, fitPower, type Point, plotSvg, type Series } from './plot.ts'
import { type Result, resultsFolder } from './run.ts'
import {
  agreementText,
  aliveTable,
  find,
  floorOf,
  latencyTable,
  readsTable,
  rolloutSeconds,
  rolloutTable,
  scenarioTable,
  shapeText,
  simulatedCostTable,
  table,
  writesTable,
} from './tables.ts'
import { type Growth, type Judged, judge } from './targets.ts'

const names = { requests: 'requests of the operator', seconds: 's until the last node is told', cpu: 's CPU of the operator' }

/** Reads all results in the folder, ascending by size. */
export async function readResults(folder: string): Promise<readonly Result[]> {
  const names = (await readdir(folder)).filter(name => /^(scale|simulated)-.*\.json$/.test(name))
  const results = await Promise.all(names.map(async name => JSON.parse(await readFile(join(folder, name), 'utf8')) as Result))
  return results.toSorted(
    (a, b) => a.shape.nodes * a.shape.modules - b.shape.nodes * b.shape.modules || a.shape.nodes - b.shape.nodes,
  )
}

/** Writes the tables and the pictures beside the results, and names the targets that were missed. Resolves to the exit code: 1 with one of those. */
export async function report(folder: string = resultsFolder): Promise<number> {
  const results = await readResults(folder)
  const real = results.filter(({ simulated }) => simulated === undefined)
  const simulated = results.filter(result => result.simulated !== undefined)
  const title = 'Fresh rollout of one Module, two kernels'
  await writeFile(join(folder, 'scale.svg'), plotSvg(title, 'nodes', seriesOf(real)))
  if (simulated.length > 0)
    await writeFile(join(folder, 'simulated.svg'), plotSvg(`${title}, simulated cluster`, 'nodes', seriesOf(simulated)))
  const judged = judge(results, [growthOf('control plane', real), growthOf('simulated cluster', simulated)])
  await writeFile(join(folder, 'scale.md'), markdownOf(real, simulated, results, judged))
  process.stdout.write(`${results.length} results: ${join(folder, 'scale.md')}, ${join(folder, 'scale.svg')}\n`)
  const missed = judged.filter(({ isMet }) => !isMet)
  for (const { target, where, limit, measured } of missed)
    process.stdout.write(`missed: ${target} (${where}): ${measured}, ${limit}\n`)
  return missed.length === 0 ? 0 : 1
}

/** What has to grow with the nodes, and no faster. */
const growing = [names.requests, names.seconds, names.cpu]

function growthOf(where: string, results: readonly Result[]): Growth {
  const fits = seriesOf(results).flatMap(({ name, points }) => {
    const fit = fitPower(points)
    return fit === undefined || !growing.includes(name) ? [] : [[name, fit] as const]
  })
  const sizes = results.filter(isFitted).map(({ shape }) => shape.nodes)
  return { where: `${where}, ${Math.min(...sizes)} to ${Math.max(...sizes)} nodes`, fits }
}

/** Below this size what a start costs hides what a node costs. */
const smallestFitted = 250

const isFitted = ({ shape }: Result): boolean =>
  shape.modules === 1 && shape.kernels === 2 && !shape.devicePlugin && shape.nodes >= smallestFitted

function seriesOf(results: readonly Result[]): readonly Series[] {
  const plain = results.filter(isFitted)
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
    { name: names.requests, colour: '#1f77b4', points: ofRollout(({ writes, reads }) => writes + reads) },
    { name: 'MiB resident, at most', colour: '#9467bd', points: ofRollout(({ peakMiB }) => peakMiB) },
    { name: names.seconds, colour: '#d62728', points: points(result => rolloutSeconds(result)) },
    { name: 's of the floor', colour: '#7f7f7f', points: points(result => floorOf(result).rolloutSeconds) },
    { name: names.cpu, colour: '#2ca02c', points: ofRollout(({ cpuSeconds }) => cpuSeconds) },
  ]
}

function markdownOf(
  real: readonly Result[],
  simulated: readonly Result[],
  all: readonly Result[],
  judged: readonly Judged[],
): string {
  const [first] = all
  if (first === undefined) return 'No results yet: run `npm run bench -- scale`.\n'
  const { machine } = first
  return [
    '# Many nodes: the figures',
    'Made by `npm run bench -- report` from the results in this folder; [what is measured, and what the figures say](../benchmarks.md#many-nodes).',
    `The machine: ${machine.cores} cores (${machine.model}), ${machine.memoryGiB} GiB, Node ${machine.node}, with the whole cluster on it.`,
    'Sizes are nodes x Modules x kernels. Times in seconds: until the last node is told ready. The operator runs before and after the floor.',
    '## The targets',
    'Ratios and the p99 are means of two rollouts, over the mean of two floors. A target that one size misses is not met, whatever the others show.',
    targetsTable(judged),
    ...tablesOf(real, '', 'scale.svg'),
    ...(simulated.length === 0
      ? []
      : [
          ...tablesOf(simulated, ', on a simulated cluster', 'simulated.svg'),
          '## What the simulated cluster costs itself',
          'The whole run: all scenarios and the floor.',
          simulatedCostTable(simulated),
          '## Does the simulated cluster agree with the control plane?',
          agreementText(all),
        ]),
    '## Every scenario',
    'CPU in seconds; memory is what is resident when nothing moves any more.',
    ...all.flatMap(result => [
      `### ${shapeText(result)}${result.simulated === undefined ? '' : ', simulated'}`,
      `\`${result.command}\`, ${result.date}, commit ${result.commit}.`,
      scenarioTable(result),
    ]),
  ]
    .join('\n\n')
    .concat('\n')
}

/** The exponents are those of one Module and two kernels alone, and never of both kinds of cluster together. */
function tablesOf(results: readonly Result[], where: string, picture: string): readonly string[] {
  const fits = seriesOf(results).map(({ name, points }) => {
    const fit = fitPower(points)
    return [name, fit === undefined ? '-' : exponentText(fit)]
  })
  return [
    `## Rollout, beside the floor${where}`,
    rolloutTable(results),
    `## From a pod that is ready to the label of its Node${where}`,
    latencyTable(results),
    `## Does it stay alive, and the leader${where}`,
    'Over the whole run: `/healthz` is asked once a second, an answer that takes longer is missed; a leader has to renew its Lease within 10 s.',
    aliveTable(results),
    `## Reads after the start${where}`,
    'Over all scenarios in which no process of the operator starts.',
    readsTable(results),
    `## Writes of the fresh rollout${where}`,
    'Budget: 1 per (node, Module), with a device plugin 1 more; 10 per Module and kernel; 1 status per Module and 10 s. The label of the kernel, 1 per node, is counted before.',
    writesTable(results),
    `## How cost grows with the nodes${where}`,
    `![cost against nodes](${picture})`,
    'With the standard error of the fit.',
    table(['measure', 'exponent'], fits),
  ]
}

const targetsTable = (judged: readonly Judged[]): string =>
  table(
    ['target', 'where', 'limit', 'measured', ''],
    judged.map(({ target, where, limit, measured, isMet }) => [target, where, limit, measured, isMet ? 'met' : '**missed**']),
  )
