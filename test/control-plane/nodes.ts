import { createHash } from 'node:crypto'
import type { Transport } from '../../src/shell/kube/transport.ts'

/** The boot id that the simulated kubelets write for a node (kubelets.yaml): a UUID made of the name's SHA-1. */
export function bootIdOf(nodeName: string): string {
  const hash = createHash('sha1').update(nodeName).digest('hex')
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-')
}

export type NodesToAdd = {
  readonly count: number
  /** `nodeInfo.kernelVersion`. */
  readonly kernel: string
  readonly labels?: Readonly<Record<string, string>>
  /** Names are `<prefix>-<number>`, counted from 0. */
  readonly prefix?: string
}

/** Creates Nodes as kubelets would register them, eight at a time; the names. */
export async function addNodes(transport: Transport, wanted: NodesToAdd): Promise<readonly string[]> {
  const names = Array.from({ length: wanted.count }, (_, index) => `${wanted.prefix ?? 'node'}-${index}`)
  const queue = names.values()
  const work = async () => {
    for (const name of queue) {
      const response = await transport(
        { method: 'POST', path: '/api/v1/nodes', body: nodeNamed(name, wanted), deadlineMs: 30_000 },
        new AbortController().signal,
      )
      if (response.status !== 201) throw new Error(`Node ${name} was not created: ${JSON.stringify(response.body)}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return names
}

function nodeNamed(name: string, wanted: NodesToAdd): object {
  const room = { cpu: '16', memory: '64Gi', pods: '250', 'ephemeral-storage': '100Gi' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...wanted.labels },
    },
    status: {
      capacity: room,
      allocatable: room,
      addresses: [{ type: 'Hostname', address: name }],
      nodeInfo: {
        architecture: 'amd64',
        bootID: bootIdOf(name),
        containerRuntimeVersion: 'containerd://2.0.0',
        kernelVersion: wanted.kernel,
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.3',
        machineID: bootIdOf(`machine of ${name}`).replaceAll('-', ''),
        operatingSystem: 'linux',
        osImage: 'Simulated Linux',
        systemUUID: bootIdOf(`machine of ${name}`),
      },
    },
  }
}
