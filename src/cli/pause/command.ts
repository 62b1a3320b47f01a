// `kmm pause` and `kmm resume`: the annotation that stops all changes of a Module (decisions.md 23).
import { annotations } from '../../core/names.ts'
import { isPaused } from '../../core/paused.ts'
import { modules } from '../../core/resources.ts'
import { realClock } from '../../shell/clock.ts'
import { objectIn } from '../../shell/kube/apply.ts'
import { expectSuccess } from '../../shell/kube/errors.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { objectPath } from '../../shell/kube/paths.ts'
import { type ClusterChoice, withCluster } from '../cluster/connect.ts'
import { moduleKeyIn } from '../input/module-key.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'

export type PauseOptions = ClusterChoice & { readonly namespace?: string }

const deadlineMs = 30_000

const words = {
  pause: {
    done: (key: string) =>
      `Module ${key} is paused: nothing is changed, replaced or removed for it until \`kmm resume ${key}\`. What is loaded stays loaded.`,
    already: (key: string) => `Module ${key} was paused already.`,
  },
  resume: {
    done: (key: string) => `Module ${key} goes on: what has changed in the meantime is now carried out.`,
    already: (key: string) => `Module ${key} was not paused.`,
  },
}

/** Resolves to the exit code. Throws BadInput and UsageError. */
export function pauseOrResume(
  what: 'pause' | 'resume',
  module: string,
  options: PauseOptions,
  io: Io,
  environment: Environment,
): Promise<number> {
  return withCluster(options, environment, async ({ transport, namespace }) => {
    const key = moduleKeyIn(module, options.namespace, namespace)
    const path = objectPath(modules, key)
    const read = await transport({ method: 'GET', path, deadlineMs }, io.stop)
    if (read.status === 404) throw new UsageError(`there is no Module ${key}: name it as NAMESPACE/NAME, or with -n NAMESPACE`)
    const found = objectIn(expectSuccess(`read Module ${key}`, read, realClock.nowMs()).body)
    const isWanted = found !== undefined && isPaused(found) === (what === 'pause')
    if (isWanted) {
      io.out(`${words[what].already(key)}\n`)
      return exitCodes.fine
    }
    const value = what === 'pause' ? 'true' : null
    // Of the very Module that was read: one that was made again in the meantime is another one.
    const body = { metadata: { uid: found?.metadata.uid, annotations: { [annotations.paused]: value } } }
    const query = { fieldManager: 'kmm-cli' }
    const contentType = 'application/merge-patch+json'
    const written = await transport({ method: 'PATCH', path, query, contentType, body, deadlineMs }, io.stop)
    expectSuccess(`${what} Module ${key}`, written, realClock.nowMs())
    io.out(`${words[what].done(key)}\n`)
    return exitCodes.fine
  })
}
