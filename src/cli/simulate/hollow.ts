// `kmm simulate --serve PORT --hollow`: a cluster of nodes on which nothing runs, for sizes that no kubelet is simulated for.
import type { Node } from '../../core/cluster.ts'
import { labels } from '../../core/names.ts'
import type { ClusterOptions } from '../../model/cluster.ts'

/** As long as a real server's watch cache can grow: a client that lists a large kind in pages still finds what came since then. */
const history = 20_000

/** A loader that was deleted says what one says whose driver could be unloaded; no hook is there to say it. */
export const hollowCluster = {
  hollowNodes: {
    lastWords: (pod, node) =>
      pod.metadata.labels?.[labels.moduleName] === undefined
        ? ''
        : `kmm unloaded ${(node as Node).status?.nodeInfo?.bootID ?? ''}\n`,
  },
  events: 'warnings',
  api: { history },
} as const satisfies ClusterOptions
