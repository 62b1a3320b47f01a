// The only home of the label keys, annotations, finalizers and object names that KMM reads or writes (behaviour.md 0).
import { createHash } from 'node:crypto'

const group = 'kmm.node.kubernetes.io'

export const labels = {
  /** On DaemonSets, their pods and Jobs: name of the Module. */
  moduleName: `${group}/module.name`,
  /** On Nodes and loader DaemonSets: the kernel, as a label value (core/kernel/version.ts). */
  kernel: `${group}/kernel-version.full`,
  /** On Jobs and Builds. */
  targetKernel: `${group}/target-kernel`,
  /** Only read: the upstream edition's DaemonSets have it in their immutable selector. */
  role: `${group}/role`,
} as const

export const annotations = {
  /** softdep lines for modulesLoadingOrder, mounted as /etc/modprobe.d/softdep.conf. */
  modulesOrder: 'modules-order',
  /** On loader pods: digest of the inputs whose change needs a reload (decisions.md 8). */
  reloadInputs: `${group}/reload-inputs`,
  /** On loader pods: digest of what else a Module says of its pods; a pod that has not loaded its driver is made anew when it differs. */
  podInputs: `${group}/pod-inputs`,
  /** On loader pods: the kernel modules that they load, separated by commas. */
  kernelModules: `${group}/kernel-modules`,
  /** On Modules: "true" stops all changes (decisions.md 23). */
  paused: 'kmm.sigs.x-k8s.io/paused',
} as const

export const podFinalizer = `${group}/node-labeler`
export const fieldManager = 'kmm'

export const readyLabel = (namespace: string, module: string) => `${group}/${namespace}.${module}.ready`
export const deprecatedReadyLabel = (module: string) => `${group}/${module}.ready`
export const pluginReadyLabel = (namespace: string, module: string) => `${group}/${namespace}.${module}.device-plugin-ready`
export const deprecatedPluginReadyLabel = (module: string) => `${group}/${module}.device-plugin-ready`
/** On a Node on which the Module's loader is, or may still be in the kernel, where another Module names the same kernel module. */
export const heldLabel = (namespace: string, module: string) => `${group}/${namespace}.${module}.kernel-module-held`
/** Set by the user: the version that a node should run. */
export const userVersionLabel = (namespace: string, module: string) => `${group}/version-module.${namespace}.${module}`
export const loaderVersionLabel = (namespace: string, module: string) =>
  `beta.${group}/version-module-loader.${namespace}.${module}`
export const pluginVersionLabel = (namespace: string, module: string) =>
  `beta.${group}/version-device-plugin.${namespace}.${module}`

/**
 * Readable parts plus a hash of all parts: the same parts give the same name, different ones never do. At most 63 characters.
 * `hidden` parts, such as a uid, are only in the hash.
 */
export function objectName(readable: readonly [string, ...string[]], ...hidden: readonly string[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([readable, hidden]))
    .digest('hex')
    .slice(0, 10)
  const words = readable
    .filter(part => part !== '')
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
  return `${words.slice(0, 52).replace(/-+$/, '') || 'x'}-${digest}`
}
