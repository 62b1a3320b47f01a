import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CanonicalModule } from '../../../src/core/canonical.ts'
import type { DaemonSet } from '../../../src/core/cluster.ts'
import type { Settings } from '../../../src/core/controller.ts'
import { resolveMapping } from '../../../src/core/kernel/mapping.ts'
import { loaderDaemonSet } from '../../../src/core/loading/daemonset.ts'
import { reloadInputs } from '../../../src/core/loading/reload.ts'
import { aCanonicalModule, settings } from '../../builders.ts'
import { frozen } from '../frozen.ts'

const kernel = '6.12.117+deb12-cloud-amd64'
const kernelLabel = 'kmm.node.kubernetes.io/kernel-version.full'
const nameLabel = 'kmm.node.kubernetes.io/module.name'
const versionLabel = 'beta.kmm.node.kubernetes.io/version-module-loader.drivers.driver'

type Rest = { adopted?: DaemonSet; excludedNodes?: readonly string[]; settings?: Settings; kernel?: string }

function specOf(module: CanonicalModule, of = kernel) {
  const spec = resolveMapping(module, of)
  assert.ok(!('code' in spec))
  return spec
}

function daemonSet(options: Parameters<typeof aCanonicalModule>[0] = {}, rest: Rest = {}): DaemonSet {
  const module = aCanonicalModule(options)
  const of = rest.kernel ?? kernel
  return loaderDaemonSet(
    frozen({ module, spec: specOf(module, of), kernel: of, name: 'driver-x', excludedNodes: [], settings, ...rest }),
  )
}

const podOf = (of: DaemonSet) =>
  of.spec?.template?.spec as unknown as Record<string, never> & { containers: readonly Record<string, never>[] }
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

