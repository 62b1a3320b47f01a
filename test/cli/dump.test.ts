// Directories as `oc adm must-gather` makes them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isDump } from '../../src/cli/input/dump.ts'
import { aModule, aNode, aPod } from '../builders.ts'
import { filesOf, runKmm } from './run-kmm.ts'

const json = (value: object) => JSON.stringify(value)
const pod = aPod({ ready: false })
const older = { ...pod, metadata: { ...pod.metadata, resourceVersion: '9' }, spec: { ...pod.spec, nodeName: 'node-0' } }
const clusterVersion = { apiVersion: 'config.openshift.io/v1', kind: 'ClusterVersion', metadata: { name: 'version' } }

const gathered = (context: TestContext, extra: Readonly<Record<string, string>> = {}) => {
  const { apiVersion: _, kind: __, ...item } = pod
  return filesOf(context, {
    'quay-io-image/inspect/cluster-scoped-resources/core/nodes/node-1.yaml': `---\n${json(aNode())}`,
    'quay-io-image/inspect/cluster-scoped-resources/config.openshift.io/clusterversions/version.yaml': json(clusterVersion),
    'quay-io-image/inspect/namespaces/drivers/kmm.sigs.x-k8s.io/modules/driver.yaml': json(aModule()),
    'quay-io-image/inspect/namespaces/drivers/core/pods.yaml': json({ apiVersion: 'v1', kind: 'PodList', items: [item] }),
    'quay-io-image/inspect/namespaces/drivers/pods/driver/driver.yaml': json(older),
    'quay-io-image/inspect/namespaces/drivers/core/replicationcontrollers.yaml': json({
      apiVersion: 'v1',
      kind: 'ReplicationControllerList',
      items: [],
    }),
    'quay-io-image/event-filter.html': '<html>',
    'quay-io-image/version.yaml': 'openshift/must-gather',
    ...extra,
  })
}

describe('a must-gather', () => {
  it('is read with what is known of it, each object once and as it was last', async context => {
    const { code, out, err } = await runKmm(['status', '-o', 'json', '-f', gathered(context)])
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    const { rows } = JSON.parse(out) as { rows: readonly { readonly node: string; readonly module: string }[] }
    assert.deepEqual(
      rows.map(row => [row.module, row.node]),
      [['drivers/driver', 'node-1']],
    )
  })

  it('is explained', async context => {
    const { code, out } = await runKmm(['explain', 'driver', '--node', 'node-1', '-f', gathered(context)])
    assert.equal(code, 1)
    assert.match(out, /^On node-1 the chain breaks at: old driver \(WaitingForOldDriver\)$/m)
  })

  it('is still refused where a field that planners read has the wrong type', async context => {
    const broken = { ...aNode(), metadata: { name: 'node-2', labels: { worker: 1 } } }
    const path = 'quay-io-image/inspect/cluster-scoped-resources/core/nodes/node-2.yaml'
    const { code, err } = await runKmm(['status', '-f', gathered(context, { [path]: json(broken) })])
    assert.equal(code, 2)
    assert.match(err, /node-2\.yaml:1: Node node-2: metadata\.labels\.worker must be a string/)
  })

  it('is told from a folder of manifests by what inspect makes', context => {
    assert.equal(isDump(gathered(context)), true)
    const inspected = filesOf(context, { 'namespaces/drivers/apps/daemonsets.yaml': '' })
    assert.equal(isDump(inspected), true)
    const manifests = filesOf(context, { 'namespaces/drivers/module.yaml': '', 'namespaces/drivers/loader/rbac.yaml': '' })
    assert.equal(isDump(manifests), false)
    assert.equal(isDump(join(manifests, 'namespaces/drivers/module.yaml')), false)
  })
})
