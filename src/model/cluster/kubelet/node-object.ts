// The Node object as its kubelet registers and reports it.
import type { Condition } from '../../../core/cluster.ts'
import { bootIdOf } from '../names.ts'
import { type NodeObject, timeOf, withCondition } from '../pod-spec.ts'
import type { Machine } from './kubelet-core.ts'

/** What a Node object tells of its machine. */
type Facts = {
  readonly name: string
  readonly maxPods: number
  kernel(): Pick<ReturnType<Machine['kernel']>, 'release' | 'bootId'>
}

const healthy = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
]

export function newNode(
  machine: Pick<Facts, 'name'>,
  labels: Readonly<Record<string, string>>,
  taints: readonly object[],
): NodeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: machine.name,
      labels: { 'kubernetes.io/hostname': machine.name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...labels },
    },
    spec: taints.length === 0 ? {} : { taints: taints as NonNullable<NodeObject['spec']>['taints'] & object },
  }
}

/** The same conditions when none of them changes. */
function conditionsOf(old: readonly Condition[], isReady: boolean, nowMs: number): readonly Condition[] {
  const ready = isReady
    ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
    : {
        type: 'Ready',
        status: 'False',
        reason: 'KubeletNotReady',
        message: 'container runtime network not ready: NetworkReady=false',
      }
  const heartbeat = { lastHeartbeatTime: timeOf(nowMs) }
  const next = [...healthy, ready].reduce((all, condition) => withCondition(all, { ...condition, ...heartbeat }, nowMs), old)
  const isSame = next.every(condition => {
    const before = old.find(other => other.type === condition.type)
    return before?.status === condition.status && before?.reason === condition.reason
  })
  return isSame ? old : next
}

/** Says that the node is ready, or not; the same object when it says so already. */
export function withConditions(node: NodeObject, isReady: boolean, nowMs: number): NodeObject {
  const old = node.status?.conditions ?? []
  const conditions = conditionsOf(old, isReady, nowMs)
  return conditions === old ? node : { ...node, status: { ...node.status, conditions } }
}

/** The same object when nothing of it has changed: a kubelet writes no status that says nothing new. */
export function withNodeStatus(node: NodeObject, machine: Facts, isReady: boolean, nowMs: number): NodeObject {
  const kernel = machine.kernel()
  const amounts = { cpu: '8', memory: '32Gi', pods: String(machine.maxPods) }
  return {
    ...node,
    status: {
      capacity: amounts,
      allocatable: amounts,
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: machine.name },
      ],
      ...node.status,
      conditions: conditionsOf(node.status?.conditions ?? [], isReady, nowMs),
      nodeInfo: {
        machineID: '0'.repeat(32),
        systemUUID: '00000000-0000-0000-0000-000000000000',
        bootID: kernel.bootId,
        kernelVersion: kernel.release,
        osImage: 'Model Linux',
        containerRuntimeVersion: 'containerd://2.4.2',
        kubeletVersion: 'v1.36.3',
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  }
}

export type HollowNode = {
  readonly name: string
  readonly kernel: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
}

/** The Node that nobody but a hollow kubelet reports of: ready from its creation on. */
export function hollowNode({ name, kernel, labels = {}, taints = [] }: HollowNode, nowMs: number): NodeObject {
  const facts = { name, maxPods: 110, kernel: () => ({ release: kernel, bootId: bootIdOf(name) }) }
  return withNodeStatus(newNode(facts, labels, taints), facts, true, nowMs)
}
