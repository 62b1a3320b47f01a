// Every object that a plan rests on wakes the key of that plan: else a change would wait for something else to happen.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { controllers, watches } from '../../../src/controllers/index.ts'
import { labels } from '../../../src/core/names.ts'
import type { KubeObject } from '../../../src/core/object.ts'
import { inherited } from '../../../src/shell/kube/fields.ts'
import { aDaemonSet, aModule, aNode, aPod } from '../../builders.ts'
import { lookAt } from './world.ts'

const kernelLabel = { [labels.kernel]: '6.1.0-1-amd64' }
const driver = aModule()
const rival = aModule({ name: 'rival' })
const stranger = aModule({ name: 'stranger', container: { modprobe: { moduleName: 'x' } }, spec: { selector: { no: 'node' } } })
const daemonSet = aDaemonSet({ labels: kernelLabel })
const pod = aPod()
const node = aNode({ labels: { 'kmm.node.kubernetes.io/version-module.drivers.versioned': '1' } })
const versioned = aModule({
  name: 'versioned',
  container: { version: '1', modprobe: { moduleName: 'v' } },
  spec: { selector: { no: 'node' } },
})
const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'drivers' } }
const crd: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'modules.kmm.sigs.x-k8s.io' },
}
const eventAbout = (object: KubeObject): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `e-${object.metadata.name}`, namespace: 'drivers' },
    type: 'Warning',
    involvedObject: { kind: object.kind, namespace: 'drivers', name: object.metadata.name, uid: object.metadata.uid },
  }) as KubeObject

const look = lookAt([driver, rival, stranger, versioned, daemonSet, pod, node, namespace, crd])

/** The keys that a controller looks at when this object appears or changes. */
function woken(controller: string, object: KubeObject): readonly string[] {
  const found = controllers.find(({ name }) => name === controller)
  const wakes = found?.wakes.filter(({ resource }) => resource.kind === object.kind) ?? []
  return [...new Set(wakes.flatMap(wake => wake.keys(object, look)))].toSorted()
}

describe('what wakes a Module', () => {
  const table: readonly (readonly [string, KubeObject, readonly string[]])[] = [
    ['itself, and those that name the same kernel module', driver, ['drivers/driver', 'drivers/rival']],
    ['its DaemonSet, which also holds kernel modules', daemonSet, ['drivers/driver', 'drivers/rival']],
    ['the DaemonSet of a Module that is gone', aDaemonSet({ labels: { [labels.moduleName]: 'gone' } }), ['drivers/gone']],
    ['its pods', pod, ['drivers/driver']],
    ['a node that it selects', node, ['drivers/driver', 'drivers/rival']],
    ['a node with a pod of it', { ...node, metadata: { ...node.metadata, labels: {} } }, ['drivers/driver']],
    ['an event on its DaemonSet', eventAbout(daemonSet), ['drivers/driver']],
    ['an event on its pod', eventAbout(pod), ['drivers/driver']],
    ['no event on anything else', eventAbout(node), []],
  ]
  for (const [sentence, object, keys] of table) it(sentence, () => assert.deepEqual(woken('Module', object), keys))
})

describe('what wakes a Node', () => {
  const table: readonly (readonly [string, KubeObject, readonly string[]])[] = [
    ['itself', node, ['node-1']],
    ['a pod on it', pod, ['node-1']],
    ['a Module with a pod on it', driver, ['node-1']],
    ['a Module that its version label names', versioned, ['node-1']],
    ['no other Module', stranger, []],
    ['the namespace of a pod on it', namespace, ['node-1']],
    ['the CRD of Modules', crd, ['node-1']],
    ['an event on a pod on it', eventAbout(pod), ['node-1']],
  ]
  for (const [sentence, object, keys] of table) it(sentence, () => assert.deepEqual(woken('Node', object), keys))

  it('not a status of a Module that moves', () => {
    const wake = controllers.find(({ name }) => name === 'Node')?.wakes.find(({ resource }) => resource.kind === 'Module')
    const matters = (changed: KubeObject) => wake?.matters?.(driver, changed)
    assert.equal(matters({ ...driver, status: {} } as KubeObject), false)
    assert.equal(matters(aModule({ annotations: { 'kmm.sigs.x-k8s.io/paused': 'true' } })), true)
    assert.equal(matters(aModule({ container: { version: '1' } })), true)
  })
})

describe('what is taken over from an older operator', () => {
  const ofManager = (kind: string, fieldsV1: object, subresource = '') => {
    const watch = watches.find(({ resource }) => resource.kind === kind)
    return inherited({ manager: 'manager', operation: 'Update', fieldsV1, subresource }, watch?.takeOver ?? [], subresource).yes
  }
  const key = 'f:kmm.node.kubernetes.io/drivers.driver.ready'

  it('on a Node its own labels, not those of another manager of the same name, nor those of the user', () => {
    const fields = { [key]: {}, 'f:other.io/x': {}, 'f:kmm.node.kubernetes.io/version-module.drivers.driver': {} }
    assert.deepEqual(ofManager('Node', { 'f:metadata': { 'f:labels': fields }, 'f:spec': { 'f:taints': {} } }), {
      'f:metadata': { 'f:labels': { [key]: {} } },
    })
  })

  it('of a DaemonSet its spec, its labels and its owner', () => {
    const spec = { 'f:template': { 'f:metadata': { 'f:finalizers': {} } } }
    const label = { 'f:kmm.node.kubernetes.io/module.name': {} }
    const owner = { 'k:{"uid":"u"}': {} }
    assert.deepEqual(
      ofManager('DaemonSet', {
        'f:metadata': { 'f:labels': { ...label, 'f:x': {} }, 'f:ownerReferences': owner, 'f:annotations': { 'f:a': {} } },
        'f:spec': spec,
      }),
      { 'f:metadata': { 'f:labels': label, 'f:ownerReferences': owner }, 'f:spec': spec },
    )
  })

  it('of a Module the status, and nothing of its spec', () => {
    const status = { 'f:status': { 'f:devicePlugin': { 'f:desiredNumber': {} } } }
    assert.deepEqual(ofManager('Module', status, 'status'), status)
    assert.deepEqual(ofManager('Module', { 'f:spec': { 'f:selector': {} } }), {})
  })
})
