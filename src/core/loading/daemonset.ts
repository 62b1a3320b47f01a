// The module-loader DaemonSet of one Module, kernel and version: behaviour.md 2.3, decisions.md 7-10, 12, 18.

import type { CanonicalModule } from '../canonical.ts'
import type { DaemonSet } from '../cluster.ts'
import type { Settings } from '../controller.ts'
import { excluding } from '../excluded-nodes.ts'
import type { ResolvedSpec } from '../kernel/mapping.ts'
import { kernelLabelValue } from '../kernel/version.ts'
import { annotations, labels, loaderVersionLabel, podFinalizer } from '../names.ts'
import type { Labels } from '../object.ts'
import { ownedMetadata, ownLabels, placement } from '../operand-pods.ts'
import { containerScript, gracePeriodSeconds, type Loading, loadScript, startedScript, unloadScript } from './hooks.ts'
import { kernelModulesOf } from './kernel-modules.ts'
import { softDependencies } from './modprobe.ts'
import { podInputs, reloadInputs } from './reload.ts'

export type LoaderInput = {
  readonly module: CanonicalModule
  readonly spec: ResolvedSpec
  /** As the nodes report it. */
  readonly kernel: string
  readonly name: string
  /** The DaemonSet as it exists, whoever made it. */
  readonly adopted?: DaemonSet
  /** Where nothing may be started, for example because an old driver is still loaded there (decisions.md 2). */
  readonly excludedNodes: readonly string[]
  /** Labels of Nodes on which another Module holds a kernel module of this one. */
  readonly keepOff?: readonly string[]
  readonly settings: Settings
}

/** The whole object with only the fields that we own. */
export function loaderDaemonSet(input: LoaderInput): DaemonSet {
  const { module, spec, kernel } = input
  const particular: Labels = { [labels.kernel]: kernelLabelValue(kernel), ...versionLabel(module, spec) }
  const { all, selector } = ownLabels(module, particular, input.adopted)
  const order = softDependencies(spec.modprobe.modulesLoadingOrder ?? [])
  const names = kernelModulesOf(spec.modprobe)
  const placed = placement(module, 'loader', input.settings)
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: ownedMetadata(module, input.name, all),
    spec: {
      selector: { matchLabels: selector },
      // The operator decides which pod is replaced when: a replaced pod unloads its driver (decisions.md 7).
      updateStrategy: { type: 'OnDelete' },
      template: {
        metadata: {
          labels: all,
          annotations: {
            [annotations.reloadInputs]: reloadInputs(spec),
            [annotations.podInputs]: podInputs(placed, spec.imagePullPolicy, input.settings),
            ...(order === '' ? {} : { [annotations.modulesOrder]: order }),
            ...(names.length === 0 ? {} : { [annotations.kernelModules]: names.join(',') }),
          },
          finalizers: [podFinalizer],
        },
        spec: {
          nodeSelector: { ...module.spec.selector, ...particular },
          ...excluding(input.excludedNodes, input.keepOff),
          ...placed,
          terminationGracePeriodSeconds: gracePeriodSeconds,
          containers: [loaderContainer(input)],
          volumes: mounts(input).map(({ name, source }) => ({ name, ...source })),
        },
      },
    },
  }
}

const versionLabel = ({ metadata }: CanonicalModule, { version }: ResolvedSpec): Labels =>
  version === undefined ? {} : { [loaderVersionLabel(metadata.namespace ?? '', metadata.name)]: version }

function loaderContainer(
  input: LoaderInput,
): { readonly name: string; readonly image: string } & Readonly<Record<string, unknown>> {
  const { spec, settings } = input
  const loading: Loading = {
    modprobe: spec.modprobe,
    ...(spec.inTreeModuleToRemove === undefined ? {} : { inTreeModuleToRemove: spec.inTreeModuleToRemove }),
    ...(settings.firmwareClassPath === undefined ? {} : { firmwareClassPath: settings.firmwareClassPath }),
  }
  const shell = (script: string) => ['/bin/sh', '-c', script]
  return {
    name: 'module-loader',
    image: spec.image,
    ...(spec.imagePullPolicy === undefined ? {} : { imagePullPolicy: spec.imagePullPolicy }),
    command: shell(containerScript()),
    lifecycle: {
      postStart: { exec: { command: shell(loadScript(loading)) } },
      preStop: { exec: { command: shell(unloadScript(loading)) } },
    },
    startupProbe: startupProbe(shell(startedScript())),
    // Not privileged: this capability is all that loading needs; spc_t lets SELinux see a trusted container.
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['SYS_MODULE'] },
      runAsUser: 0,
      seLinuxOptions: { type: 'spc_t' },
    },
    volumeMounts: mounts(input).map(({ name, mountPath, readOnly }) => ({ name, mountPath, ...(readOnly ? { readOnly } : {}) })),
  }
}

/**
 * Each field as the API server would fill it in. The probe only reports: it must never end a container whose driver is loaded, however
 * long a busy node cannot run it. A container without a driver ends by itself.
 */
const startupProbe = (command: readonly string[]) => ({
  exec: { command },
  periodSeconds: 1,
  timeoutSeconds: 10,
  successThreshold: 1,
  failureThreshold: 86_400,
})

type Mount = { readonly name: string; readonly mountPath: string; readonly readOnly: boolean; readonly source: object }

function mounts({ spec, kernel, settings }: LoaderInput): readonly Mount[] {
  const { firmwarePath = '', modulesLoadingOrder = [] } = spec.modprobe
  const { firmwareClassPath = '' } = settings
  const host = (name: string, path: string, type: string, readOnly: boolean): Mount => ({
    name,
    mountPath: path,
    readOnly,
    source: { hostPath: { path, type } },
  })
  const softdep = {
    path: 'softdep.conf',
    fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${annotations.modulesOrder}']` },
  }
  return [
    host('node-lib-modules', `/lib/modules/${kernel}`, 'Directory', true),
    ...(firmwarePath === '' ? [] : [host('node-var-lib-firmware', '/var/lib/firmware', 'DirectoryOrCreate', false)]),
    // /sys is read-only in a container; this one file is not (kubelet-facts.md).
    ...(firmwarePath === '' || firmwareClassPath === ''
      ? []
      : [host('firmware-search-path', '/sys/module/firmware_class/parameters/path', 'File', false)]),
    ...(modulesLoadingOrder.length < 2
      ? []
      : [{ name: 'modules-order', mountPath: '/etc/modprobe.d', readOnly: true, source: { downwardAPI: { items: [softdep] } } }]),
  ]
}
