// What goes wrong only when all is loaded.
import type { Module } from '../../api/module.ts'
import { userVersionLabel } from '../../core/names.ts'
import { keyOf } from '../../core/object.ts'
import { nextDriver } from './change.ts'
import type { Failure } from './failures.ts'
import type { Show } from './show.ts'
import type { Simulation } from './simulation.ts'

/** Lets those of the failures that are of this kind happen, one after the other, and shows each to its end. */
export async function failLater(wanted: readonly Failure[], simulation: Simulation, show: Show): Promise<void> {
  if (wanted.includes('in-use')) await changeWhileInUse(simulation, show)
  if (wanted.includes('plugin-stays')) await upgradeWithStayingPlugin(simulation, show)
  if (wanted.includes('silent-node')) await silenceNode(simulation, show)
}

const loadedRows = (simulation: Simulation) => simulation.rows().filter(row => row.state === 'loaded')
const versionOf = (module: Module) => module.spec.moduleLoader.container.version ?? ''

/** `another driver`, and for a Module with a version, who else has to ask for it. */
function toldOf(next: Module, nodes: readonly string[]): string {
  const version = versionOf(next)
  return version === ''
    ? `Now Module ${keyOf(next)} asks for another driver.`
    : `Now Module ${keyOf(next)} and the labels of ${nodes.join(', ')} ask for version ${version}.`
}

/** Changes the Module, and labels the nodes as their owner would. */
function askFor(next: Module, nodes: readonly string[], simulation: Simulation): void {
  const { namespace = '', name } = next.metadata
  simulation.changeModule(next)
  if (versionOf(next) === '') return
  for (const node of nodes) simulation.label(node, { [userVersionLabel(namespace, name)]: versionOf(next) })
}

/** Somebody keeps a driver in use while its Module asks for the next one. */
async function changeWhileInUse(simulation: Simulation, show: Show): Promise<void> {
  const [busy, ...others] = loadedRows(simulation)
  const module = simulation.modules().find(one => keyOf(one) === busy?.module)
  const name = module?.spec.moduleLoader.container.modprobe.moduleName
  if (busy === undefined || module === undefined || name === undefined)
    return show.say('No driver is loaded, so none can be in use.')
  const nodes = [busy, ...others].filter(row => row.module === busy.module).map(row => row.node)
  const next = nextDriver(module)
  show.say(`On purpose: a process on ${busy.node} keeps ${name} in use. ${toldOf(next, nodes)}`)
  simulation.cluster.node(busy.node).hold(name)
  askFor(next, nodes, simulation)
  await show.until(simulation)
}

/** An ordered upgrade, in which a device plugin makes its driver wait. Its image is one that does not end (world.ts). */
async function upgradeWithStayingPlugin(simulation: Simulation, show: Show): Promise<void> {
  const plugged = simulation.modules().filter(module => module.spec.devicePlugin !== undefined)
  if (plugged.length === 0) return show.say('No Module has a device plugin, so none can stay.')
  const rows = loadedRows(simulation)
  const module = plugged.find(one => rows.some(row => row.module === keyOf(one)))
  if (module === undefined) return show.say('No driver with a device plugin is loaded, so no device plugin can stay.')
  const nodes = rows.filter(row => row.module === keyOf(module)).map(row => row.node)
  const next = nextDriver(module)
  const words = `the device plugin of Module ${keyOf(module)} does not end when it is told to, only when it is killed`
  show.say(`On purpose: ${words}. ${toldOf(next, nodes)}`)
  askFor(next, nodes, simulation)
  await show.until(simulation)
}

/** The network between a node and the cluster is cut; the driver goes on in its kernel. */
async function silenceNode(simulation: Simulation, show: Show): Promise<void> {
  const node = simulation.cluster.nodeNames().at(-1)
  if (node === undefined) return
  show.say(`On purpose: the kubelet of ${node} is not heard of any more.`)
  simulation.cluster.node(node).silence()
  // Nobody misses it for 40 s.
  await show.until(simulation, 'waiting')
}
