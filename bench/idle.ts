// The bundled operator with nothing to do, on 3 nodes of a real control plane, measured from outside: memory, CPU, cold start.
//   npm run bench -- idle
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { modules } from '../src/core/resources.ts'
import { type ControlPlane, startControlPlane } from '../test/control-plane/start.ts'
import { create, eventually, getModule, prepareCluster } from '../test/real/cluster.ts'
import { type OperatorProcess, startOperator } from '../test/real/operator-process.ts'

const root = join(import.meta.dirname, '..')
const starts = 5
const idleMs = 30_000
const target = { residentMb: 100, startMs: 1000 }

const driver = {
  apiVersion: modules.apiVersion,
  kind: modules.kind,
  metadata: { name: 'driver', namespace: 'default' },
  spec: {
    selector: { 'gpu.example.com/present': 'true' },
    moduleLoader: {
      container: {
        modprobe: { moduleName: 'driver' },
        kernelMappings: [{ regexp: '^.+$', containerImage: 'registry.example.com/driver:${KERNEL_FULL_VERSION}' }],
      },
    },
  },
}

/** From the start of the process to the end of the first lists, in milliseconds; the log's clock is this machine's. */
async function start(plane: ControlPlane): Promise<{ readonly operator: OperatorProcess; readonly startMs: number }> {
  const beganMs = Date.now()
  const command = [process.execPath, join(root, 'dist/kmm.js')]
  const operator = await startOperator({ kubeconfig: plane.kubeconfig, folder: plane.folder, command })
  const listed = await operator.record('that everything is listed', ({ msg }) => msg.startsWith('everything is listed'))
  return { operator, startMs: Date.parse(listed.time) - beganMs }
}

/** Megabytes (10^6 bytes) by name, as Linux counts them: proc_pid_status(5). */
async function memoryOf(pid: number): Promise<ReadonlyMap<string, number>> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return new Map([...status.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name = '', kib]) => [name, (Number(kib) * 1024) / 1e6]))
}

/** Milliseconds of CPU time so far; in proc_pid_stat(5) fields 14 and 15, in ticks of 10 ms. */
async function cpuMsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measure(plane: ControlPlane): Promise<boolean> {
  await prepareCluster(plane, { default: [] })
  await plane.addNodes({ count: 3, kernel: '6.1.0-1-amd64', labels: driver.spec.selector })
  await create(plane, modules, driver)
  const first = await start(plane)
  await eventually('the driver is loaded', async () => {
    const { conditions } = (await getModule(plane, 'default/driver'))?.status ?? {}
    return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  })
  const startsMs = [first.startMs]
  let { operator } = first
  while (startsMs.length < starts) {
    await operator.end()
    const next = await start(plane)
    operator = next.operator
    startsMs.push(next.startMs)
  }
  await delay(15_000)
  const cpuMs = await cpuMsOf(operator.pid)
  await delay(idleMs)
  const memory = await memoryOf(operator.pid)
  const usedMs = (await cpuMsOf(operator.pid)) - cpuMs
  await operator.end()

  const mb = (name: string) => (memory.get(name) ?? Number.NaN).toFixed(0)
  const residentMb = memory.get('VmRSS') ?? Number.NaN
  const slowestMs = Math.max(...startsMs)
  process.stdout.write(
    [
      `resident memory   ${mb('VmRSS')} MB (of it ${mb('RssAnon')} MB our own, the rest is the mapped node binary); peak ${mb('VmHWM')} MB; target under ${target.residentMb} MB`,
      `cold start        ${startsMs.join(', ')} ms from the start of the process until the cluster is listed and watched; target under ${target.startMs} ms`,
      `CPU while idle    ${usedMs} ms in ${idleMs / 1000} s`,
      '',
    ].join('\n'),
  )
  return residentMb < target.residentMb && slowestMs < target.startMs
}

const built = spawnSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(1)
const plane = await startControlPlane({ parts: ['controllers', 'scheduler', 'kubelets'] })
if ('skipped' in plane) {
  process.stderr.write(`${plane.skipped}\n`)
  process.exit(1)
}
try {
  if (!(await measure(plane))) process.exitCode = 1
} finally {
  await plane.stop()
}
