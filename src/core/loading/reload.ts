// Which changes of a Module need the driver to be unloaded and loaded again (decisions.md 8).
import { createHash } from 'node:crypto'
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
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)
}
