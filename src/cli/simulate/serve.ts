// `kmm simulate --serve PORT`: the simulated cluster in real time, behind a port for kubectl and for operators that run elsewhere.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Module } from '../../api/module.ts'
import { kernelOf, type Node } from '../../core/cluster.ts'
import { judgeModule } from '../../core/module/rules.ts'
import type { Answer, Question } from '../../core/plan.ts'
import { nodes as nodeKind } from '../../core/resources.ts'
import type { AdmissionAnswer, AdmissionReview } from '../../model/api/types.ts'
import { keepPace } from '../../model/real-time.ts'
import { type ServedModel, serveModel } from '../../model/serve.ts'
import { realClock } from '../../shell/clock.ts'
import { exitCodes, type Io, UsageError } from '../io.ts'
import { openAuditFile } from './audit-file.ts'
import { hollowCluster } from './hollow.ts'
import { imagesFor } from './images.ts'
import { type Simulation, startSimulation } from './simulation.ts'
import type { World } from './world.ts'

export type ServeSimulationOptions = {
  /** 0: any free one. */
  readonly port: number
  /** `absent`: another process will be the operator. */
  readonly operator: 'runs' | 'absent'
  readonly operatorNamespace: string
  /** `hollow`: pods are only said to run. */
  readonly nodes: 'machines' | 'hollow'
  /** Gets a line for each request. */
  readonly auditLog?: string
  readonly answer: (question: Question) => Answer | undefined
  readonly isPushed: (image: string) => boolean
}

/** Runs until `io.stop`; resolves to the exit code. Throws UsageError when the port is taken. */
export async function serveSimulation(world: World, options: ServeSimulationOptions, io: Io): Promise<number> {
  const { operator, operatorNamespace, answer, nodes } = options
  const audit = options.auditLog === undefined ? undefined : openAuditFile(options.auditLog, realClock)
  // Nothing here writes to what it read, and a large cluster has no time to prove it.
  const server = { admit: judgeWrite, reads: 'shared' } as const
  const cluster = nodes === 'hollow' ? { ...hollowCluster, api: { ...server, ...hollowCluster.api } } : { api: server }
  const simulation = startSimulation(world, {
    operator,
    operatorNamespace,
    answer,
    stop: io.stop,
    nodes,
    cluster: { ...cluster, start: new Date(realClock.nowMs()).toISOString() },
  })
  const { api, clock } = simulation.cluster
  for (const module of world.modules) simulation.applyModule(module)
  const forget = pushLaterImages(simulation, options.isPushed)
  const endPace = keepPace(clock, realClock)
  const folder = await mkdtemp(join(tmpdir(), 'kmm-simulate-'))
  let served: ServedModel | undefined
  try {
    const port = { port: options.port, ...(audit === undefined ? {} : { audit }) }
    served = await serveModel(api, { clock, nowMs: realClock.nowMs(), ...port })
    const kubeconfig = join(folder, 'kubeconfig')
    await writeFile(kubeconfig, served.kubeconfig, { mode: 0o600 })
    io.out(greeting(world, served.url, kubeconfig, options))
    await raised(io.stop)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new UsageError(`port ${options.port} is taken: choose another one, or 0 for any that is free`)
  } finally {
    endPace()
    forget()
    await simulation.end()
    await served?.close()
    audit?.close()
    await rm(folder, { recursive: true, force: true })
  }
  io.out('The simulated cluster is gone.\n')
  return exitCodes.fine
}

/** What the admission webhook of an installed operator would say. */
export function judgeWrite({ resource, operation, object, oldObject }: AdmissionReview): AdmissionAnswer {
  if (resource.kind !== 'Module' || operation === 'DELETE' || object === undefined) return { allowed: true }
  const { errors, warnings } = judgeModule(object as Module, oldObject as Module | undefined)
  const [error] = errors
  const words = warnings.map(warning => warning.message)
  if (error === undefined) return { allowed: true, warnings: words }
  return { allowed: false, webhook: 'vmodule.kb.io', message: error.message, warnings: words }
}

/** Modules that arrive later name images that somebody would have built and pushed before; what is there already stays as it is. */
function pushLaterImages(simulation: Simulation, isPushed: (image: string) => boolean): () => void {
  const { api, registry } = simulation.cluster
  return api.subscribe(({ resource, type, object, old }) => {
    if (resource.kind !== 'Module' || type === 'DELETED' || object.metadata.generation === old?.metadata.generation) return
    const kernels = [...new Set((api.list(nodeKind) as readonly Node[]).map(kernelOf))]
    for (const found of imagesFor([object as Module], kernels))
      if (isPushed(found.image) && registry.get(found.image) === undefined) simulation.push(found)
  })
}

function greeting(world: World, url: string, kubeconfig: string, { operator, nodes }: ServeSimulationOptions): string {
  const kubectl = `kubectl --kubeconfig ${kubeconfig}`
  const lines = [
    `A simulated cluster of ${world.nodes.length} ${world.nodes.length === 1 ? 'node' : 'nodes'} listens on ${url}`,
    `kubeconfig: ${kubeconfig}`,
    ...(nodes === 'hollow' ? ['Its nodes are hollow: pods are only said to run, so no hook runs and no driver is loaded.'] : []),
    '',
    `  ${kubectl} get modules,daemonsets,pods -A`,
    `  ${kubectl} get nodes -w`,
    ...(operator === 'absent' ? ['', 'No operator runs in it. Start one:', `  kmm operator --kubeconfig ${kubeconfig}`] : []),
    '',
    'Ctrl-C ends it.',
  ]
  return `${lines.join('\n')}\n`
}

function raised(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
