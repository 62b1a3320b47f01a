// The operator's own loop and controllers on a simulated cluster, on a clock that this file turns.
import { setImmediate } from 'node:timers/promises'
import type { Module } from '../../api/module.ts'
import { controllers, watches } from '../../controllers/index.ts'
import { kernelOf, type Node } from '../../core/cluster.ts'
import type { Settings } from '../../core/controller.ts'
import { moduleKeys, moduleRows } from '../../core/explain/node-row.ts'
import { fieldManager } from '../../core/names.ts'
import { type KubeObject, keyOf, type Labels } from '../../core/object.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { crds, modules as moduleKind, nodes as nodeKind } from '../../core/resources.ts'
import { customResourceDefinitions } from '../../manifests/crds.ts'
import type { AdmissionAnswer, AdmissionReview } from '../../model/api/types.ts'
import { type ClusterOptions, createCluster, type ModelCluster, type ModelNode } from '../../model/cluster.ts'
import { createOperator } from '../../shell/loop/operator.ts'
import { deafPrograms } from './deaf-plugin.ts'
import { imagesFor, type SimulatedImage, trustedKey } from './images.ts'
import { hasFailed, isUnderWay, markOf, type Row, rowsOf } from './table.ts'
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
  /** As `kubectl label --overwrite` does. */
  label(node: string, labels: Labels): void
  /** Turns the clock until nothing changes any more. `changed` is awaited after each change of the rows. */
  settle(
    changed: (rows: readonly Row[], sinceMs: number) => Promise<void>,
    patience?: keyof typeof quietMs,
  ): Promise<'settled' | 'restless' | 'stopped'>
  end(): Promise<void>
}

export type SimulationOptions = {
  readonly operatorNamespace: string
  readonly answer: (question: Question) => Answer | undefined
  readonly stop: AbortSignal
  /** `absent`: somebody else is the operator. Default `runs`. */
  readonly operator?: 'runs' | 'absent'
  /** `hollow` needs a cluster that has hollow nodes. Default `machines`. */
  readonly nodes?: 'machines' | 'hollow'
  readonly cluster?: ClusterOptions
}

/** How far the clock is turned at once: what happens within it looks simultaneous. */
const stepMs = 250
/** Quiet for this long is settled: while nothing is on its way, while a kubelet may be backing off, while an unload hook tries again. */
const quietMs = { changing: 30_000, 'backing off': 6 * 60_000, waiting: 11 * 60_000 } as const
const limitMs = 3 * 60 * 60_000

