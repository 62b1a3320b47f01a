// What the snapshot keeps of the big and busy kinds: only what planners read, so that it stays small and a heartbeat changes nothing.
import type { Condition, ContainerState, ContainerStatus, KubeEvent, Node, Pod } from '../core/cluster.ts'
import { annotations } from '../core/names.ts'
import type { KubeObject, ObjectMeta } from '../core/object.ts'
import { ourContainer } from '../core/operands.ts'

/** A new object: one from which fields are deleted takes V8 twice the memory. */
function present<T extends object>(fields: T): T {
  const kept: Partial<T> = {}
  for (const key of Object.keys(fields) as (keyof T)[]) if (fields[key] !== undefined) kept[key] = fields[key]
  return kept as T
}

const metadata = ({
  name,
  namespace,
  uid,
  resourceVersion,
  creationTimestamp,
  deletionTimestamp,
  labels,
  managedFields,
}: ObjectMeta): ObjectMeta =>
  present({ name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, managedFields }) as ObjectMeta

const condition = ({ type, status, lastTransitionTime }: Condition): Condition =>
  present({ type, status, lastTransitionTime }) as Condition

export function trimNode(object: KubeObject): KubeObject {
  const { apiVersion, kind, spec, status } = object as Node
  const { kernelVersion, bootID, architecture, osImage } = status?.nodeInfo ?? {}
  return {
    apiVersion,
    kind,
    metadata: metadata(object.metadata),
    ...(spec?.taints === undefined ? {} : { spec: { taints: spec.taints } }),
    status: {
      nodeInfo: present({ kernelVersion, bootID, architecture, osImage }),
      conditions: (status?.conditions ?? []).filter(({ type }) => type === 'Ready').map(condition),
    },
  } as KubeObject
}

const readAnnotations: ReadonlySet<string> = new Set([annotations.reloadInputs, annotations.podInputs, annotations.kernelModules])

export function trimPod(object: KubeObject): KubeObject {
  const { apiVersion, kind, spec, status } = object as Pod
  const { finalizers, ownerReferences, annotations: notes } = object.metadata
  const kept = Object.entries(notes ?? {}).filter(([key]) => readAnnotations.has(key))
  const owner = ownerReferences?.filter(({ controller }) => controller === true)
  const container = ourContainer(spec?.containers)
  const told = ourContainer(status?.containerStatuses)
  return {
    apiVersion,
    kind,
    metadata: present({
      ...metadata({ ...object.metadata, managedFields: [] }),
      managedFields: undefined,
      finalizers,
      ownerReferences: owner,
      annotations: kept.length === 0 ? undefined : Object.fromEntries(kept),
    }),
    spec: present({
      nodeName: spec?.nodeName,
      containers: container === undefined ? undefined : [present({ name: container.name, image: container.image })],
      // Names the node of a DaemonSet pod that is not yet scheduled.
      affinity: spec?.nodeName === undefined ? (spec as { affinity?: unknown } | undefined)?.affinity : undefined,
    }),
    status: present({
      phase: status?.phase,
      reason: status?.reason,
      message: status?.message,
      startTime: status?.startTime,
      conditions: (status?.conditions ?? []).filter(({ type }) => type === 'Ready' || type === 'PodScheduled').map(trimCondition),
      containerStatuses: told === undefined ? undefined : [trimContainer(told)],
    }),
  } as unknown as KubeObject
}

/** The words matter only where something is wrong. */
const trimCondition = (full: Condition): Condition =>
  full.status === 'True'
    ? condition(full)
    : (present({ ...condition(full), reason: full.reason, message: full.message }) as Condition)

const trimContainer = ({ name, ready, restartCount, started, state, lastState }: ContainerStatus): ContainerStatus =>
  present({ name, ready, restartCount, started, state: trimState(state), lastState: trimState(lastState) }) as ContainerStatus

function trimState(state: ContainerState | undefined): ContainerState | undefined {
  if (state === undefined) return undefined
  const { waiting, running, terminated } = state
  const ended =
    terminated === undefined
      ? undefined
      : present({
          exitCode: terminated.exitCode,
          reason: terminated.reason,
          message: terminated.message,
          startedAt: terminated.startedAt,
          finishedAt: terminated.finishedAt,
        })
  return present({
    waiting,
    running: running === undefined ? undefined : present({ startedAt: running.startedAt }),
    terminated: ended,
  }) as ContainerState
}

export function trimEvent(object: KubeObject): KubeObject {
  const { apiVersion, kind, type, reason, message, involvedObject, lastTimestamp } = object as KubeEvent
  const { name, namespace, uid, resourceVersion } = object.metadata
  return present({
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, resourceVersion }),
    type,
    reason,
    message,
    involvedObject,
    lastTimestamp,
  }) as KubeObject
}

/** Of a namespace or a CustomResourceDefinition only matters whether it is going away. */
export const trimToMetadata = (object: KubeObject): KubeObject => {
  const { name, uid, resourceVersion, deletionTimestamp } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: present({ name, uid, resourceVersion, deletionTimestamp }) as ObjectMeta,
  }
}
