// An API server that is away for longer than a lead lasts: the operator loses its Lease, stays, stands again, and goes on.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { onControlPlane } from '../control-plane/for-test.ts'
import { prepareCluster } from './cluster.ts'
import { type OperatorProcess, startOperator } from './operator-process.ts'

let operator: OperatorProcess | undefined
after(async () => {
  await operator?.end('SIGKILL')
})

const real = onControlPlane({ parts: ['controllers'] }, plane => prepareCluster(plane, { default: [] }))

real('an operator that lost its Lease in an outage leads again by itself when the API server is back', async plane => {
  operator = await startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder })
  await plane.killApiServer()
  await operator.record('that the lead was lost', ({ msg }) => msg.startsWith('leader election lost'), 20)
  assert.equal((await operator.probe('healthz')).status, 200)
  assert.equal((await operator.probe('readyz')).status, 503)
  await delay(1000)
  await plane.startApiServer()
  const isListed = ({ msg }: { readonly msg: string }) => msg.startsWith('everything is listed')
  for (let tries = 0; (await operator.records()).filter(isListed).length < 2; tries++) {
    assert.ok(tries < 400, 'not listed again within 40 s')
    await delay(100)
  }
  assert.equal((await operator.probe('readyz')).status, 200)
  assert.equal(await operator.end('SIGTERM'), 0)
  assert.equal((await operator.records()).filter(({ msg }) => msg.startsWith('successfully acquired lease')).length, 2)
  operator = undefined
})
