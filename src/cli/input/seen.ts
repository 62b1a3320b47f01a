// What a command judges: objects from files, or a live cluster where no file is named.
import { watches } from '../../controllers/index.ts'
import type { Look, PlanContext } from '../../core/controller.ts'
import type { KubeObject } from '../../core/object.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { realClock } from '../../shell/clock.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { BadInput } from '../../shell/yaml.ts'
import { type ClusterChoice, withCluster } from '../cluster/connect.ts'
import { readCluster } from '../cluster/read.ts'
import { type Io, UsageError } from '../io.ts'
import { completeObjects, newestTime } from '../plan/complete.ts'
import { createLook } from '../plan/look.ts'
import { readObjects } from './files.ts'
import { refuseWrongModules } from './modules.ts'

export type SeenOptions = ClusterChoice & {
  /** Files, directories or `-`; empty: the cluster. */
  readonly filename: readonly string[]
  /** Where to look when the user may not list the whole cluster. */
  readonly namespace?: string
  readonly operatorNamespace: string
  /** RFC 3339; default: the newest time in the files, or the present for a cluster. */
  readonly now?: string
}

export type Seen = { readonly look: Look; readonly context: PlanContext }

/** `answersFor` makes the answers about images out of the objects. Throws BadInput and UsageError. */
export async function readSeen(
  options: SeenOptions,
  answersFor: (objects: readonly KubeObject[]) => (question: Question) => Answer | undefined,
  io: Io,
  environment: Environment,
): Promise<Seen> {
  const { objects, now } =
    options.filename.length === 0 ? await fromCluster(options, io, environment) : await fromFiles(options, io)
  return {
    look: createLook(objects, watches, answersFor(objects)),
    context: { nowMs: Date.parse(now), settings: { operatorNamespace: options.operatorNamespace, managed: false } },
  }
}

type Read = { readonly objects: readonly KubeObject[]; readonly now: string }

async function fromFiles(options: SeenOptions, io: Io): Promise<Read> {
  if (options.kubeconfig !== undefined || options.context !== undefined)
    throw new UsageError('-f reads files and --kubeconfig and --context a cluster: choose one of the two')
  const inputs = await readObjects(options.filename, io)
  refuseWrongModules(inputs, io)
  const given = inputs.map(input => input.object)
  const now = options.now ?? newestTime(given)
  return { objects: completeObjects(given, now), now }
}

async function fromCluster(options: SeenOptions, io: Io, environment: Environment): Promise<Read> {
  const objects = await withCluster(options, environment, ({ transport }) =>
    readCluster(watches, transport, options.namespace, io),
  ).catch((error: unknown) => {
    if (error instanceof BadInput && options.kubeconfig === undefined)
      throw new UsageError(`${error.message}, or name files or directories with -f (-f - for standard input)`)
    throw error
  })
  // Sorted as objects from files are, so that equal clusters print equal bytes; a server leaves nothing to complete.
  const now = options.now ?? new Date(realClock.nowMs()).toISOString()
  return { objects: completeObjects(objects, now), now }
}