describe('The loader DaemonSet', () => {
  it('has exactly the shape of the documentation, without scripts', () => {
    const made = daemonSet()
    const { command, lifecycle, startupProbe: _, ...container } = podOf(made).containers[0] ?? {}
    assert.deepEqual(command?.[0], '/bin/sh')
    assert.deepEqual(Object.keys(lifecycle ?? {}), ['postStart', 'preStop'])
    const label = made.metadata.labels?.[kernelLabel] ?? ''
    assert.match(label, /^6\.12\.117_deb12-cloud-amd64-/)
    const labels = { [nameLabel]: 'driver', [kernelLabel]: label }
    assert.deepEqual(made.metadata, {
      name: 'driver-x',
      namespace: 'drivers',
      labels,
      ownerReferences: [
        {
          apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
          kind: 'Module',
          name: 'driver',
          uid: 'uid-drivers-driver',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    })
    assert.deepEqual(json({ ...made.spec, template: { ...made.spec?.template, spec: undefined } }), {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'OnDelete' },
      template: {
        metadata: {
          labels,
          annotations: {
            'kmm.node.kubernetes.io/reload-inputs': reloadInputs(specOf(aCanonicalModule())),
            'kmm.node.kubernetes.io/pod-inputs': '9318536c7a8f9758',
            'kmm.node.kubernetes.io/kernel-modules': 'driver',
          },
          finalizers: ['kmm.node.kubernetes.io/node-labeler'],
        },
      },
    })
    assert.deepEqual(json({ ...podOf(made), containers: undefined }), {
      nodeSelector: { worker: '', [kernelLabel]: label },
      priorityClassName: 'system-node-critical',
      terminationGracePeriodSeconds: 600,
      volumes: [{ name: 'node-lib-modules', hostPath: { path: `/lib/modules/${kernel}`, type: 'Directory' } }],
    })
    assert.deepEqual(container, {
      name: 'module-loader',
      image: 'registry.example.com/driver:6.12.117_deb12-cloud-amd64',
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { add: ['SYS_MODULE'] },
        runAsUser: 0,
        seLinuxOptions: { type: 'spc_t' },
      },
      volumeMounts: [{ name: 'node-lib-modules', mountPath: `/lib/modules/${kernel}`, readOnly: true }],
    })
  })

  it('has a startup probe that asks for the mark, states what the server would fill in, and ends no container', () => {
    assert.deepEqual(podOf(daemonSet()).containers[0]?.['startupProbe'], {
      exec: { command: ['/bin/sh', '-c', '[ -s /dev/kmm-loaded ]'] },
      periodSeconds: 1,
      timeoutSeconds: 10,
      successThreshold: 1,
      failureThreshold: 86_400,
    })
  })

  it('keeps the + of a kernel in host paths, and drops it from labels', () => {
    const made = daemonSet({}, { kernel: '6.1.0+' })
    assert.equal(made.metadata.labels?.[kernelLabel], '6.1.0')
    assert.match(JSON.stringify(podOf(made)['volumes']), /"\/lib\/modules\/6\.1\.0\+"/)
  })

  it('carries the version in labels, selector and node selector', () => {
    const made = daemonSet({ container: { version: 'v2' } })
    for (const labels of [made.metadata.labels, made.spec?.selector?.matchLabels, made.spec?.template?.metadata?.labels]) {
      assert.equal(labels?.[versionLabel], 'v2')
    }
    assert.equal(made.spec?.template?.spec?.nodeSelector?.[versionLabel], 'v2')
  })

  it('mounts firmware, its search path and the loading order where they are asked for, in this order', () => {
    const container = {
      modprobe: { moduleName: 'a', firmwarePath: '/firmware', modulesLoadingOrder: ['a', 'b', 'c'] },
    }
    const made = daemonSet({ container }, { settings: { ...settings, firmwareClassPath: '/var/lib/firmware' } })
    const searchPath = '/sys/module/firmware_class/parameters/path'
    assert.deepEqual(podOf(made)['volumes'], [
      { name: 'node-lib-modules', hostPath: { path: `/lib/modules/${kernel}`, type: 'Directory' } },
      { name: 'node-var-lib-firmware', hostPath: { path: '/var/lib/firmware', type: 'DirectoryOrCreate' } },
      { name: 'firmware-search-path', hostPath: { path: searchPath, type: 'File' } },
      {
        name: 'modules-order',
        downwardAPI: {
          items: [{ path: 'softdep.conf', fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['modules-order']" } }],
        },
      },
    ])
    assert.deepEqual(podOf(made).containers[0]?.['volumeMounts'], [
      { name: 'node-lib-modules', mountPath: `/lib/modules/${kernel}`, readOnly: true },
      { name: 'node-var-lib-firmware', mountPath: '/var/lib/firmware' },
      { name: 'firmware-search-path', mountPath: searchPath },
      { name: 'modules-order', mountPath: '/etc/modprobe.d', readOnly: true },
    ])
    assert.equal(made.spec?.template?.metadata?.annotations?.['modules-order'], 'softdep a pre: b\nsoftdep b pre: c\n')
  })

  it('does not touch the search path without firmware', () => {
    const made = daemonSet({}, { settings: { ...settings, firmwareClassPath: '/var/lib/firmware' } })
    assert.doesNotMatch(JSON.stringify(made), /firmware-search-path/)
  })

  it('passes on pull secret, pull policy and tolerations', () => {
    const tolerations = [{ key: 'gpu', operator: 'Exists', value: '', effect: 'NoSchedule' }]
    const spec = { imageRepoSecret: { name: 'pull' }, tolerations }
    const made = podOf(daemonSet({ spec: { ...aCanonicalModule({ container: { imagePullPolicy: 'Always' } }).spec, ...spec } }))
    assert.deepEqual(made['imagePullSecrets'], [{ name: 'pull' }])
    assert.deepEqual(made['tolerations'], [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }])
    assert.equal(made.containers[0]?.['imagePullPolicy'], 'Always')
  })

  it('keeps away from excluded nodes, one requirement each and in order', () => {
    const { affinity } = podOf(daemonSet({}, { excludedNodes: ['b', 'a'] }))
    assert.deepEqual(affinity, {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchFields: [
                { key: 'metadata.name', operator: 'NotIn', values: ['a'] },
                { key: 'metadata.name', operator: 'NotIn', values: ['b'] },
              ],
            },
          ],
        },
      },
    })
  })

  it('keeps the immutable selector of the one it adopts, and its labels everywhere', () => {
    const matchLabels = { [nameLabel]: 'driver', [kernelLabel]: '6.1.0', 'kmm.node.kubernetes.io/role': 'module-loader' }
    const adopted: DaemonSet = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'driver-abcde', namespace: 'drivers' },
      spec: { selector: { matchLabels } },
    }
    const made = daemonSet({}, { adopted, kernel: '6.1.0+' })
    assert.deepEqual(made.spec?.selector?.matchLabels, matchLabels)
    assert.deepEqual(made.metadata.labels, matchLabels)
    assert.deepEqual(made.spec?.template?.metadata?.labels, matchLabels)
    assert.equal(made.spec?.updateStrategy?.type, 'OnDelete')
  })

  const accounts: readonly [string, string, string | undefined, string | undefined][] = [
    ["is the Module's", 'drivers', 'own', 'own'],
    ["is the Module's, in the operator's namespace too", 'openshift-kmm', 'own', 'own'],
    ["is the operator's in the operator's namespace", 'openshift-kmm', undefined, 'kmm-operator-module-loader'],
    ['is the default one elsewhere', 'drivers', undefined, undefined],
    ['is the default one elsewhere, if the name is empty', 'drivers', '', undefined],
  ]
  for (const [sentence, namespace, named, expected] of accounts) {
    it(`has a service account that ${sentence}`, () => {
      const base = aCanonicalModule({ namespace }).spec
      const moduleLoader = { ...base.moduleLoader, ...(named === undefined ? {} : { serviceAccountName: named }) }
      assert.equal(podOf(daemonSet({ namespace, spec: { moduleLoader } }))['serviceAccountName'], expected)
    })
  }
})

