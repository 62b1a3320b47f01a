// The way to a live cluster, for commands that ask once and end.
import packageJson from '../../../package.json' with { type: 'json' }
import { realClock } from '../../shell/clock.ts'
import type { ConnectionConfig } from '../../shell/kube/connection.ts'
import { ApiError } from '../../shell/kube/errors.ts'
import { httpsTransport } from '../../shell/kube/https.ts'
import { inCluster } from '../../shell/kube/in-cluster.ts'
import { loadKubeconfig } from '../../shell/kube/kubeconfig.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import type { Transport } from '../../shell/kube/transport.ts'
import { TransportError } from '../../shell/kube/transport-error.ts'
import { UsageError } from '../io.ts'

export type ClusterChoice = { readonly kubeconfig?: string; readonly context?: string }

export type Cluster = {
  readonly transport: Transport
  /** Where names without a namespace are: of the context, or of the pod that we run in. */
  readonly namespace: string
}

/**
 * Calls `use` with the cluster of the kubeconfig, or of the pod where none was chosen, and closes the connections when it is done.
 * Throws BadInput for a kubeconfig that cannot be used, and UsageError, in one sentence, where the cluster does not answer as asked.
 */
export async function withCluster<T>(
  choice: ClusterChoice,
  environment: Environment,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const { connection, namespace } = await chooseConnection(choice, environment)
  const transport = httpsTransport(connection, { clock: realClock, userAgent: `kmm-cli/${packageJson.version}` })
  try {
    return await use({ transport, namespace })
  } catch (error) {
    if (error instanceof TransportError) throw new UsageError(`the cluster cannot be reached: ${error.message}`)
    if (error instanceof ApiError) throw new UsageError(`${error.message}${hint(error.status)}`)
    throw error
  } finally {
    transport.close()
  }
}

const hint = (status: number): string => {
  if (status === 401) return '. Log in again, or choose another user with --context'
  if (status === 403) return '. Ask for the rights, or choose another user with --context'
  return ''
}

export type ChosenConnection = {
  readonly connection: ConnectionConfig
  /** Of the pod, or of the kubeconfig's context. */
  readonly namespace: string
  readonly from: 'pod' | 'kubeconfig'
}

/** The cluster of the kubeconfig, or of the pod that we run in where none was chosen. Throws BadInput. */
export async function chooseConnection(
  { kubeconfig, context }: ClusterChoice,
  environment: Environment,
): Promise<ChosenConnection> {
  const [host, port] = [environment['KUBERNETES_SERVICE_HOST'], environment['KUBERNETES_SERVICE_PORT']]
  const isChosen = kubeconfig !== undefined || context !== undefined || environment['KUBECONFIG'] !== undefined
  if (!isChosen && host !== undefined) {
    const pod = await inCluster({ host, port })
    return { connection: pod.config, namespace: pod.namespace, from: 'pod' }
  }
  const chosen = await loadKubeconfig({
    ...(kubeconfig === undefined ? {} : { file: kubeconfig }),
    ...(context === undefined ? {} : { context }),
    environment,
  })
  return { connection: chosen.config, namespace: chosen.namespace, from: 'kubeconfig' }
}
