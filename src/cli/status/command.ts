// `kmm status`: each Module on each node, as the operator judges it at this moment.
import { moduleKeys, moduleRows } from '../../core/explain/node-row.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { decideModuleKey } from '../input/module-key.ts'
import { readSeen, type SeenOptions } from '../input/seen.ts'
import { toldAnswers } from '../input/told-images.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'
import { printJson } from '../json.ts'
import { reportOf } from './report.ts'
import { printStatus } from './text.ts'

export type StatusOptions = SeenOptions & { readonly output: 'json' | 'text' }

/** Resolves to the exit code. Throws BadInput and UsageError. */
export async function status(
  module: string | undefined,
  options: StatusOptions,
  io: Io,
  environment: Environment,
): Promise<number> {
  const { look, context } = await readSeen(options, toldAnswers, io, environment)
  const known = moduleKeys(look)
  const keys = module === undefined ? inNamespace(known, options.namespace) : [only(module, options.namespace, known)]
  const found = keys.map(key => moduleRows(look, key, context))
  io.out(options.output === 'json' ? printJson(reportOf(found)) : printStatus(found, context.nowMs))
  return exitCodes.fine
}

const inNamespace = (keys: readonly string[], namespace: string | undefined): readonly string[] =>
  namespace === undefined ? keys : keys.filter(key => key.startsWith(`${namespace}/`))

function only(module: string, namespace: string | undefined, known: readonly string[]): string {
  const key = decideModuleKey(module, namespace, known)
  if (known.includes(key)) return key
  const there = known.length === 0 ? 'there is none at all' : `there are: ${known.join(', ')}`
  throw new UsageError(`there is no Module ${key}; ${there}`)
}