describe('What needs a reload', () => {
  const base = { modprobe: { moduleName: 'a', dirName: '/opt', parameters: ['p=1'] } }
  const digest = (container: object, spec: object = {}, of = kernel) =>
    daemonSet({ container: { ...base, ...container }, spec }, { kernel: of }).spec?.template?.metadata?.annotations?.[
      'kmm.node.kubernetes.io/reload-inputs'
    ]
  const mapping = (containerImage: string) => ({ kernelMappings: [{ regexp: '.', containerImage }] })

  for (const [what, container] of [
    ['the image', mapping('r.io/other:1')],
    ['a parameter', { modprobe: { ...base.modprobe, parameters: ['p=2'] } }],
    ['the order of parameters', { modprobe: { ...base.modprobe, parameters: ['q', 'p=1'] } }],
    ['the module', { modprobe: { ...base.modprobe, moduleName: 'b' } }],
    ['the directory', { modprobe: { ...base.modprobe, dirName: '' } }],
    ['arguments of the load', { modprobe: { ...base.modprobe, args: { load: ['-f'] } } }],
    ['arguments of the unload', { modprobe: { ...base.modprobe, args: { unload: ['-f'] } } }],
    ['raw arguments', { modprobe: { ...base.modprobe, rawArgs: { load: ['-f'] } } }],
    ['firmware', { modprobe: { ...base.modprobe, firmwarePath: '/f' } }],
    ['the loading order', { modprobe: { ...base.modprobe, modulesLoadingOrder: ['a', 'b'] } }],
    ['the in-tree module to remove', { inTreeModuleToRemove: 'x' }],
  ] as const) {
    it(`is ${what}`, () => assert.notEqual(digest(container), digest({})))
  }

  for (const [what, container] of [
    ['the pull policy', { imagePullPolicy: 'Always' }],
    ['an empty list instead of none', { modprobe: { ...base.modprobe, args: {}, modulesLoadingOrder: [] } }],
    ['the order of fields', { modprobe: { parameters: ['p=1'], dirName: '/opt', moduleName: 'a' } }],
    ['a build', { build: { dockerfileConfigMap: { name: 'x' } } }],
    [
      'another mapping with the same image',
      {
        kernelMappings: [
          { literal: 'x', containerImage: 'y' },
          ...mapping('registry.example.com/driver:${KERNEL_FULL_VERSION}').kernelMappings,
        ],
      },
    ],
  ] as const) {
    it(`is not ${what}`, () => assert.equal(digest(container), digest({})))
  }

  it('has the digest that pods of before carry: an upgrade of the operator reloads nobody', () => {
    assert.equal(reloadInputs(specOf(aCanonicalModule(), '6.1.0-1-amd64')), 'c7fc5df39ec0fc58')
  })

  it('is not the selector, a toleration or a pull secret', () => {
    const { moduleLoader } = aCanonicalModule({ container: base }).spec
    const spec = { moduleLoader, selector: { a: 'b' }, tolerations: [{ operator: 'Exists' }], imageRepoSecret: { name: 'x' } }
    assert.equal(digest({}, spec), digest({}))
  })
})
