// `kmm plan`: the controllers' own planners on objects from files.
import { controllers, watches } from '../../controllers/index.ts'
import { printYaml } from '../../shell/yaml.ts'
import { readObjects } from '../input/files.ts'
import { answersOf, type ImageAssumption, readImages } from '../input/images.ts'
import { refuseWrongModules } from '../input/modules.ts'
import { exitCodes, type Io } from '../io.ts'
import { printJson } from '../json.ts'
import { completeObjects, newestTime } from './complete.ts'
import { createLook } from './look.ts'
import { reportOf } from './report.ts'
import { planEverything } from './run.ts'
import { printPlansAsText } from './text.ts'

export type PlanOptions = {
  readonly filename: readonly string[]
  readonly images?: string
  readonly assumeImages: ImageAssumption
  readonly operatorNamespace: string
  /** RFC 3339. */
  readonly now?: string
  readonly output: 'json' | 'yaml' | 'text'
}

/** Resolves to the exit code. Throws BadInput and UsageError. */
export async function plan(options: PlanOptions, io: Io): Promise<number> {
  const inputs = await readObjects(options.filename, io)
  const answer = answersOf(await readImages(options.images, io), options.assumeImages)
  refuseWrongModules(inputs, io)
  const given = inputs.map(input => input.object)
  const now = options.now ?? newestTime(given)
  const look = createLook(completeObjects(given, now), watches, answer)
  const plans = planEverything(controllers, look, {
    nowMs: Date.parse(now),
    settings: { operatorNamespace: options.operatorNamespace, managed: false },
  })
  if (options.output === 'text') io.out(printPlansAsText(plans, look))
  else io.out((options.output === 'json' ? printJson : printYaml)({ plans: plans.map(one => reportOf(one, look)) }))
  return exitCodes.fine
}
