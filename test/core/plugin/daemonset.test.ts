import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DaemonSet } from '../../../src/core/cluster.ts'
import { pluginDaemonSet } from '../../../src/core/plugin/daemonset.ts'
import { aCanonicalModule, settings } from '../../builders.ts'
import { frozen } from '../frozen.ts'

const nameLabel = 'kmm.node.kubernetes.io/module.name'
const ready = 'kmm.node.kubernetes.io/drivers.driver.ready'
const versionLabel = 'beta.kmm.node.kubernetes.io/version-device-plugin.drivers.driver'

function daemonSet(devicePlugin: object, options: { version?: string; namespace?: string; adopted?: DaemonSet } = {}): DaemonSet {
  const { version, namespace = 'drivers', adopted } = options
  const container = version === undefined ? {} : { version }
  const base = aCanonicalModule({ namespace, container })
  const spec = { ...base.spec, devicePlugin, tolerations: [{ operator: 'Exists' }], imageRepoSecret: { name: 'pull' } }
  const module = frozen({ ...base, spec }) as ReturnType<typeof aCanonicalModule>
  return pluginDaemonSet({
    module,
    name: 'driver-plugin',
    ...(adopted === undefined ? {} : { adopted: frozen(adopted) }),
    settings,
  })
}

const sockets = { name: 'kubelet-device-plugins', mountPath: '/var/lib/kubelet/device-plugins' }
const socketVolume = { name: 'kubelet-device-plugins', hostPath: { path: sockets.mountPath, type: 'Directory' } }

describe('The device-plugin DaemonSet', () => {
  it('has exactly the shape of the documentation', () => {
    const made = daemonSet({
      container: {
        image: 'r.io/plugin:$KERNEL_VERSION',
        command: ['/plugin'],
        args: ['--verbose'],
        env: [{ name: 'A', value: 'B' }],
        imagePullPolicy: 'Always',
        resources: { limits: { cpu: '1000m' } },
        volumeMounts: [{ name: 'own', mountPath: '/own' }],
      },
      volumes: [{ name: 'own', configMap: { name: 'c' } }],
      serviceAccountName: 'plugin',
    })
    assert.deepEqual(made, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: {
        name: 'driver-plugin',
        namespace: 'drivers',
        labels: { [nameLabel]: 'driver' },
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
      },
      spec: {
        selector: { matchLabels: { [nameLabel]: 'driver' } },
        template: {
          metadata: { labels: { [nameLabel]: 'driver' } },
          spec: {
            nodeSelector: { worker: '', [ready]: '' },
            priorityClassName: 'system-node-critical',
            serviceAccountName: 'plugin',
            serviceAccount: 'plugin',
            imagePullSecrets: [{ name: 'pull' }],
            tolerations: [{ operator: 'Exists' }],
            containers: [
              {
                name: 'device-plugin',
                image: 'r.io/plugin:$KERNEL_VERSION',
                command: ['/plugin'],
                args: ['--verbose'],
                env: [{ name: 'A', value: 'B' }],
                imagePullPolicy: 'Always',
                resources: { limits: { cpu: '1000m' } },
                securityContext: { privileged: true },
                volumeMounts: [{ name: 'own', mountPath: '/own' }, sockets],
              },
            ],
            volumes: [socketVolume, { name: 'own', configMap: { name: 'c' } }],
          },
        },
      },
    })
  })

  it('carries the version in labels, selector and node selector', () => {
    const made = daemonSet({ container: { image: 'i' } }, { version: 'v1' })
    assert.deepEqual(made.spec?.selector?.matchLabels, { [nameLabel]: 'driver', [versionLabel]: 'v1' })
    assert.deepEqual(made.spec?.template?.spec?.nodeSelector, { worker: '', [ready]: '', [versionLabel]: 'v1' })
  })

  it("runs as the operator's account in the operator's namespace", () => {
    const made = daemonSet({ container: { image: 'i' } }, { namespace: settings.operatorNamespace })
    assert.equal(made.spec?.template?.spec?.['serviceAccountName'], 'kmm-operator-device-plugin')
  })

  it('keeps the immutable selector of the one it adopts', () => {
    const matchLabels = { [nameLabel]: 'driver', 'kmm.node.kubernetes.io/role': 'device-plugin' }
    const adopted = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'x' }, spec: { selector: { matchLabels } } }
    const made = daemonSet({ container: { image: 'i' } }, { adopted })
    assert.deepEqual(made.spec?.selector?.matchLabels, matchLabels)
    assert.deepEqual(made.spec?.template?.metadata?.labels, matchLabels)
  })

  it('states what the user wrote as the API server stores it', () => {
    const made = daemonSet({
      container: {
        image: 'i',
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        ],
        volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: false, subPath: '' }],
      },
      volumes: [
        { name: 'v', csi: { driver: 'd', readOnly: false, volumeAttributes: { readOnly: '', value: '' } } },
        { name: 'w', secret: { secretName: 's', optional: false } },
      ],
    })
    const pod = made.spec?.template?.spec as unknown as {
      containers: readonly Record<string, unknown>[]
      volumes: readonly unknown[]
    }
    assert.deepEqual(pod.containers[0]?.['env'], [
      { name: 'EMPTY' },
      { name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
    ])
    assert.deepEqual(pod.containers[0]?.['volumeMounts'], [{ name: 'v', mountPath: '/v' }, sockets])
    assert.deepEqual(pod.volumes.slice(1), [
      { name: 'v', csi: { driver: 'd', volumeAttributes: { readOnly: '', value: '' } } },
      { name: 'w', secret: { secretName: 's', optional: false } },
    ])
  })
})
