// Leader election on a real API server: its Lease, its hand-over, and renewals while all other connections are busy.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { namespaces } from '../../src/core/resources.ts'
import { realClock } from '../../src/shell/clock.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import { collectionPath, objectPath } from '../../src/shell/kube/paths.ts'
import { type Election, standForElection } from '../../src/shell/lease/election.ts'
import { type Lease, leases } from '../../src/shell/lease/lease.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const never = new AbortController().signal
const real = onControlPlane({ parts: [] })

async function candidate(plane: ControlPlane, name: string, identity: string) {
  const { config } = await loadKubeconfig({ file: plane.kubeconfig, environment: {} })
  const transport = httpsTransport(config, { userAgent: `lease-test/${identity}` })
  const log: string[] = []
  const election = standForElection({
    transport,
    clock: realClock,
    chance: Math.random,
    log: (level, message) => void log.push(`${level} ${message}`),
    namespace: 'default',
    name,
    identity,
  })
  return { transport, election, log }
}

const read = async (plane: ControlPlane, name: string): Promise<Lease> =>
  (await plane.transport({ method: 'GET', path: objectPath(leases, `default/${name}`), deadlineMs: 5000 }, never)).body as Lease

async function leads(election: Election, seconds: number): Promise<void> {
  for (const endMs = performance.now() + seconds * 1000; !election.isLeader(); await delay(20))
    assert.ok(performance.now() < endMs, `does not lead after ${seconds} s`)
}

real('of two replicas one leads; when it stops the other one leads within one retry', async plane => {
  const a = await candidate(plane, 'hand-over', 'a')
  await leads(a.election, 5)
  const b = await candidate(plane, 'hand-over', 'b')
  await delay(4500)
  assert.deepEqual([a.election.isLeader(), b.election.isLeader()], [true, false])
  const { spec } = await read(plane, 'hand-over')
  assert.deepEqual([spec?.holderIdentity, spec?.leaseDurationSeconds, spec?.leaseTransitions], ['a', 15, 0])
  assert.match(spec?.renewTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.notEqual(spec?.renewTime, spec?.acquireTime)
  await a.election.stop()
  await leads(b.election, 3.5)
  assert.equal((await read(plane, 'hand-over')).spec?.leaseTransitions, 1)
  await b.election.stop()
  for (const { transport, log } of [a, b]) {
    transport.close()
    assert.deepEqual(
      log.filter(line => !line.startsWith('info ')),
      [],
    )
  }
})

real('a leader whose other connections are all busy renews every 2 s all the same', async plane => {
  const a = await candidate(plane, 'busy', 'a')
  await leads(a.election, 5)
  const quiet = new AbortController()
  let answered = 0
  const ask = async () => {
    while (!quiet.signal.aborted) {
      await a.transport({ method: 'GET', path: collectionPath(namespaces), deadlineMs: 30_000 }, never)
      answered++
    }
  }
  const asking = Array.from({ length: 200 }, ask)
  const renewals = new Set<string>()
  for (const endMs = performance.now() + 9000; performance.now() < endMs; await delay(200))
    renewals.add((await read(plane, 'busy')).spec?.renewTime ?? '')
  quiet.abort()
  await Promise.all(asking)
  assert.ok(answered > 200, `only ${answered} requests were answered`)
  assert.ok(renewals.size >= 4, `renewed ${renewals.size - 1} times in 9 s`)
  assert.ok(a.election.isLeader())
  await a.election.stop()
  a.transport.close()
})
