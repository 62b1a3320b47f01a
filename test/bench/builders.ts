// Results of the scale benchmark that nobody measured.
import type { Result } from '../../bench/scale/run.ts'

const latency = { pairs: 1, p50Ms: 1, p99Ms: 2 }

/** Of one Module on two kernels: a fresh rollout and a deletion with these requests, every cost in proportion to the nodes. */
export function result(nodes: number, requests: Readonly<Record<string, number>>, more: Partial<Result> = {}): Result {
  const cost = { cpuSeconds: nodes / 100, peakMiB: 100, residentMiB: 90 }
  const measured = ['fresh rollout', 'Module deletion'].map(scenario => ({
    scenario,
    seconds: nodes / 10,
    lastWriteSeconds: 1,
    writes: 10,
    reads: 0,
    requests,
    ...cost,
    latency,
  }))
  return {
    command: 'npm run bench -- scale',
    commit: 'abc',
    date: '2026-01-01',
    machine: { cores: 2, model: 'any', memoryGiB: 8, node: 'v24' },
    shape: { nodes, modules: 1, kernels: 2, devicePlugin: false },
    measured,
    floors: [
      {
        labelSeconds: 1,
        podsSeconds: 1,
        rolloutSeconds: 1,
        deletionSeconds: 1,
        writes: 1,
        cpuSeconds: 1,
        peakMiB: 1,
        latency,
      },
    ],
    health: { asked: 1, missed: 0, slowestMs: 1 },
    lease: { renewals: 1, longestSeconds: 0 },
    ...more,
  }
}

export const simulated = { cpuSeconds: 5, peakMiB: 500, residentMiB: 400 }
