// The Node object as its kubelet registers and reports it.
import { type NodeObject, timeOf, withCondition } from '../pod-spec.ts'
import type { Machine } from './kubelet-core.ts'

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

export function newNode(machine: Machine, labels: Readonly<Record<string, string>>, taints: readonly object[]): NodeObject {
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

/** The same object when nothing of it has changed: a kubelet writes no status that says nothing new. */
export function withNodeStatus(node: NodeObject, machine: Machine, isReady: boolean, nowMs: number): NodeObject {
  const kernel = machine.kernel()
  const ready = isReady
    ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
    : {
        type: 'Ready',
        status: 'False',
        reason: 'KubeletNotReady',
        message: 'container runtime network not ready: NetworkReady=false',
      }
  const heartbeat = { lastHeartbeatTime: timeOf(nowMs) }
  const old = node.status?.conditions ?? []
  const next = [...healthy, ready].reduce((all, condition) => withCondition(all, { ...condition, ...heartbeat }, nowMs), old)
  const isSame = next.every(condition => {
    const before = old.find(other => other.type === condition.type)
    return before?.status === condition.status && before?.reason === condition.reason
  })
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
      conditions: isSame ? old : next,
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
