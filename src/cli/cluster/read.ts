// A live cluster as the operator's snapshot would show it: the watches' own resources, selectors and trims, listed once.
import type { Watch } from '../../core/controller.ts'
import type { KubeObject } from '../../core/object.ts'
import { modules } from '../../core/resources.ts'
import { realClock } from '../../shell/clock.ts'
import { ApiError } from '../../shell/kube/errors.ts'
import { listPages } from '../../shell/kube/list-pages.ts'
import type { Transport } from '../../shell/kube/transport.ts'
import { type Io, UsageError } from '../io.ts'

/** Without these a plan is only a little poorer: words of events, and that a namespace or the Module kind is going away. */
const isDispensable = ({ resource: { kind } }: Watch): boolean =>
  kind === 'Event' || kind === 'Namespace' || kind === 'CustomResourceDefinition'

/**
 * All objects that the watches ask for; warns on `io.err` of those that the user may not list. With `namespace`, a user who may not list
 * the whole cluster gets the objects of that namespace. Throws UsageError where the cluster has no Modules at all, ApiError and what the
 * transport throws.
 */
export async function readCluster(
  watches: readonly Watch[],
  transport: Transport,
  namespace: string | undefined,
  io: Pick<Io, 'err' | 'stop'>,
): Promise<readonly KubeObject[]> {
  const given = new AbortController()
  const stop = AbortSignal.any([io.stop, given.signal])
  try {
    const lists = await Promise.all(
      watches.map(watch => readAllowed(watch, transport, namespace, stop, sentence => io.err(`kmm: warning: ${sentence}\n`))),
    )
    return lists.flat()
  } finally {
    // One list that failed is the answer; the others need not go on.
    given.abort(new Error('another list failed'))
  }
}

async function readAllowed(
  watch: Watch,
  transport: Transport,
  namespace: string | undefined,
  stop: AbortSignal,
  warn: (sentence: string) => void,
): Promise<readonly KubeObject[]> {
  const { plural, namespaced, kind } = watch.resource
  try {
    return await readAll(watch, transport, undefined, stop)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404 && kind === modules.kind)
      throw new UsageError('this cluster knows no Modules: KMM is not installed there, or this is the wrong cluster (--context)')
    if (error.status !== 403) throw error
    if (namespaced && namespace !== undefined) return readAll(watch, transport, namespace, stop)
    if (!isDispensable(watch)) throw error
    warn(`you may not list ${plural}, so what they would tell is missing here`)
    return []
  }
}

async function readAll(
  watch: Watch,
  transport: Transport,
  namespace: string | undefined,
  stop: AbortSignal,
): Promise<readonly KubeObject[]> {
  const { resource, labelSelector, fieldSelector, trim } = watch
  const objects: KubeObject[] = []
  const selectors = {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  }
  await listPages(
    { resource, selectors, transport, nowMs: () => realClock.nowMs(), ...(namespace === undefined ? {} : { namespace }) },
    { begin: () => void objects.splice(0), object: object => void objects.push(trim === undefined ? object : trim(object)) },
    stop,
  )
  return objects
}
