// What `kubectl get -o yaml` prints of a cluster in which all is done: without managedFields, with all that the API server has filled in.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { startSimulation } from '../../src/cli/simulate/simulation.ts'
import { createWorld } from '../../src/cli/simulate/world.ts'
import { runKmm } from './run-kmm.ts'

const moduleWith = (spec: object, container: object = {}): Module => ({
  apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
  kind: 'Module',
  metadata: { name: 'nic', namespace: 'drivers' },
  spec: {
    selector: { nic: 'acme' },
    moduleLoader: {
      container: {
        modprobe: { moduleName: 'nic', firmwarePath: '/firmware', modulesLoadingOrder: ['nic', 'nic_core'] },
        kernelMappings: [{ regexp: '^.+$', containerImage: 'r.example/nic:1-${KERNEL_FULL_VERSION}' }],
        ...container,
      },
    },
    ...spec,
  },
})

/** Every kind of field that the API server completes. */
const devicePlugin = {
  container: {
    image: 'r.example/plugin:1',
    args: ['--log=debug'],
    env: [
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ],
    resources: { limits: { cpu: '1000m' } },
    volumeMounts: [{ name: 'run', mountPath: '/run/nic' }],
  },
  volumes: [{ name: 'run', hostPath: { path: '/run' } }],
}

async function settledDump(module: Module): Promise<string> {
  const world = createWorld([module], { count: 2, kernels: [], failures: [], isPushed: () => true })
  const simulation = startSimulation(world, {
    operatorNamespace: 'openshift-kmm',
    answer: () => undefined,
    stop: new AbortController().signal,
  })
  try {
    for (const one of world.modules) simulation.applyModule(one)
    assert.equal(await simulation.settle(() => Promise.resolve()), 'settled')
    const { api } = simulation.cluster
    const kinds = ['Module', 'Node', 'Pod', 'DaemonSet', 'Event']
    const items = api
      .resources()
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(resource => api.list(resource))
      .map(object => ({ ...object, metadata: { ...object.metadata, managedFields: undefined } }))
    return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  } finally {
    await simulation.end()
  }
}

describe('the plan of a settled cluster', () => {
  const modules: readonly (readonly [what: string, module: Module])[] = [
    ['a Module', moduleWith({})],
    ['a Module with a device plugin', moduleWith({ devicePlugin })],
    ['a Module with a version', moduleWith({ devicePlugin }, { version: '1.0' })],
  ]
  for (const [what, module] of modules) {
    it(`writes nothing for ${what}`, async () => {
      const { out, code } = await runKmm(['plan', '-f', '-'], await settledDump(module))
      assert.equal(code, 0)
      assert.match(out, /^Nothing to do: \d+ objects are as they should be\.\n$/)
    })
  }

  const changes: readonly (readonly [what: string, spec: object, line: RegExp])[] = [
    [
      'would change, also inside a list',
      { devicePlugin: { ...devicePlugin, container: { ...devicePlugin.container, image: 'r.example/plugin:2' } } },
      /^ {2}change {3}DaemonSet drivers\/nic-device-plugin-\S+: spec\.template\.spec\.containers\[0\]\.image$/m,
    ],
    [
      'is stated no more',
      { devicePlugin: { ...devicePlugin, container: { ...devicePlugin.container, args: undefined } } },
      /^ {2}change {3}DaemonSet drivers\/nic-device-plugin-\S+: gives up spec\.template\.spec\.containers\[0\]\.args$/m,
    ],
  ]
  for (const [what, spec, line] of changes) {
    it(`names the field that ${what}`, async () => {
      const dump = JSON.parse(await settledDump(moduleWith({ devicePlugin }))) as { readonly items: readonly Module[] }
      const items = dump.items.map(item => (item.kind === 'Module' ? { ...item, spec: { ...item.spec, ...spec } } : item))
      const { out } = await runKmm(['plan', '-f', '-'], JSON.stringify({ ...dump, items }))
      assert.match(out, line)
    })
  }
})