export function startSimulation(world: World, options: SimulationOptions): Simulation {
  const cluster = createCluster(clusterOf(world, options.cluster))
  const { api, clock, registry } = cluster
  for (const crd of customResourceDefinitions()) api.create(crds, crd)
  createSupporting(cluster, world, options.operatorNamespace)
  const push = ({ image, content }: SimulatedImage) => void registry.push(image, content)
  for (const image of world.images) push(image)
  for (const node of world.nodes) {
    if (options.nodes === 'hollow') {
      cluster.addHollowNode(node)
      continue
    }
    const added = cluster.addNode({ ...node, enforceSignatures: true, trustedKeys: [trustedKey] })
    if (node.modulesDirectory === 'missing') removeAll(added.files, `/lib/modules/${node.kernel}`)
  }
  const settings: Settings = {
    operatorNamespace: options.operatorNamespace,
    managed: false,
    ...(world.firmwareClassPath === undefined ? {} : { firmwareClassPath: world.firmwareClassPath }),
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
    settings,
    fieldManager,
  })
  if (options.operator !== 'absent') operator.start()
  const startMs = clock.nowMs()

  const modules = () => api.list(moduleKind) as readonly Module[]
  const loadedVersion = (node: string, key: string): string | undefined => {
    const name = modules().find(module => keyOf(module) === key)?.spec.moduleLoader.container.modprobe.moduleName ?? ''
    return cluster.node(node).kernel.loaded.get(name.replaceAll('-', '_'))?.version
  }
  /** The operator writes a status at most every ten seconds while it moves; here its judgement of this very moment is shown. */
  const rows = () => {
    const context = { nowMs: clock.nowMs(), settings }
    return rowsOf(
      moduleKeys(operator.look).flatMap(key => moduleRows(operator.look, key, context).rows),
      loadedVersion,
    )
  }

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
    label(node, labels) {
      const { metadata } = api.get(nodeKind, node) ?? {}
      if (metadata === undefined) throw new Error(`there is no node ${node}`)
      api.update(nodeKind, node, found => ({
        ...found,
        metadata: { ...found.metadata, labels: { ...found.metadata.labels, ...labels } },
      }))
    },
    async settle(changed, patience = 'changing') {
      const beginMs = clock.nowMs()
      // Until everything is listed nobody has judged anything.
      while (!operator.idle() && !options.stop.aborted && clock.nowMs() - beginMs < quietMs.changing) await turn()
      let shown = ''
      let changedMs = beginMs
      while (!options.stop.aborted) {
        const now = rows()
        const marks = now.map(row => `${row.node} ${row.module} ${markOf(row)}`).join('\n')
        if (marks !== shown) {
          shown = marks
          changedMs = clock.nowMs()
          await changed(now, changedMs - startMs)
        }
        if (operator.idle() && clock.nowMs() - changedMs > quietMs[patienceFor(now, patience)]) return 'settled'
        if (clock.nowMs() - beginMs > limitMs) return 'restless'
        await turn()
      }
      return 'stopped'
    },
    end: () => operator.stop(),
  }
}

/** With what this cluster has beside the admission of every cluster, then the webhook, if there is one. */
function clusterOf({ admit }: World, options: ClusterOptions = {}): ClusterOptions {
  if (admit === undefined) return { ...options, programs: deafPrograms }
  const webhook = options.api?.admit
  const both = (review: AdmissionReview): AdmissionAnswer => {
    const answer = admit(review)
    return answer.allowed && webhook !== undefined ? webhook(review) : answer
  }
  return { ...options, programs: deafPrograms, api: { ...options.api, admit: both } }
}

function patienceFor(rows: readonly Row[], asked: keyof typeof quietMs): keyof typeof quietMs {
  // A label is set by a person: nothing moves before.
  if (rows.some(row => isUnderWay(row) && row.reason !== 'WaitingForVersionLabel')) return 'waiting'
  return rows.some(hasFailed) || asked === 'waiting' ? asked : 'changing'
}

/** A directory and all that is in it. */
function removeAll(files: ModelNode['files'], path: string): void {
  for (const name of files.list(path) ?? []) removeAll(files, `${path}/${name}`)
  files.remove(path)
}

/** Namespaces that the objects live in, whether they were given or not, and the objects that Modules name. */
function createSupporting({ api }: ModelCluster, world: World, operatorNamespace: string): void {
  const namespaceKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }
  const wanted = [operatorNamespace, ...[...world.modules, ...world.others].flatMap(({ metadata }) => metadata.namespace ?? [])]
  for (const name of new Set(wanted)) {
    if (api.get(namespaceKind, name) === undefined)
      api.create(namespaceKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  for (const name of new Set(world.modules.flatMap(({ metadata }) => metadata.namespace ?? []))) {
    api.update(namespaceKind, name, found => ({
      ...found,
      metadata: { ...found.metadata, labels: { ...found.metadata.labels, ...world.namespaceLabels } },
    }))
  }
  for (const object of world.others) {
    const resource = api.resources().find(({ apiVersion, kind }) => apiVersion === object.apiVersion && kind === object.kind)
    if (resource !== undefined && object.kind !== 'Namespace' && api.get(resource, keyOf(object)) === undefined)
      api.create(resource, object)
  }
}
