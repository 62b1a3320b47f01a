// Objects with valid defaults: a test states only what it is about.
import type { Module } from '../src/api/module.ts'
import { type CanonicalModule, canonicalModule } from '../src/core/canonical.ts'
import type { Condition, ContainerStatus, DaemonSet, Node, Pod, Taint } from '../src/core/cluster.ts'
import { annotations, labels, podFinalizer } from '../src/core/names.ts'
import type { Labels } from '../src/core/object.ts'

export const atStart = '2026-01-01T00:00:00Z'
export const nowMs = Date.parse('2026-01-01T01:00:00Z')
export const settings = { operatorNamespace: 'openshift-kmm', managed: false }
export const context = { nowMs, settings }

type ModuleOptions = {
  readonly name?: string
  readonly namespace?: string
  readonly spec?: object
  readonly container?: object
  readonly annotations?: Labels
  readonly status?: object
}

export function aModule(options: ModuleOptions = {}): Module {
  const { name = 'driver', namespace = 'drivers' } = options
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: {
      name,
      namespace,
      uid: `uid-${namespace}-${name}`,
      resourceVersion: '10',
      generation: 1,
      creationTimestamp: atStart,
      ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
    },
    spec: {
      selector: { worker: '' },
      moduleLoader: {
        container: {
          modprobe: { moduleName: 'driver', dirName: '/opt' },
          kernelMappings: [{ regexp: '^.+$', containerImage: 'registry.example.com/driver:${KERNEL_FULL_VERSION}' }],
          ...options.container,
        },
      },
      ...options.spec,
    },
    ...(options.status === undefined ? {} : { status: options.status }),
  }
}

export const aCanonicalModule = (options: ModuleOptions = {}): CanonicalModule => canonicalModule(aModule(options))

type NodeOptions = {
  readonly name?: string
  readonly kernel?: string
  readonly labels?: Labels
  readonly taints?: readonly Taint[]
  readonly ready?: string
  readonly readySince?: string
  readonly bootId?: string
  readonly born?: string
}

export function aNode(options: NodeOptions = {}): Node {
  const {
    name = 'node-1',
    kernel = '6.1.0-1-amd64',
    ready = 'True',
    readySince = atStart,
    bootId = 'boot-1',
    born = atStart,
  } = options
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: `uid-${name}`,
      resourceVersion: '20',
      creationTimestamp: born,
      labels: { worker: '', ...options.labels },
    },
    spec: options.taints === undefined ? {} : { taints: options.taints },
    status: {
      nodeInfo: { kernelVersion: kernel, bootID: bootId },
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: readySince }],
    },
  }
}

type PodOptions = {
  readonly name?: string
  readonly module?: string
  readonly namespace?: string
  readonly node?: string
  readonly kernel?: string
  readonly operand?: 'loader' | 'plugin'
  readonly owner?: string
  readonly image?: string
  /** null: made by an older operator. */
  readonly inputs?: string | null
  readonly ready?: boolean
  readonly readySince?: string
  readonly phase?: string
  readonly startTime?: string
  readonly deleted?: string
  readonly finalizers?: readonly string[]
  readonly container?: Partial<ContainerStatus>
  readonly labels?: Labels
  readonly conditions?: readonly Condition[]
}

export function aPod(options: PodOptions = {}): Pod {
  const { module = 'driver', namespace = 'drivers', operand = 'loader', node = 'node-1', ready = true } = options
  const name = options.name ?? `${module}-${operand}-${node || 'unbound'}`
  const kernel = operand === 'loader' ? { [labels.kernel]: options.kernel ?? '6.1.0-1-amd64' } : {}
  const inputs = options.inputs === null ? {} : { annotations: { [annotations.reloadInputs]: options.inputs ?? 'inputs-1' } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      resourceVersion: '30',
      creationTimestamp: atStart,
      labels: { [labels.moduleName]: module, ...kernel, ...options.labels },
      ...inputs,
      finalizers: options.finalizers ?? (operand === 'loader' ? [podFinalizer] : []),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds', uid: options.owner ?? 'uid-ds', controller: true },
      ],
      ...(options.deleted === undefined ? {} : { deletionTimestamp: options.deleted }),
    },
    spec: {
      ...(node === '' ? {} : { nodeName: node }),
      containers: [{ name: 'module-loader', image: options.image ?? 'registry.example.com/driver:1' }],
    },
    status: {
      phase: options.phase ?? 'Running',
      ...(options.startTime === undefined ? {} : { startTime: options.startTime }),
      conditions: options.conditions ?? [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: atStart },
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: options.readySince ?? '2026-01-01T00:00:05Z' },
      ],
      containerStatuses: [
        { name: 'module-loader', ready, state: { running: { startedAt: '2026-01-01T00:00:02Z' } }, ...options.container },
      ],
    },
  }
}

type DaemonSetOptions = {
  readonly name?: string
  readonly uid?: string
  readonly labels?: Labels
  readonly status?: DaemonSet['status']
  readonly owner?: string
  readonly template?: object
  readonly generation?: number
}

export function aDaemonSet(options: DaemonSetOptions = {}): DaemonSet {
  const { name = 'ds', uid = 'uid-ds', owner = 'uid-drivers-driver', generation = 1 } = options
  const own = { [labels.moduleName]: 'driver', ...options.labels }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name,
      namespace: 'drivers',
      uid,
      resourceVersion: '40',
      generation,
      labels: own,
      ownerReferences: [
        { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module', name: 'driver', uid: owner, controller: true },
      ],
    },
    spec: { selector: { matchLabels: own }, template: { metadata: { labels: own }, ...options.template } },
    status: options.status ?? { observedGeneration: generation, desiredNumberScheduled: 1, numberAvailable: 1, numberReady: 1 },
  }
}

/** Any write to what was observed is a defect: it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
