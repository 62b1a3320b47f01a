import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLook } from '../../../src/cli/plan/look.ts'
import { watches } from '../../../src/controllers/index.ts'
import { type Chain, explain } from '../../../src/core/explain/explain.ts'
import { isLinked, linkOf } from '../../../src/core/explain/link.ts'
import { kernelLabelValue } from '../../../src/core/kernel/version.ts'
import { labels, pluginReadyLabel, readyLabel } from '../../../src/core/names.ts'
import type { KubeObject } from '../../../src/core/object.ts'
import type { ProblemCode } from '../../../src/core/problem.ts'
import { problemTexts } from '../../../src/core/problem-texts.ts'
import { aDaemonSet, aModule, aNode, aPod, context } from '../../builders.ts'

const kernel = '6.1.0-1-amd64'
const module = aModule()
const withPlugin = aModule({ spec: { devicePlugin: { container: { image: 'registry.example.com/plugin:1' } } } })
const kernelLabel = { [labels.kernel]: kernelLabelValue(kernel) }
const ready = { [readyLabel('drivers', 'driver')]: '' }
const pluginReady = { [pluginReadyLabel('drivers', 'driver')]: '' }
const node = aNode({ labels: { ...kernelLabel, ...ready } })

const template = (nodeSelector: object, image = `registry.example.com/driver:${kernel}`) => ({
  spec: { nodeSelector, containers: [{ name: 'module-loader', image }] },
})
const loader = aDaemonSet({ labels: kernelLabel, template: template({ worker: '', ...kernelLabel }) })
const plugin = aDaemonSet({
  name: 'plugin',
  uid: 'uid-plugin',
  template: template({ worker: '', ...ready }, 'registry.example.com/plugin:1'),
})

/** With the digest of the inputs that the planner itself states. */
function loaderPod(): KubeObject {
  return aPod({ inputs: null, image: `registry.example.com/driver:${kernel}` })
}

const look = (...objects: readonly KubeObject[]) => createLook(objects, watches, () => undefined)

const refusalOf = (name: string, uid: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'drivers' },
    type: 'Warning',
    reason: 'FailedCreate',
    message: 'violates PodSecurity',
    involvedObject: { kind: 'DaemonSet', namespace: 'drivers', name, uid },
  }) as KubeObject

function chainOf(objects: readonly KubeObject[], name = 'node-1'): Chain {
  const [chain] = explain(look(...objects), 'drivers/driver', name, context).chains
  assert.ok(chain)
  return chain
}

const breakOf = (...objects: readonly KubeObject[]) => {
  const found = chainOf(objects).break
  return found === undefined ? undefined : `${found.link}: ${found.because}`
}

