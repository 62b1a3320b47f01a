// The device-plugin DaemonSet of a Module: behaviour.md 2.6. It runs where the driver is loaded.

import type { DevicePlugin } from '../../api/module.ts'
import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet } from '../cluster.ts'
import type { Settings } from '../controller.ts'
import { pluginVersionLabel, readyLabel } from '../names.ts'
import type { Labels } from '../object.ts'
import { ownedMetadata, ownLabels, placement } from '../operand-pods.ts'
import { stored } from './stored.ts'

export type PluginInput = {
  /** With spec.devicePlugin. */
  readonly module: CanonicalModule
  readonly name: string
  /** The DaemonSet as it exists, whoever made it. */
  readonly adopted?: DaemonSet
  readonly settings: Settings
}

/** Where kubelets find the sockets of device plugins. */
const socketFolder = '/var/lib/kubelet/device-plugins'
const socketVolume = 'kubelet-device-plugins'

/** The whole object with only the fields that we own. Throws for a Module without a device plugin. */
export function pluginDaemonSet({ module, name, adopted, settings }: PluginInput): DaemonSet {
  const { devicePlugin, selector } = module.spec
  if (devicePlugin === undefined) throw new Error(`Module ${module.metadata.name} has no device plugin`)
  const { namespace = '', name: moduleName } = module.metadata
  const { version = '' } = module.spec.moduleLoader.container
  const versionLabel: Labels = version === '' ? {} : { [pluginVersionLabel(namespace, moduleName)]: version }
  const own = ownLabels(module, versionLabel, adopted)
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: ownedMetadata(module, name, own.all),
    spec: {
      selector: { matchLabels: own.selector },
      template: {
        // No finalizer: a device plugin leaves nothing in the kernel (decisions.md 2).
        metadata: { labels: own.all },
        spec: {
          nodeSelector: { ...selector, [readyLabel(namespace, moduleName)]: '', ...versionLabel },
          ...placement(module, 'plugin', settings),
          containers: [pluginContainer(devicePlugin)],
          volumes: [
            { name: socketVolume, hostPath: { path: socketFolder, type: 'Directory' } },
            ...stored(devicePlugin.volumes ?? []),
          ],
        },
      },
    },
  }
}

function pluginContainer({ container }: DevicePlugin): Readonly<Record<string, unknown>> & { readonly name: string } {
  const { image, command, args, env, imagePullPolicy, resources, volumeMounts = [] } = container
  return {
    name: 'device-plugin',
    image,
    ...stored({ command, args, env, imagePullPolicy, resources }),
    securityContext: { privileged: true },
    volumeMounts: [...stored(volumeMounts), { name: socketVolume, mountPath: socketFolder }],
  }
}
