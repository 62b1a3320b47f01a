// Processes that stand for one Lease on the model's API server, each with a network, clocks and pauses of its own. Time is turned in
// steps of 50 ms, and at each step at most one of them may believe that it leads.
import assert from 'node:assert/strict'
import { builtInResources, createApiServer } from '../../src/model/api-server.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import type { Clock } from '../../src/shell/clock.ts'
import type { KubeRequest, KubeResponse, Transport } from '../../src/shell/kube/transport.ts'
import { type Election, standForElection } from '../../src/shell/lease/election.ts'
import { type Lease, leases } from '../../src/shell/lease/lease.ts'
import { settle } from './turns.ts'

/** `gone`: refuses connections; `silent`: takes requests and never answers; `lost answers`: carries them out and never answers. */
export type Network = 'fine' | 'gone' | 'silent' | 'lost answers'

export type Replica = {
  readonly name: string
  readonly election: Election
  readonly log: string[]
  network: Network
  /** Added to its wall clock. */
  wallMs: number
  outcome: string
  /** It neither runs nor sees answers until it is resumed; what came in between happens then, timers first or answers first. */
  pause(): void
  resume(first?: 'timers' | 'answers'): void
  /** Gone without a word. */
  crash(): void
}

export const namespace = 'default'
export const leaseName = 'kmm.sigs.x-k8s.io'
const stepMs = 50

export function leaseWorld() {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const requests: string[] = []
  const api = createApiServer({ clock, resources: builtInResources })
  const replicas: Replica[] = []
  const alive = new Set<Replica>()
  /** Who led at some step, in order, without repetition. */
  const reign: string[] = []

  const look = () => {
    const leaders = [...alive].filter(replica => replica.election.isLeader()).map(replica => replica.name)
    assert.ok(leaders.length <= 1, `${leaders.join(' and ')} lead at ${clock.monotonicMs()} ms`)
    const [leader] = leaders
    if (leader !== undefined && reign.at(-1) !== leader) reign.push(leader)
  }

  function replica(name: string): Replica {
    let running: 'yes' | 'paused' | 'crashed' = 'yes'
    const late = { timers: [] as (() => void)[], answers: [] as (() => void)[] }
    const when = (kind: keyof typeof late, action: () => void) => {
      if (running === 'yes') action()
      else if (running === 'paused') late[kind].push(action)
    }
    const own: Clock = {
      nowMs: () => clock.nowMs() + made.wallMs,
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, callback) => clock.after(delayMs, () => when('timers', callback)),
    }
    const transport: Transport = (request, stop) =>
      new Promise<KubeResponse>((resolve, reject) => {
        if (running !== 'yes') return
        requests.push(`${name} ${request.method}`)
        if (made.network === 'gone') return when('answers', () => reject(new Error('connect ECONNREFUSED')))
        if (made.network === 'silent') return
        const answered = carryOut(request, stop)
        if (made.network === 'fine')
          void answered.then(response => clock.after(10, () => when('answers', () => resolve(response))))
      })
    const carryOut = (request: KubeRequest, stop: AbortSignal) => api.transport(request, stop)
    const made: Replica = {
      name,
      log: [],
      network: 'fine',
      wallMs: 0,
      outcome: 'standing',
      pause: () => {
        running = 'paused'
      },
      resume: (first = 'timers') => {
        running = 'yes'
        for (const kind of [first, first === 'timers' ? 'answers' : 'timers'] as const)
          for (const action of late[kind].splice(0)) action()
      },
      crash: () => {
        running = 'crashed'
        alive.delete(made)
      },
      get election() {
        return election
      },
    }
    const election = standForElection({
      transport,
      clock: own,
      chance: () => 0.5,
      log: (level, message, fields) =>
        void made.log.push(`${level} ${message}${'identity' in fields ? ` ${String(fields['identity'])}` : ''}`),
      namespace,
      name: leaseName,
      identity: name,
    })
    void election.decided.then(outcome => {
      made.outcome = outcome
    })
    void election.lost.then(why => {
      made.outcome = `lost: ${why}`
    })
    replicas.push(made)
    alive.add(made)
    return made
  }

  return {
    clock,
    api,
    reign,
    requests,
    replica,
    lease: (): Lease | undefined => api.get(leases, `${namespace}/${leaseName}`),
    edit: (change: (lease: Lease) => Lease) => api.update(leases, `${namespace}/${leaseName}`, change),
    /** Lets time pass, and looks at who leads all the way. */
    pass: async (ms: number) => {
      for (const endMs = clock.monotonicMs() + ms; clock.monotonicMs() < endMs; ) {
        await settle()
        look()
        clock.advance(stepMs)
        look()
      }
      await settle()
      look()
    },
    look,
  }
}
