// The kind Module of kmm.sigs.x-k8s.io/v1beta1: what users write. The schema makes the CRD (src/manifests) and the types.
// The operator imports only the types (decisions.md 27).
import { z } from 'zod'
import { type DeepReadonly, labelMap, objectReference, type tlsOptions, toleration } from './fields.ts'
import type { ObjectMeta } from './metadata.ts'
import {
  type build,
  devicePlugin,
  type kernelMapping,
  type modprobe,
  moduleLoader,
  type moduleLoaderContainer,
  type sign,
} from './module-loader.ts'
import {
  type kernelStatus,
  moduleStatus,
  type notReadyNode,
  type operandCounters,
  type statusCondition,
} from './module-status.ts'

export const moduleSpec = z
  .object({
    selector: labelMap('Labels of the nodes that get the driver. An empty map means all nodes.'),
    moduleLoader,
    devicePlugin: devicePlugin.optional(),
    imageRepoSecret: objectReference(
      'Secret with which the images are pulled, and pushed where they are built or signed.',
    ).optional(),
    imageReposecret: objectReference('Another spelling of imageRepoSecret.').optional(),
    tolerations: z
      .array(toleration)
      .meta({
        description: 'Taints of nodes that the loader, device-plugin, build and sign pods tolerate.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
  })
  .meta({
    description: 'Which driver belongs on which nodes.',
    not: { required: ['imageRepoSecret', 'imageReposecret'] },
  })

export const moduleObject = z.object({ spec: moduleSpec, status: moduleStatus.optional() }).meta({
  description: 'Module gets an out-of-tree kernel module, its firmware and its device plugin onto the nodes that it selects.',
})

export type ModuleSpec = DeepReadonly<z.infer<typeof moduleSpec>>
export type ModuleLoader = DeepReadonly<z.infer<typeof moduleLoader>>
export type ModuleLoaderContainer = DeepReadonly<z.infer<typeof moduleLoaderContainer>>
export type KernelMapping = DeepReadonly<z.infer<typeof kernelMapping>>
export type Build = DeepReadonly<z.infer<typeof build>>
export type Sign = DeepReadonly<z.infer<typeof sign>>
export type Modprobe = DeepReadonly<z.infer<typeof modprobe>>
export type TlsOptions = DeepReadonly<z.infer<ReturnType<typeof tlsOptions>>>
export type LocalObjectReference = DeepReadonly<z.infer<ReturnType<typeof objectReference>>>
export type DevicePlugin = DeepReadonly<z.infer<typeof devicePlugin>>
export type Toleration = DeepReadonly<z.infer<typeof toleration>>

export type ModuleStatus = DeepReadonly<z.infer<typeof moduleStatus>>
export type OperandCounters = DeepReadonly<z.infer<ReturnType<typeof operandCounters>>>
export type KernelStatus = DeepReadonly<z.infer<typeof kernelStatus>>
export type NotReadyNode = DeepReadonly<z.infer<typeof notReadyNode>>
export type StatusCondition = DeepReadonly<z.infer<typeof statusCondition>>

export type Module = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly spec: ModuleSpec
  readonly status?: ModuleStatus
}
