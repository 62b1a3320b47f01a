// `kmm plan`: the controllers' own planners on objects from files, or on a live cluster. Nothing is written.
import { controllers } from '../../controllers/index.ts'
import type { Environment } from '../../shell/kube/kubeconfig-connection.ts'
import { printYaml } from '../../shell/yaml.ts'
import { answersOf, type ImageAssumption, readImages } from '../input/images.ts'
import { readSeen, type SeenOptions } from '../input/seen.ts'
import { exitCodes, type Io } from '../io.ts'
import { printJson } from '../json.ts'
import { reportOf } from './report.ts'
import { planEverything } from './run.ts'
import { printPlansAsText } from './text.ts'

export type PlanOptions = SeenOptions & {
  readonly images?: string
  readonly assumeImages: ImageAssumption
  readonly output: 'json' | 'yaml' | 'text'
}

/** Resolves to the exit code. Throws BadInput and UsageError. */
export async function plan(options: PlanOptions, io: Io, environment: Environment): Promise<number> {
  const answer = answersOf(await readImages(options.images, io), options.assumeImages)
  const { look, context } = await readSeen(options, () => answer, io, environment)
  const plans = planEverything(controllers, look, context)
  if (options.output === 'text') io.out(printPlansAsText(plans, look))
  else io.out((options.output === 'json' ? printJson : printYaml)({ plans: plans.map(one => reportOf(one, look)) }))
  return exitCodes.fine
}
