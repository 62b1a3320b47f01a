// `kmm release NODE MODULE`: a person says that an old driver, whose unload failed, need not be waited for any more (decisions.md 2).
import type { KubeEvent, Node, Pod } from '../../core/cluster.ts'
import { labels, podFinalizer } from '../../core/names.ts'
import { type KubeObject, keyOf, parseKey, type Resource, refOf } from '../../core/object.ts'
import { events as eventKind, nodes as nodeKind, pods as podKind } from '../../core/resources.ts'
import { realClock } from '../../shell/clock.ts'
import { objectIn } from '../../shell/kube/apply.ts'
import { ApiError, expectSuccess } from '../../shell/kube/errors.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { listPages } from '../../shell/kube/list-pages.ts'
import { objectPath } from '../../shell/kube/paths.ts'
import { sendRemoval } from '../../shell/kube/remove.ts'
import type { Transport } from '../../shell/kube/transport.ts'
import { type ClusterChoice, withCluster } from '../cluster/connect.ts'
import { moduleKeyIn } from '../input/module-key.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'
import { decideReleases, type ReleaseDecision } from './decide.ts'

export type ReleaseOptions = ClusterChoice & { readonly namespace?: string }

const deadlineMs = 30_000
/** A pod that changes between the look and the write is looked at again this often. */
const mostTries = 5

type Asked = { readonly node: string; readonly key: string; readonly transport: Transport; readonly stop: AbortSignal }

/** Resolves to `fine` where a pod was released, to `no` where none was. The Module itself may be gone. Throws BadInput and UsageError. */
export function release(
  node: string,
  module: string,
  options: ReleaseOptions,
  io: Io,
  environment: Environment,
): Promise<number> {
  return withCluster(options, environment, async ({ transport, namespace }) => {
    const asked: Asked = { node, key: moduleKeyIn(module, options.namespace, namespace), transport, stop: io.stop }
    const released = new Set<string>()
    for (let tries = 1; ; tries++) {
      const decisions = await look(asked)
      const again = await letGo(asked, decisions, released, io)
      if (!again) return tell(asked, decisions, released, io)
      if (tries === mostTries) throw new UsageError(`the pods on node ${node} keep changing: try again`)
    }
  })
}

async function look({ node, key, transport, stop }: Asked): Promise<readonly ReleaseDecision[]> {
  const { namespace = '', name } = parseKey(key)
  const read = await transport({ method: 'GET', path: objectPath(nodeKind, node), deadlineMs }, stop)
  const found: Node | undefined =
    read.status === 404 ? undefined : objectIn(expectSuccess(`read node ${node}`, read, realClock.nowMs()).body)
  const listAll = async (resource: Resource, selectors: Readonly<Record<string, string>>): Promise<readonly KubeObject[]> => {
    const objects: KubeObject[] = []
    await listPages(
      { resource, namespace, selectors, transport, nowMs: () => realClock.nowMs() },
      { begin: () => void objects.splice(0), object: object => void objects.push(object) },
      stop,
    )
    return objects
  }
  const selectors = { labelSelector: `${labels.moduleName}=${name}`, fieldSelector: `spec.nodeName=${node}` }
  const pods: readonly Pod[] = await listAll(podKind, selectors)
  const events: readonly KubeEvent[] = await listAll(eventKind, { fieldSelector: 'type=Warning' }).catch((error: unknown) => {
    // Only loaders of an older operator are judged by events; without them such a pod is left to the operator.
    if (error instanceof ApiError && error.status === 403) return []
    throw error
  })
  if (found === undefined && pods.length === 0)
    throw new UsageError(`there is no node ${node}: name it as \`kubectl get nodes\` does`)
  return decideReleases(pods, found, events, realClock.nowMs())
}

/** Releases what is held. Resolves to whether one of them changed meanwhile, so that all have to be looked at again. */
async function letGo(asked: Asked, decisions: readonly ReleaseDecision[], released: Set<string>, io: Io): Promise<boolean> {
  const { node, transport, stop } = asked
  let isChanged = false
  for (const { pod, because, do: what } of decisions.filter(decision => decision.do !== 'leave')) {
    const { uid = '', resourceVersion = '' } = pod.metadata
    const removal = {
      object: refOf(pod),
      uid,
      resourceVersion,
      because,
      ...(what === 'release' ? { finalizer: podFinalizer } : {}),
    }
    const { result } = await sendRemoval({ transport, clock: realClock, deadlineMs }, podKind, removal, pod, stop)
    if (result === 'again') isChanged = true
    // The old one is let go only when the newer one is on its way out: else the node would be reported ready at once.
    if (result === 'again' && what === 'reload') return true
    if (result !== 'written') continue
    if (what === 'reload') {
      io.out(`Deleted pod ${keyOf(pod)} on node ${node}, so that its successor loads the driver anew: ${because}.\n`)
      continue
    }
    released.add(keyOf(pod))
    io.out(`Released pod ${keyOf(pod)} on node ${node}: it was held because ${because}.\n`)
  }
  return isChanged
}

function tell({ node, key }: Asked, decisions: readonly ReleaseDecision[], released: ReadonlySet<string>, io: Io): number {
  const left = decisions.filter(({ pod, do: what }) => what === 'leave' && !released.has(keyOf(pod)))
  for (const { pod, because } of left) io.out(`Left pod ${keyOf(pod)} as it is: ${because}.\n`)
  if (released.size > 0) {
    io.out(
      `The old driver may still be in the kernel of node ${node}: KMM does not wait for its end any more, and starts there what Module ${key} asks for.\n`,
    )
    return exitCodes.fine
  }
  const none =
    decisions.length === 0
      ? `Module ${key} has no loader pod on node ${node}`
      : `no loader pod of Module ${key} is held on node ${node}`
  io.out(`Nothing was released: ${none}.\n`)
  return exitCodes.no
}