describe('the first link that does not hold', () => {
  it('is none where driver and device plugin run', () => {
    const all = aNode({ labels: { ...kernelLabel, ...ready, ...pluginReady } })
    assert.equal(breakOf(module, node, loader, loaderPod()), undefined)
    assert.equal(
      breakOf(withPlugin, all, loader, loaderPod(), plugin, aPod({ operand: 'plugin', owner: 'uid-plugin' })),
      undefined,
    )
  })

  it('is the selector, with the label that is lacking, on a node that is not selected', () => {
    const other = { ...aNode(), metadata: { ...aNode().metadata, labels: { worker: 'no' } } }
    const chain = chainOf([module, other])
    assert.equal(chain.break?.link, 'selector')
    assert.deepEqual(chain.links[0]?.evidence, ['spec.selector wants worker=; the node has worker=no'])
    assert.equal(chain.break?.todo, 'If the driver shall run there: kubectl label --overwrite node node-1 worker=')
    assert.equal(chain.meant, 'no')
  })

  it('is the DaemonSet as long as there is none', () => {
    assert.equal(breakOf(module, node), `DaemonSet: Module drivers/driver has no DaemonSet for kernel ${kernel} yet`)
  })

  it('is the kernel label that the operator has not set', () => {
    const unlabelled = aNode()
    assert.equal(
      breakOf(module, unlabelled, loader),
      `kernel: node node-1 lacks the label ${labels.kernel}=${kernel}, by which its driver is chosen`,
    )
    assert.match(chainOf([module, unlabelled, loader]).break?.todo ?? '', /kubectl -n openshift-kmm get pods,events$/)
  })

  it('is the DaemonSet where it wants a label that the node lacks', () => {
    const picky = aDaemonSet({ labels: kernelLabel, template: template({ worker: '', gpu: 'yes' }) })
    assert.equal(breakOf(module, node, picky), 'DaemonSet: DaemonSet ds wants labels that node node-1 lacks: gpu=yes')
  })

  it('is the pod where all labels are right and there is none', () => {
    assert.equal(breakOf(module, node, loader), 'pod: DaemonSet ds has no pod on node node-1 yet')
  })

  it('is the ready label where the driver is loaded without it', () => {
    const late = aNode({ labels: kernelLabel })
    assert.match(breakOf(module, late, loader, loaderPod()) ?? '', /^ready label: the driver is loaded, but node node-1 lacks/)
  })

  const plugins: readonly (readonly [string, readonly KubeObject[], RegExp])[] = [
    ['has no DaemonSet', [], /^device plugin: Module drivers\/driver has no DaemonSet for its device plugin yet$/],
    ['has no pod', [plugin], /^device plugin: DaemonSet plugin has no pod of the device plugin on node node-1 yet$/],
    [
      'wants a label',
      [aDaemonSet({ name: 'plugin', uid: 'uid-plugin', template: template({ gpu: 'yes' }) })],
      /which lacks gpu=yes$/,
    ],
    [
      'is not ready',
      [
        plugin,
        aPod({
          operand: 'plugin',
          owner: 'uid-plugin',
          ready: false,
          container: { state: { waiting: { reason: 'ImagePullBackOff', message: 'manifest unknown' } } },
        }),
      ],
      /^device plugin: the device plugin of Module drivers\/driver does not run on node node-1 \(pod driver-plugin-node-1\): ImagePullBackOff: manifest unknown$/,
    ],
    [
      'is only being started',
      [plugin, aPod({ operand: 'plugin', owner: 'uid-plugin', ready: false, container: { state: {} } })],
      /^device plugin: pod driver-plugin-node-1 of the device plugin is not ready on node node-1 yet$/,
    ],
    [
      'is refused',
      [plugin, refusalOf('plugin', 'uid-plugin')],
      /^device plugin: the cluster refuses the device-plugin pods of Module drivers\/driver .*: violates PodSecurity$/,
    ],
    [
      'is ending',
      [plugin, aPod({ operand: 'plugin', owner: 'uid-plugin', deleted: '2026-01-01T01:00:00Z' })],
      /pod driver-plugin-node-1 of the device plugin is ending on node node-1$/,
    ],
    ['has no label', [plugin, aPod({ operand: 'plugin', owner: 'uid-plugin' })], /the device plugin runs, but node node-1 lacks/],
  ]
  for (const [what, objects, expected] of plugins) {
    it(`is the device plugin where it ${what}`, () => {
      assert.match(breakOf(withPlugin, node, loader, loaderPod(), ...objects) ?? '', expected)
    })
  }
})

describe('what cannot be explained', () => {
  it('is a Module that is not there, with those that might be meant', () => {
    const { break: found, chains } = explain(look(module), 'default/driver', undefined, context)
    assert.equal(found?.because, 'there is no Module default/driver')
    assert.deepEqual(found?.evidence, ['there is Module drivers/driver'])
    assert.deepEqual(chains, [])
  })

  it('is a node that is not there', () => {
    const { break: found } = explain(look(module, node), 'drivers/driver', 'node-7', context)
    assert.deepEqual([found?.because, found?.evidence], ['there is no node node-7', ['nodes: node-1']])
  })

  it('is a Module that selects nobody, with the counts of each label', () => {
    const gpu = aModule({ spec: { selector: { worker: '', gpu: 'yes' } } })
    const { break: found } = explain(look(gpu, node), 'drivers/driver', undefined, context)
    assert.equal(found?.because, 'Module drivers/driver selects no node')
    assert.deepEqual(found?.evidence, ['1 nodes were seen', '1 of them have worker=', '0 of them have gpu=yes'])
  })
})

describe('the catalogue', () => {
  it('has a link for each code', () => {
    const codes = Object.keys(problemTexts) as ProblemCode[]
    assert.deepEqual(
      codes.filter(code => !isLinked(code)),
      [],
    )
    assert.equal(linkOf({ code: 'KeyRejected' }), 'driver')
  })
})
