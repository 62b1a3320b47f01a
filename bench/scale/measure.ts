// One measurement: something happens, the cluster gets where it should, and after that nobody writes any more.
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditEntry } from '../../test/control-plane/audit.ts'
import { percentile } from './observer.ts'
import { type ProcessCost, processCost } from './process-cost.ts'
import { countRequests, isRead, isWrite } from './requests.ts'
import type { Rig } from './rig.ts'

export type Measured = {
  readonly scenario: string
  /** From the beginning of the action until the cluster is as it should be. */
  readonly seconds: number
  /** From the beginning until the last write; 0 without one. */
  readonly lastWriteSeconds: number
  readonly writes: number
  readonly reads: number
  /** By verb and resource, Events and leases too. */
  readonly requests: Readonly<Record<string, number>>
  readonly cpuSeconds: number
  readonly peakMiB: number
  /** When nothing moves any more. */
  readonly residentMiB: number
  /** From a pod's readiness to its label on the Node. */
  readonly latency: Latency
}
export type Latency = { readonly pairs: number; readonly p50Ms: number; readonly p99Ms: number }

export type Step = {
  readonly scenario: string
  readonly act?: () => Promise<void>
  /** The operator is started first, and its start counts. */
  readonly startsOperator?: boolean
  /** Whether the cluster is as it should be, or how far it is. */
  readonly isDone: () => boolean | string
  readonly deadlineSeconds: number
  /** A status may wait for 10 s. */
  readonly quietSeconds?: number
}

/** Throws when the cluster does not get there in time. */
export async function measure(rig: Rig, step: Step): Promise<Measured> {
  const { requests, observer, tell } = rig
  const before = requests.entries().length
  const cpuBefore = step.startsOperator === true ? 0 : costOf(rig).cpuSeconds
  observer.reset()
  const [startedMs, startedAtMs] = [performance.now(), Date.now()]
  if (step.startsOperator === true) rig.operator = await rig.startOperator()
  await step.act?.()
  await until(step)
  const seconds = (performance.now() - startedMs) / 1000
  const entries = () => requests.entries().slice(before)
  await quiet(entries, (step.quietSeconds ?? 12) * 1000)
  const found = entries()
  const writes = found.filter(isWrite)
  const cost = costOf(rig)
  const result: Measured = {
    scenario: step.scenario,
    seconds,
    lastWriteSeconds: writes.length === 0 ? 0 : Math.max(...lastOf(writes), startedAtMs) / 1000 - startedAtMs / 1000,
    writes: writes.length,
    reads: found.filter(isRead).length,
    requests: countRequests(found),
    cpuSeconds: cost.cpuSeconds - cpuBefore,
    peakMiB: cost.peakMiB,
    residentMiB: cost.residentMiB,
    latency: latencyOf(observer.latenciesMs()),
  }
  tell(
    `${step.scenario}: ${seconds.toFixed(1)} s, ${result.writes} writes, ${result.reads} reads, ${result.cpuSeconds.toFixed(1)} s CPU, ` +
      `${cost.residentMiB.toFixed(0)} MiB, label p50 ${result.latency.p50Ms.toFixed(0)} p99 ${result.latency.p99Ms.toFixed(0)} ms`,
  )
  return result
}

function costOf({ operator }: Rig): ProcessCost {
  if (operator === undefined) throw new Error('no operator runs: the first scenario has to start it')
  return processCost(operator.pid)
}

const lastOf = (writes: readonly AuditEntry[]): readonly number[] => writes.slice(-50).map(({ timeMs }) => timeMs)

export const latencyOf = (ascending: readonly number[]): Latency => ({
  pairs: ascending.length,
  p50Ms: percentile(ascending, 0.5),
  p99Ms: percentile(ascending, 0.99),
})

export async function until({
  scenario,
  isDone,
  deadlineSeconds,
}: Pick<Step, 'scenario' | 'isDone' | 'deadlineSeconds'>): Promise<void> {
  for (const endMs = performance.now() + deadlineSeconds * 1000; ; await delay(100)) {
    const state = isDone()
    if (state === true) return
    if (performance.now() > endMs) throw new Error(`${scenario}: not done in ${deadlineSeconds} s: ${state}`)
  }
}

/** Until no write was answered for so long. */
async function quiet(entries: () => readonly AuditEntry[], quietMs: number): Promise<void> {
  let [count, sinceMs] = [-1, performance.now()]
  for (const endMs = performance.now() + 300_000; performance.now() < endMs; await delay(250)) {
    const now = entries().filter(isWrite).length
    if (now !== count) [count, sinceMs] = [now, performance.now()]
    if (performance.now() - sinceMs >= quietMs) return
  }
}
