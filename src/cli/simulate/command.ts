// `kmm simulate`: the operator on a simulated cluster, watched until everything has settled.

import type { Module } from '../../api/module.ts'
import { judgeModule } from '../../core/module/rules.ts'
import { BadInput } from '../../shell/yaml.ts'
import { readObjects } from '../input/files.ts'
import { answersOf, type ImageAssumption, readImages } from '../input/images.ts'
import { badModule, isModule, refuseWrongModules } from '../input/modules.ts'
import type { InputObject } from '../input/objects.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'
import { examplePath, tellDemo } from './demo.ts'
import { type Failure, failureNames, failures } from './failures.ts'
import { failLater } from './later.ts'
import { createShow } from './show.ts'
import { startSimulation } from './simulation.ts'
import { printSummary } from './summary.ts'
import { createWorld } from './world.ts'

export type SimulateOptions = {
  readonly filename: readonly string[]
  readonly nodes: number
  readonly kernels: readonly string[]
  readonly fail: readonly string[]
  readonly images?: string
  readonly assumeImages: ImageAssumption
  readonly operatorNamespace: string
  readonly demo?: true
  /** Port on which the simulated cluster is served in real time; 0: any free one. */
  readonly serve?: number
  /** False: the served cluster has no operator of its own. */
  readonly operator: boolean
  /** The nodes of the served cluster only seem to run their pods. */
  readonly hollow?: true
  /** File for a line about each request to the served cluster. */
  readonly auditLog?: string
}

/** Resolves to the exit code. Throws BadInput and UsageError. */
export async function simulate(options: SimulateOptions, io: Io): Promise<number> {
  checkTogether(options)
  const show = createShow(io)
  if (options.demo) return tellDemo(show, options.operatorNamespace, io)
  const wanted = parseFailures(options.fail)
  refuseLater(wanted, options)
  const inputs = await readObjects(options.filename.length > 0 ? options.filename : [examplePath('module.yaml')], io)
  refuseModules(inputs, options.serve !== undefined, io)
  const known = await readImages(options.images, io)
  const answer = answersOf(known, options.assumeImages)
  const isPushed = (image: string) => answer({ ask: 'exists', image, namespace: '' })?.exists ?? true
  const world = createWorld(
    inputs.map(input => input.object),
    { count: options.nodes, kernels: options.kernels, failures: wanted, isPushed },
  )
  for (const flaw of world.flaws) show.say(`On purpose: ${flaw}.`)
  if (options.serve !== undefined) {
    const { serveSimulation } = await import('./serve.ts')
    const operator = options.operator ? 'runs' : 'absent'
    return serveSimulation(
      world,
      {
        port: options.serve,
        operator,
        operatorNamespace: options.operatorNamespace,
        answer,
        isPushed,
        nodes: options.hollow ? 'hollow' : 'machines',
        ...(options.auditLog === undefined ? {} : { auditLog: options.auditLog }),
      },
      io,
    )
  }
  const simulation = startSimulation(world, { operatorNamespace: options.operatorNamespace, answer, stop: io.stop })
  try {
    for (const module of world.modules) simulation.applyModule(module)
    await show.until(simulation)
    await failLater(wanted, simulation, show)
    io.out(`\n${printSummary(simulation.rows())}`)
  } finally {
    await simulation.end()
  }
  return exitCodes.fine
}

/** What the arguments cannot mean. */
function checkTogether({ demo, filename, serve, operator, hollow, auditLog, nodes, fail }: SimulateOptions): void {
  if (demo && filename.length > 0) throw new UsageError('--demo tells its own example: leave out -f')
  if (demo && serve !== undefined) throw new UsageError('--demo and --serve exclude each other')
  if (hollow && fail.length > 0) throw new UsageError('--fail needs nodes on which something runs: leave out --hollow')
  if (serve !== undefined) return
  if (!operator) throw new UsageError('--no-operator goes with --serve: without it nobody could act')
  if (hollow) throw new UsageError('--hollow goes with --serve: without it the drivers on the nodes are what is shown')
  if (auditLog !== undefined) throw new UsageError('--audit-log goes with --serve: without it there are no requests')
  if (nodes === 0) throw new UsageError('--nodes 0 goes with --serve: without it nobody could create a Node')
}

function parseFailures(words: readonly string[]): readonly Failure[] {
  return words.map(word => {
    const failure = failureNames.find(known => known === word)
    if (failure === undefined) throw new UsageError(`--fail ${word} is unknown: choose from ${failureNames.join(', ')}`)
    return failure
  })
}

/** A served cluster lives on without a story, so there is no moment at which all is loaded. */
function refuseLater(wanted: readonly Failure[], { serve }: SimulateOptions): void {
  const later = wanted.find(failure => failures[failure].of === 'later')
  if (serve === undefined || later === undefined) return
  throw new UsageError(`--fail ${later} happens when all is loaded, which --serve does not wait for: leave one of them out`)
}

/** What the API server or the webhook would refuse never gets into the simulated cluster either; what is hardly meant is told. */
function refuseModules(inputs: readonly InputObject[], isServed: boolean, io: Io): void {
  refuseWrongModules(inputs, io)
  const given = inputs.filter(({ object }) => isModule(object))
  // In a served cluster they can come later.
  if (given.length === 0 && !isServed)
    throw new BadInput(inputs[0]?.source.file ?? '', undefined, 'there is no Module in the input')
  for (const { object, source } of given) {
    const { errors, warnings } = judgeModule(object as KubeModule)
    if (errors[0] !== undefined) throw badModule({ object, source }, errors[0])
    for (const warning of warnings) io.err(`kmm: warning: ${badModule({ object, source }, warning).message}\n`)
  }
}

type KubeModule = InputObject['object'] & Module
