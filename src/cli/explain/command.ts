// `kmm explain`: why is a driver not on a node?
import { explain as explainModule } from '../../core/explain/explain.ts'
import { moduleKeys } from '../../core/explain/node-row.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { decideModuleKey } from '../input/module-key.ts'
import { readSeen, type SeenOptions } from '../input/seen.ts'
import { toldAnswers } from '../input/told-images.ts'
import { exitCodes, type Io } from '../io.ts'
import { printJson } from '../json.ts'
import { isWell, reportOf } from './report.ts'
import { printExplanation } from './text.ts'

export type ExplainOptions = SeenOptions & { readonly node?: string; readonly output: 'json' | 'text' }

/** Resolves to the exit code: `no` where a link does not hold on a node that is meant to have the driver. Throws BadInput and UsageError. */
export async function explain(module: string, options: ExplainOptions, io: Io, environment: Environment): Promise<number> {
  const { look, context } = await readSeen(options, toldAnswers, io, environment)
  const key = decideModuleKey(module, options.namespace, moduleKeys(look))
  const explanation = explainModule(look, key, options.node, context)
  io.out(options.output === 'json' ? printJson(reportOf(explanation)) : printExplanation(explanation))
  return isWell(explanation) ? exitCodes.fine : exitCodes.no
}
