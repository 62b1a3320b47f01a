// The floor: the least that any operator of this design must do. Labels every Node once, then writes a pod's label to its Node when
// the pod becomes ready, as fast as it can. It plans nothing, compares nothing and remembers only what one apply must repeat.
//   node bench/scale/floor-client.ts KUBECONFIG
import { isPodReady, type Pod } from '../../src/core/cluster.ts'
import { nodes, pods } from '../../src/core/resources.ts'
import { realClock } from '../../src/shell/clock.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import { loadKubeconfig } from '../../src/shell/kube/kubeconfig.ts'
import { startListWatch } from '../../src/shell/kube/list-watch.ts'
import { objectPath } from '../../src/shell/kube/paths.ts'
import { floorAgent, floorDaemonSet, floorKernelLabel, floorReadyLabel } from './floor-names.ts'

const { config } = await loadKubeconfig({ file: process.argv[2] ?? '', environment: process.env })
const transport = httpsTransport(config, { userAgent: `${floorAgent}/1` })
const stop = new AbortController().signal
const known = new Map<string, { readonly uid: string; readonly labels: Record<string, string> }>()

async function apply(name: string): Promise<void> {
  const node = known.get(name)
  if (node === undefined) return
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: node.uid, labels: { ...node.labels } } }
  const { status } = await transport(
    {
      method: 'PATCH',
      path: objectPath(nodes, name),
      query: { fieldManager: floorAgent, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
      deadlineMs: 60_000,
    },
    stop,
  )
  if (status >= 300) process.stderr.write(`Node ${name} was not labelled: ${status}\n`)
}

const seen = new Set<string>()
const common = { transport, clock: realClock, chance: Math.random, log: () => undefined }
startListWatch(
  {
    ...common,
    resource: nodes,
    sink: {
      upsert: ({ metadata }) => {
        if (known.has(metadata.name)) return
        known.set(metadata.name, { uid: metadata.uid ?? '', labels: { [floorKernelLabel]: 'bench' } })
        void apply(metadata.name)
      },
      remove: () => undefined,
      listed: () => undefined,
      reached: () => undefined,
    },
  },
  stop,
)
startListWatch(
  {
    ...common,
    resource: pods,
    labelSelector: floorDaemonSet,
    sink: {
      upsert: object => {
        const pod = object as Pod
        const uid = pod.metadata.uid ?? ''
        const node = pod.spec?.nodeName ?? ''
        if (!isPodReady(pod) || seen.has(uid)) return
        seen.add(uid)
        const labels = known.get(node)?.labels
        if (labels !== undefined) labels[floorReadyLabel(pod.metadata.labels?.[floorDaemonSet] ?? '')] = ''
        void apply(node)
      },
      remove: () => undefined,
      listed: () => undefined,
      reached: () => undefined,
    },
  },
  stop,
)
