// The operator's own loop and controllers on a simulated cluster, on a clock that this file turns.
import { setImmediate } from 'node:timers/promises'
import type { Module } from '../../api/module.ts'
import { controllers, watches } from '../../controllers/index.ts'
import { kernelOf, type Node } from '../../core/cluster.ts'
import { fieldManager } from '../../core/names.ts'
import { type KubeObject, keyOf } from '../../core/object.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { crds, modules as moduleKind, nodes as nodeKind } from '../../core/resources.ts'
import { customResourceDefinitions } from '../../manifests/crds.ts'
import { createCluster, type ModelCluster } from '../../model/cluster.ts'
import { createOperator } from '../../shell/loop/operator.ts'
import { imagesFor, type SimulatedImage, trustedKey } from './images.ts'
import { type Row, rowsOf } from './table.ts'
import type { World } from './world.ts'

export type Simulation = {
  readonly cluster: ModelCluster
  rows(): readonly Row[]
  modules(): readonly Module[]
  push(image: SimulatedImage): void
  /** As `kubectl apply` does: creates the Module, or changes its spec. */
  applyModule(module: Module): void
  /** Pushes the images that the Module names for the kernels here, then applies it. */
  changeModule(module: Module): void
  /** Turns the clock until nothing changes any more. `changed` is awaited after each change of the rows. */
  settle(changed: (rows: readonly Row[], sinceMs: number) => Promise<void>): Promise<'settled' | 'restless' | 'stopped'>
  end(): Promise<void>
}

export type SimulationOptions = {
  readonly operatorNamespace: string
  readonly answer: (question: Question) => Answer | undefined
  readonly stop: AbortSignal
}

/** How far the clock is turned at once: what happens within it looks simultaneous. */
const stepMs = 250
/** Nothing on its way changes for longer than this: the unload hook tries for ten minutes. */
const quietMs = { allDone: 30_000, waiting: 11 * 60_000 }
const limitMs = 3 * 60 * 60_000

export function startSimulation(world: World, options: SimulationOptions): Simulation {
  const cluster = createCluster({})
  const { api, clock, registry } = cluster
  for (const crd of customResourceDefinitions()) api.create(crds, crd)
  createSupporting(cluster, world, options.operatorNamespace)
  const push = ({ image, content }: SimulatedImage) => void registry.push(image, content)
  for (const image of world.images) push(image)
  for (const node of world.nodes) {
    cluster.addNode({ ...node, enforceSignatures: true, trustedKeys: [trustedKey] })
  }
  const operator = createOperator({
    controllers,
    watches,
    transport: api.transport,
    clock,
    chance: () => 0.5,
    log: () => {},
    images: {
      ask: question => Promise.resolve(options.answer(question) ?? { exists: registry.get(question.image) !== undefined }),
    },
    settings: { operatorNamespace: options.operatorNamespace, managed: false },
    fieldManager,
  })
  operator.start()
  const startMs = clock.nowMs()

  const modules = () => api.list(moduleKind) as readonly KubeObject[] as readonly Module[]
  const rows = () =>
    rowsOf(
      modules(),
      api.list(nodeKind) as readonly Node[],
      (node, name) => cluster.node(node).kernel.loaded.get(name.replaceAll('-', '_'))?.version,
    )

  async function turn(): Promise<void> {
    clock.advance(stepMs)
    // The operator's promises wait for nothing but each other; a few rounds let a write lead to the next look.
    for (let round = 0; round < 3 || (round < 50 && !operator.idle()); round++) await setImmediate()
  }

  function applyModule(module: Module): void {
    const change = (found: KubeObject) => ({ ...found, spec: module.spec }) as KubeObject
    if (api.update(moduleKind, keyOf(module), change) === undefined) api.create(moduleKind, module)
  }

  return {
    cluster,
    rows,
    modules,
    push,
    applyModule,
    changeModule(module) {
      const kernels = new Set((api.list(nodeKind) as readonly Node[]).map(kernelOf))
      for (const image of imagesFor([module], [...kernels])) push(image)
      applyModule(module)
    },
    async settle(changed) {
      const beginMs = clock.nowMs()
      let shown = ''
      let changedMs = beginMs
      while (!options.stop.aborted) {
        const now = rows()
        const text = JSON.stringify(now)
        if (text !== shown) {
          shown = text
          changedMs = clock.nowMs()
          await changed(now, changedMs - startMs)
        }
        const isWaiting = now.some(row => row.state === 'waiting' || row.state === 'outdated')
        if (operator.idle() && clock.nowMs() - changedMs > (isWaiting ? quietMs.waiting : quietMs.allDone)) return 'settled'
        if (clock.nowMs() - beginMs > limitMs) return 'restless'
        await turn()
      }
      return 'stopped'
    },
    end: () => operator.stop(),
  }
}

/** Namespaces that the objects live in, whether they were given or not, and the objects that Modules name. */
function createSupporting({ api }: ModelCluster, world: World, operatorNamespace: string): void {
  const namespaceKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }
  const wanted = [operatorNamespace, ...[...world.modules, ...world.others].flatMap(({ metadata }) => metadata.namespace ?? [])]
  for (const name of new Set(wanted)) {
    if (api.get(namespaceKind, name) === undefined)
      api.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  for (const object of world.others) {
    const resource = api.resources().find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind)
    if (resource !== undefined && object.kind !== 'Namespace' && api.get(resource, keyOf(object)) === undefined)
      api.create(resource, object)
  }
}
