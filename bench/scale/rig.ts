// Everything that a scenario works with: the control plane, the operator as a process of its own, and who watches both.
import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { labels } from '../../src/core/names.ts'
import { nodes } from '../../src/core/resources.ts'
import { objectPath } from '../../src/shell/kube/paths.ts'
import { startControlPlane } from '../../test/control-plane/start.ts'
import { ask, prepareCluster } from '../../test/real/cluster.ts'
import { type OperatorProcess, startOperator } from '../../test/real/operator-process.ts'
import { floorDaemonSet, floorReadyLabel } from './floor-names.ts'
import { type HealthWatch, watchHealth } from './health-watch.ts'
import { type Observer, startObserver } from './observer.ts'
import { type AuditTail, auditTail } from './requests.ts'
import { kernelName, namespace, pluginLabelOf, readyLabelOf, type Shape, workerLabel } from './shape.ts'
import { type Plane, startSimulatedCluster } from './simulated-cluster.ts'

export type Rig = {
  readonly plane: Plane
  readonly shape: Shape
  readonly observer: Observer
  /** The operator's requests. */
  readonly requests: AuditTail
  /** The one that runs now. */
  operator?: OperatorProcess
  readonly health: HealthWatch
  /** When each process of the operator was started: milliseconds since the epoch. */
  readonly startsMs: readonly number[]
  /** How long kubelets report while nothing else happens. */
  readonly heartbeatSeconds: number
  readonly tell: (line: string) => void
  startOperator(): Promise<OperatorProcess>
}

const root = join(import.meta.dirname, '../..')
export const operatorAgent = 'kmm/'

/** Which cluster the operator gets. */
export type Where = 'control plane' | 'simulated cluster'

/** Starts the cluster with the nodes; the operator does not run yet. Throws where this machine cannot run it. */
export async function startRig(
  where: Where,
  shape: Shape,
  options: { readonly nodeArgs: readonly string[]; readonly heartbeatSeconds: number },
  tell: (line: string) => void,
): Promise<Rig> {
  const plane = where === 'control plane' ? await startRealPlane(tell) : await startSimulatedCluster(namespace)
  try {
    await addWorkers(plane, shape)
    const artefact = await shippedOperator(plane.folder)
    const observer = await startObserver(plane.transport, ({ metadata }) => {
      const module = metadata.labels?.[labels.moduleName]
      const floor = metadata.labels?.[floorDaemonSet]
      if (floor !== undefined) return { label: floorReadyLabel(floor), group: floorDaemonSet }
      if (module === undefined) return undefined
      // A device plugin's label comes with its own pod.
      const isLoader = metadata.labels?.[labels.kernel] !== undefined
      return isLoader
        ? { label: readyLabelOf(module), group: module }
        : { label: pluginLabelOf(module), group: `${module} plugin` }
    })
    const health = watchHealth()
    const command = [process.execPath, ...options.nodeArgs, artefact]
    const startsMs: number[] = []
    return {
      plane,
      shape,
      observer,
      requests: auditTail(join(plane.folder, 'audit.log'), operatorAgent),
      health,
      startsMs,
      heartbeatSeconds: options.heartbeatSeconds,
      tell,
      startOperator: async () => {
        startsMs.push(Date.now())
        const operator = await startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder, command })
        const { addr } = await operator.record(
          'its health server',
          ({ msg, kind }) => msg === 'Starting server' && kind === 'health probe',
        )
        health.follow(String(addr))
        return operator
      },
    }
  } catch (error) {
    await plane.stop()
    throw error
  }
}

async function startRealPlane(tell: (line: string) => void): Promise<Plane> {
  const plane = await startControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'], load: 'scale', report: tell })
  if ('skipped' in plane) throw new Error(plane.skipped)
  try {
    await prepareCluster(plane, { [namespace]: [], 'openshift-kmm': [] })
    return plane
  } catch (error) {
    await plane.stop()
    throw error
  }
}

/** What users run: the bundle. A copy, since a build by somebody else replaces the file. */
async function shippedOperator(folder: string): Promise<string> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
  const copy = join(folder, 'kmm.mjs')
  await copyFile(join(root, 'dist/kmm.js'), copy)
  return copy
}

async function addWorkers(plane: Plane, shape: Shape): Promise<void> {
  for (let kernel = 0; kernel < shape.kernels; kernel++) {
    const count = Math.floor(shape.nodes / shape.kernels) + (kernel < shape.nodes % shape.kernels ? 1 : 0)
    await plane.addNodes({ count, kernel: kernelName(kernel), prefix: `k${kernel}`, labels: { [workerLabel]: '' } })
  }
}

/** Sends one request for each item, 16 at a time: as a person's script would. Throws the first refusal. */
export async function forEach<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const work = async () => {
    for (const item of queue) await act(item)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

export async function patchNode(plane: Plane, name: string, body: object, part?: 'status'): Promise<void> {
  // As kubelets do it: conditions are merged by their type.
  const contentType = 'application/strategic-merge-patch+json'
  const { status, body: answer } = await ask(plane, { method: 'PATCH', path: objectPath(nodes, name, part), contentType, body })
  if (status >= 300) throw new Error(`Node ${name} was not patched: ${status} ${JSON.stringify(answer)}`)
}
