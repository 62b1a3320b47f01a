// The simulated cluster in the place of the control plane, as a process of its own: sizes that etcd and kube-apiserver with all their
// pods do not reach on one machine. It never outlives the bench (guarded.ts).
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import { removeAtEnd, startGuarded, waitUntilReady } from '../../test/control-plane/guarded.ts'
import { addNodes } from '../../test/control-plane/nodes.ts'
import type { ControlPlane } from '../../test/control-plane/start.ts'
import { type ProcessCost, processCost } from './process-cost.ts'

/** What the bench needs of a cluster, whichever it is. */
export type Plane = Pick<ControlPlane, 'kubeconfig' | 'transport' | 'folder' | 'addNodes' | 'stop'> & {
  /** Of the simulated cluster's process; absent for a control plane, which is many. */
  readonly cost?: () => ProcessCost
}

const root = join(import.meta.dirname, '../..')
/** Node's own limit is some 4 GiB; 20 Modules on 20,000 nodes need more. */
const heapMiB = 16_384

/** With the definition of Modules and `namespace`, without nodes and without an operator. */
export async function startSimulatedCluster(namespace: string): Promise<Plane> {
  const folder = await mkdtemp(join(tmpdir(), 'kmm-simulated-cluster-'))
  const janitor = removeAtEnd(folder)
  // The input must name something, or the example's Module would be in the cluster.
  const input = join(folder, 'input.json')
  await writeFile(input, JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }))
  const options = ['--serve', '0', '--hollow', '--no-operator', '--nodes', '0', '-f', input]
  const log = join(folder, 'simulated-cluster.log')
  const program = startGuarded(
    'simulated cluster',
    'env',
    [
      // It is killed and cannot tidy up: what it makes is removed with our folder.
      `TMPDIR=${folder}`,
      process.execPath,
      `--max-old-space-size=${heapMiB}`,
      join(root, 'src/cli/kmm.ts'),
      'simulate',
      ...options,
      '--audit-log',
      join(folder, 'audit.log'),
    ],
    log,
  )
  const stop = async () => {
    await program.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    janitor.forget()
  }
  try {
    let kubeconfig = ''
    await waitUntilReady(program, 60_000, async () => {
      kubeconfig = /^kubeconfig: (.+)$/m.exec(await readFile(log, 'utf8'))?.[1] ?? ''
      return kubeconfig !== ''
    })
    const { config } = await loadKubeconfig({ file: kubeconfig, environment: {} })
    const transport = httpsTransport(config, { userAgent: 'control-plane-test' })
    const answer = await transport(
      { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } }, deadlineMs: 10_000 },
      new AbortController().signal,
    )
    if (answer.status !== 201) throw new Error(`namespace ${namespace} was not created: ${JSON.stringify(answer.body)}`)
    return {
      kubeconfig,
      transport,
      folder,
      addNodes: nodes => addNodes(transport, nodes),
      cost: () => processCost(program.pid),
      stop: async () => {
        transport.close()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
