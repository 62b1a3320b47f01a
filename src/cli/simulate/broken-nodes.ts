// What lies in the nodes with a kernel for which it goes wrong.
import type { Module } from '../../api/module.ts'
import { canonicalModule } from '../../core/canonical.ts'
import { resolveMapping } from '../../core/kernel/mapping.ts'
import { userVersionLabel } from '../../core/names.ts'
import type { KernelFailure } from './failures.ts'
import { driverNames } from './images.ts'
import type { PlannedNode } from './kernels.ts'

/** What the operator is told, and what the kernel of a broken node was told, to look for firmware. */
export const [toldFirmwarePath, otherFirmwarePath] = ['/var/lib/firmware', '/usr/local/lib/firmware'] as const

/** One that no Module names in its tolerations. */
const taint = { key: 'example.com/reserved', value: 'others', effect: 'NoSchedule' } as const

type Break = (node: PlannedNode, modules: readonly Module[]) => PlannedNode

const breaks: Readonly<Partial<Record<KernelFailure, Break>>> = {
  'firmware-path': node => ({ ...node, firmwareClassPath: otherFirmwarePath }),
  'no-mount': node => ({ ...node, modulesDirectory: 'missing' }),
  'full-node': node => ({ ...node, maxPods: 0 }),
  'tainted-node': node => ({ ...node, taints: [...node.taints, taint] }),
  'no-version-label': (node, modules) => ({ ...node, labels: withoutVersions(node, modules) }),
  'in-tree-twin': (node, modules) => ({ ...node, hostModules: twins(node, modules) }),
}

/** The same node where the failure lies in its images, or where there is none. */
export const brokenNode = (node: PlannedNode, modules: readonly Module[], failure: KernelFailure | undefined): PlannedNode =>
  (failure === undefined ? undefined : breaks[failure])?.(node, modules) ?? node

function withoutVersions({ labels }: PlannedNode, modules: readonly Module[]): PlannedNode['labels'] {
  const keys = new Set(modules.map(({ metadata }) => userVersionLabel(metadata.namespace ?? '', metadata.name)))
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.has(key)))
}

function twins({ kernel }: PlannedNode, modules: readonly Module[]): NonNullable<PlannedNode['hostModules']> {
  const names = modules.flatMap(module => {
    const spec = resolveMapping(canonicalModule(module), kernel)
    return 'code' in spec ? [] : driverNames(spec)
  })
  return [...new Set(names)].map(name => ({ name: `${name}_intree`, registers: name, loaded: true }))
}
