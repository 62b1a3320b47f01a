// How a pod reaches the API server of its own cluster. Source: Kubernetes documentation "Accessing the Kubernetes API from a Pod".
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BadInput } from '../yaml.ts'
import type { ConnectionConfig } from './connection.ts'
import { messageOf } from './transport-error.ts'

/** Where the kubelet puts token, ca.crt and namespace of the pod's service account. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

export type PodSurroundings = {
  /** KUBERNETES_SERVICE_HOST */
  readonly host: string | undefined
  /** KUBERNETES_SERVICE_PORT */
  readonly port: string | undefined
  readonly folder?: string
  readonly proxy?: Readonly<Record<string, string>>
}

/** The connection and the pod's namespace. Token and authority are read again when the kubelet rotates them. Throws BadInput. */
export async function inCluster(
  pod: PodSurroundings,
): Promise<{ readonly config: ConnectionConfig; readonly namespace: string }> {
  const folder = pod.folder ?? serviceAccountFolder
  const { host, port } = pod
  if (host === undefined || host === '' || port === undefined || port === '') {
    const what =
      'this is no pod of a cluster (KUBERNETES_SERVICE_HOST and _PORT are not set): pass --kubeconfig FILE or set KUBECONFIG'
    throw new BadInput('environment', undefined, what)
  }
  const namespace = await mountedText(folder, 'namespace')
  // Read once here only to fail early and clearly; the transport reads them as they are when it needs them.
  await Promise.all([mountedText(folder, 'token'), mountedText(folder, 'ca.crt')])
  return {
    namespace,
    config: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      authority: { file: join(folder, 'ca.crt') },
      serverCertificate: 'verify',
      bearer: { file: join(folder, 'token') },
      ...(pod.proxy === undefined ? {} : { proxy: pod.proxy }),
    },
  }
}

async function mountedText(folder: string, name: string): Promise<string> {
  const file = join(folder, name)
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const todo = "does the pod set automountServiceAccountToken: false, or lack a volume with the service account's token?"
    throw new BadInput(file, undefined, `cannot be read: ${messageOf(error)}; ${todo}`)
  }
}
