// The tables of docs/benchmarks/scale.md, each made of a list of results.
import { compareWrites, isTimed, pairsOf, summaryOf } from './agreement.ts'
import type { Floor } from './floor.ts'
import type { Measured } from './measure.ts'
import type { Result } from './run.ts'

export const find = (result: Result, scenario: string): Measured | undefined =>
  result.measured.find(measured => measured.scenario.startsWith(scenario))

/** Of the rollouts before and after the floors, whose places in the run differ. */
export function rolloutSeconds(result: Result): number {
  const found = ['fresh rollout', 'second rollout'].flatMap(name => find(result, name)?.seconds ?? [])
  return found.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, found.length)
}

/** The mean of the floors; of the latencies too. */
export function floorOf({ floors }: Result): Floor {
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

/** Where no floor was measured there is nothing to show. */
const seen = ({ floors }: Result, value: number, digits = 1): string => (floors.length === 0 ? '-' : value.toFixed(digits))

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

export const shapeText = ({ shape }: Result): string =>
  `${shape.nodes} x ${shape.modules} x ${shape.kernels}${shape.devicePlugin ? ' with device plugin' : ''}`

const ratio = (a: number, b: number): string => (b === 0 ? '-' : (a / b).toFixed(2))

export const rolloutTable = (results: readonly Result[]): string =>
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
        seen(result, floor.labelSeconds),
        seconds(fresh),
        seen(result, floor.rolloutSeconds),
        seconds(second),
        ratio(rolloutSeconds(result), floor.rolloutSeconds),
        fresh?.cpuSeconds.toFixed(1) ?? '-',
        seen(result, floor.cpuSeconds),
        Math.max(...result.measured.map(({ peakMiB }) => peakMiB)).toFixed(0),
      ]
    }),
  )

const p99sOf = (result: Result): readonly number[] =>
  ['fresh rollout', 'second rollout'].flatMap(name => find(result, name)?.latency.p99Ms ?? [])

/** The mean of the rollouts' p99 over that of the floors'; undefined without either. */
export function p99Ratio(result: Result): number | undefined {
  const p99s = p99sOf(result)
  if (p99s.length === 0 || result.floors.length === 0) return undefined
  return p99s.reduce((sum, ms) => sum + ms, 0) / p99s.length / floorOf(result).latency.p99Ms
}

export const latencyTable = (results: readonly Result[]): string =>
  table(
    ['size', 'p50 ms', 'floor', 'p99 ms (fresh, second)', 'floor', 'ratio of p99 (mean)'],
    results.map(result => {
      const floor = floorOf(result)
      const fresh = find(result, 'fresh rollout')?.latency
      return [
        shapeText(result),
        fresh?.p50Ms.toFixed(0) ?? '-',
        seen(result, floor.latency.p50Ms, 0),
        p99sOf(result)
          .map(ms => ms.toFixed(0))
          .join(', '),
        seen(result, floor.latency.p99Ms, 0),
        p99Ratio(result)?.toFixed(2) ?? '-',
      ]
    }),
  )

/** Writes that a fresh rollout may take: the measured seconds say how many statuses are due. */
export function budgetOf({ shape }: Result, fresh: Measured): number {
  const { nodes, modules, kernels, devicePlugin } = shape
  const statuses = modules * Math.ceil(1 + Math.max(fresh.seconds, fresh.lastWriteSeconds) / 10)
  return nodes * modules * (devicePlugin ? 2 : 1) + 10 * modules * kernels + statuses
}

export const writesTable = (results: readonly Result[]): string =>
  table(
    ['size', 'writes', 'budget', 'of it nodes', 'DaemonSets', 'status', 'floor'],
    results.flatMap(result => {
      const fresh = find(result, 'fresh rollout')
      if (fresh === undefined) return []
      const budget = budgetOf(result, fresh)
      const of = (resource: string) =>
        Object.entries(fresh.requests).reduce((sum, [what, count]) => (what.split(' ')[1] === resource ? sum + count : sum), 0)
      return [
        [shapeText(result), fresh.writes, budget, of('nodes'), of('daemonsets'), of('modules/status'), floorOf(result).writes],
      ]
    }),
  )

export const aliveTable = (results: readonly Result[]): string =>
  table(
    ['size', '/healthz asked', 'missed', 'slowest, ms', 'Lease renewed', 'longest apart, s'],
    results.map(result => {
      const { health, lease } = result
      const [renewals, longest] = [lease.renewals, lease.longestSeconds.toFixed(1)]
      return [shapeText(result), health.asked, health.missed, health.slowestMs.toFixed(0), renewals, longest]
    }),
  )

const startsOperator = new Set(['kernel labels', 'operator restart', 'second rollout'])

/** Requests with this verb in all scenarios in which no process of the operator starts; those of the Lease do not count. */
export function readsAfterStart({ measured }: Result, verb: 'list' | 'get' | 'watch'): number {
  const requests = measured
    .filter(({ scenario }) => !startsOperator.has(scenario))
    .flatMap(found => Object.entries(found.requests))
  return requests.reduce((sum, [what, times]) => (what.startsWith(`${verb} `) && !what.includes('leases') ? sum + times : sum), 0)
}

export const readsTable = (results: readonly Result[]): string =>
  table(
    ['size', 'lists', 'gets', 'watches opened'],
    results.map(result => [
      shapeText(result),
      readsAfterStart(result, 'list'),
      readsAfterStart(result, 'get'),
      readsAfterStart(result, 'watch'),
    ]),
  )

export const scenarioTable = ({ measured, shape }: Result): string =>
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

/** Of simulated clusters: what their own processes have cost, beside the operator's. */
export const simulatedCostTable = (results: readonly Result[]): string =>
  table(
    ['size', 'operator CPU', 'operator memory at most, MiB', 'cluster CPU', 'cluster memory at most, MiB'],
    results.flatMap(result => {
      if (result.simulated === undefined) return []
      const { cpuSeconds, peakMiB } = result.simulated
      const operator = result.measured.reduce((sum, measured) => sum + measured.cpuSeconds, 0)
      const most = Math.max(...result.measured.map(measured => measured.peakMiB))
      return [[shapeText(result), operator.toFixed(0), most.toFixed(0), cpuSeconds.toFixed(0), peakMiB.toFixed(0)]]
    }),
  )

/** The operator's writes on both, for each shape that ran on both. */
export function agreementText(results: readonly Result[]): string {
  const pairs = pairsOf(results)
  if (pairs.length === 0) return 'No size was measured on both yet.'
  return pairs
    .flatMap(({ real, simulated }) => {
      const rows = compareWrites(real, simulated)
      const sum = summaryOf(rows)
      return [
        `### ${shapeText(real)}, on both`,
        `Control plane: commit ${real.commit}; simulated cluster: commit ${simulated.commit}. Without what timing alone decides (status writes, which are paced, and refused ones): ${sum.real} writes against ${sum.simulated}; ` +
          `the kind of write that lies farthest apart differs by ${(100 * sum.widest).toFixed(0)} %.`,
        table(
          ['scenario', 'write', 'control plane', 'simulated'],
          rows.map(row => [row.scenario, `${row.write}${isTimed(row.write) ? ' (timing)' : ''}`, row.real, row.simulated]),
        ),
      ]
    })
    .join('\n\n')
}
