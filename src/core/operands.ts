// Whose pod is this, and which of the two operands is it? Labels only: adopted pods of older operators have no more.
import { type ContainerStatus, type DaemonSet, isPodReady, type KubeEvent, type Pod } from './cluster.ts'
import type { Index } from './controller.ts'
import { annotations, labels, podFinalizer } from './names.ts'
import type { KubeObject } from './object.ts'
import { daemonSets, events, pods } from './resources.ts'

export type Operand = 'loader' | 'plugin'

/** The upstream edition has a role label; elsewhere only loaders carry a kernel (behaviour.md 2.1.3). */
export function operandOf(object: KubeObject): Operand {
  const role = object.metadata.labels?.[labels.role]
  if (role === 'device-plugin') return 'plugin'
  if (role === 'module-loader') return 'loader'
  return object.metadata.labels?.[labels.kernel] === undefined ? 'plugin' : 'loader'
}

/** `namespace/name` of the Module, or undefined for what is not ours. */
export function moduleKeyOf(object: KubeObject): string | undefined {
  const name = object.metadata.labels?.[labels.moduleName]
  const { namespace } = object.metadata
  return name === undefined || name === '' || namespace === undefined ? undefined : `${namespace}/${name}`
}

const moduleKeys = (object: KubeObject): readonly string[] => {
  const key = moduleKeyOf(object)
  return key === undefined ? [] : [key]
}

export const podsByModule: Index = { name: 'module', resource: pods, values: moduleKeys }
export const daemonSetsByModule: Index = { name: 'module', resource: daemonSets, values: moduleKeys }
export const podsByNode: Index = {
  name: 'node',
  resource: pods,
  values: object => {
    const nodeName = (object as Pod).spec?.nodeName
    return nodeName === undefined || nodeName === '' || moduleKeyOf(object) === undefined ? [] : [nodeName]
  },
}
/** Warning events by the object that they are about. */
export const eventsByObjectUid: Index = {
  name: 'object-uid',
  resource: events,
  values: event => {
    const uid = (event as KubeEvent).involvedObject?.uid
    return uid === undefined ? [] : [uid]
  },
}
export const podsByNamespace: Index = {
  name: 'namespace',
  resource: pods,
  values: object => (object.metadata.namespace === undefined ? [] : [object.metadata.namespace]),
}

export const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined
export const hasOurFinalizer = (pod: Pod): boolean => pod.metadata.finalizers?.includes(podFinalizer) ?? false

/** Made from the template of an older operator: its end has no words of ours. Of a loader pod. */
export const isAdopted = (pod: Pod): boolean => pod.metadata.annotations?.[annotations.reloadInputs] === undefined

/** Also in the pods of older operators, of both editions. */
const ourContainers: readonly string[] = ['module-loader', 'device-plugin']

/** The loader or plugin among the containers of its pod: others may have been injected, before it in the spec or in the status. */
export const ourContainer = <T extends { readonly name: string }>(containers: readonly T[] | undefined): T | undefined =>
  containers?.find(({ name }) => ourContainers.includes(name)) ?? containers?.[0]

export const containerOf = (pod: Pod): ContainerStatus | undefined => ourContainer(pod.status?.containerStatuses)

/** The driver that this pod stands for is loaded: postStart succeeded and nobody has begun to end it. */
export const isServing = (pod: Pod): boolean => isPodReady(pod) && !isDeleting(pod)

export const ownerUidOf = (object: KubeObject): string | undefined =>
  object.metadata.ownerReferences?.find(owner => owner.controller === true)?.uid

/** A pod is outdated iff its inputs that need a reload differ; an adopted pod iff its image differs (decisions.md 8). */
export function isOutdated(pod: Pod, daemonSet: DaemonSet): boolean {
  const template = daemonSet.spec?.template
  const wanted = template?.metadata?.annotations?.[annotations.reloadInputs]
  const found = pod.metadata.annotations?.[annotations.reloadInputs]
  if (found !== undefined || wanted === undefined) return found !== wanted
  return ourContainer(pod.spec?.containers)?.image !== template?.spec?.containers?.[0]?.image
}
