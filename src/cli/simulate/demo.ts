// The example of the README, told step by step: a driver on two kernels, a failure with its reason, a change of the driver at the
// operator's pace, and one at a person's: an ordered upgrade by labels of the nodes.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Module } from '../../api/module.ts'
import { userVersionLabel } from '../../core/names.ts'
import { readObjects } from '../input/files.ts'
import { exitCodes, type Io } from '../io.ts'
import { imagesFor } from './images.ts'
import type { Show } from './show.ts'
import { type Simulation, startSimulation } from './simulation.ts'
import { printSummary } from './summary.ts'
import { createWorld } from './world.ts'

const fedora = '6.0.15-300.fc37.x86_64'
const enterprise = '5.14.0-284.25.1.el9_2.x86_64'
/** A kernel update that nobody has built the driver for yet. */
const updated = '5.14.0-284.30.1.el9_2.x86_64'

const kernelsOfNodes = [fedora, fedora, enterprise, enterprise, updated] as const

/** Resolves to the exit code. */
export async function tellDemo(show: Show, operatorNamespace: string, io: Io): Promise<number> {
  const [first, next, ordered] = [
    await readExample('module.yaml', io),
    await readExample('module-1.1.yaml', io),
    await readExample('module-2.0.yaml', io),
  ]
  const world = createWorld([first], {
    count: kernelsOfNodes.length,
    kernels: kernelsOfNodes,
    failures: [],
    isPushed: () => true,
  })
  const [unpushed, pushed] = [imagesFor([first], [updated]), imagesFor([first], [fedora, enterprise])]
  const simulation = startSimulation({ ...world, images: pushed }, { operatorNamespace, answer: () => undefined, stop: io.stop })
  try {
    show.say(`A cluster of ${kernelsOfNodes.length} nodes with three kernels, and one Module (examples/demo/module.yaml).`)
    show.say(`Its driver was built for two of the kernels; there is no image yet for ${updated} of node-5.`)
    simulation.applyModule(first)
    await show.until(simulation)
    if (io.stop.aborted) return exitCodes.fine

    show.say('Four nodes have the driver, and the Module says what the fifth one lacks. Somebody builds and pushes that image:')
    for (const image of unpushed) simulation.push(image)
    await show.until(simulation, 'backing off')
    if (io.stop.aborted) return exitCodes.fine

    show.say(
      'Version 1.1 of the driver comes out (examples/demo/module-1.1.yaml). It goes from node to node, so that four always have a driver:',
    )
    simulation.changeModule(next)
    await show.until(simulation)
    if (io.stop.aborted) return exitCodes.fine

    await tellOrderedUpgrade(ordered, simulation, show)
    if (io.stop.aborted) return exitCodes.fine
    io.out(`\n${printSummary(simulation.rows())}`)
    show.say('Try your own: npm run -s kmm -- simulate -f YOUR-MODULE.yaml')
    return exitCodes.fine
  } finally {
    await simulation.end()
  }
}

/** First one node, and when it works there, the others. */
async function tellOrderedUpgrade(module: Module, simulation: Simulation, show: Show): Promise<void> {
  const { metadata, spec } = module
  const label = userVersionLabel(metadata.namespace ?? '', metadata.name)
  const version = spec.moduleLoader.container.version ?? ''
  show.say(
    `Version ${version} is to be an ordered upgrade (examples/demo/module-2.0.yaml): it has a \`version\`, and each node keeps its driver until its label asks for that one:`,
  )
  simulation.changeModule(module)
  await show.until(simulation, 'changing')
  const [one = '', ...others] = simulation.cluster.nodeNames()
  show.say(`Somebody has emptied ${one} of its workload: kubectl label node ${one} ${label}=${version}`)
  simulation.label(one, { [label]: version })
  await show.until(simulation, 'changing')
  show.say('It works there, so the others follow:')
  for (const node of others) simulation.label(node, { [label]: version })
  await show.until(simulation)
}

async function readExample(name: string, io: Io): Promise<Module> {
  const [input] = await readObjects([examplePath(name)], io)
  if (input === undefined) throw new Error(`the example ${name} is empty`)
  return input.object as Module
}

/** In a checkout and in an installed package the examples lie beside package.json, above this file or the bundle it is in. */
export function examplePath(name: string): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json')) && dirname(directory) !== directory) directory = dirname(directory)
  return join(directory, 'examples', 'demo', name)
}
