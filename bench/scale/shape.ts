// What is measured: how many nodes, Modules, kernels; and the objects of the bench made of it.
import { pluginReadyLabel, readyLabel } from '../../src/core/names.ts'

export type Shape = {
  readonly nodes: number
  readonly modules: number
  readonly kernels: number
  readonly devicePlugin: boolean
}

export const namespace = 'bench'
export const workerLabel = 'bench.example.com/worker'
export const moduleName = (index: number): string => `driver-${index}`
export const kernelName = (index: number): string => `6.${index + 1}.0-bench-amd64`
export const readyLabelOf = (module: string): string => readyLabel(namespace, module)
export const pluginLabelOf = (module: string): string => pluginReadyLabel(namespace, module)

export type ModuleVariant = {
  readonly image?: string
  readonly version?: string
  readonly maxUnavailable?: number | string
}

/** A Module for all nodes of the bench and all its kernels, by one mapping. */
export function benchModule(name: string, shape: Shape, { image = 'v1', version, maxUnavailable }: ModuleVariant = {}): object {
  const tag = `registry.example.com/${name}:${image}-\${KERNEL_FULL_VERSION}`
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name, namespace },
    spec: {
      selector: { [workerLabel]: '' },
      moduleLoader: {
        ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
        container: {
          ...(version === undefined ? {} : { version }),
          modprobe: { moduleName: name.replaceAll('-', '_') },
          kernelMappings: [{ regexp: '^.+$', containerImage: tag }],
        },
      },
      ...(shape.devicePlugin ? { devicePlugin: { container: { image: `registry.example.com/${name}-plugin:${image}` } } } : {}),
    },
  }
}
