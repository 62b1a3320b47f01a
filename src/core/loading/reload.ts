// Which changes of a Module need the driver to be unloaded and loaded again (decisions.md 8).
import { createHash } from 'node:crypto'
import type { Settings } from '../controller.ts'
import type { ResolvedSpec } from '../kernel/mapping.ts'

/**
 * Digest over what decides which driver is in the kernel and how: image, all of modprobe with its firmware, in-tree removal. A pod
 * with another value is outdated. Absent and empty fields are the same. Text of the hooks, tolerations, secrets, service account and
 * selector change no driver.
 */
export function reloadInputs(spec: Pick<ResolvedSpec, 'image' | 'modprobe' | 'inTreeModuleToRemove'>): string {
  const { image, modprobe, inTreeModuleToRemove = '' } = spec
  const inputs = [
    image,
    inTreeModuleToRemove,
    modprobe.moduleName ?? '',
    modprobe.dirName,
    modprobe.parameters ?? [],
    [modprobe.args?.load ?? [], modprobe.args?.unload ?? []],
    [modprobe.rawArgs?.load ?? [], modprobe.rawArgs?.unload ?? []],
    modprobe.firmwarePath ?? '',
    modprobe.modulesLoadingOrder ?? [],
  ]
  return digest(inputs)
}

/**
 * Digest over what decides whether a pod can start and load, beside the inputs of a reload: a loaded driver is not touched when it
 * changes, but a pod without one would never get the pull secret, the service account or the toleration that it lacks.
 */
export function podInputs(placed: Readonly<Record<string, unknown>>, pullPolicy: string | undefined, settings: Settings): string {
  const { serviceAccountName, imagePullSecrets, tolerations } = placed
  return digest([serviceAccountName, imagePullSecrets, tolerations, pullPolicy, settings.firmwareClassPath])
}

const digest = (inputs: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)
