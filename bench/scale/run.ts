// One run: npm run bench -- scale --nodes 100 --modules 1 --kernels 2
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Floor, measureFloor, plainCopies, warmUp } from './floor.ts'
import { type LeaseKept, leaseKept } from './lease.ts'
import type { Measured } from './measure.ts'
import type { ProcessCost } from './process-cost.ts'
import { type Rig, startRig, type Where } from './rig.ts'
import { deletion, labelKernels, rollout, scenarios, secondRollout } from './scenarios.ts'
import type { Shape } from './shape.ts'

export type Result = {
  readonly command: string
  readonly commit: string
  readonly date: string
  readonly machine: { readonly cores: number; readonly model: string; readonly memoryGiB: number; readonly node: string }
  readonly shape: Shape
  /** What the simulated cluster's own process has cost; absent where a control plane ran. */
  readonly simulated?: ProcessCost
  readonly measured: readonly Measured[]
  /** Measured one after the other, between the first and the second rollout. None: neither they nor the second rollout were run. */
  readonly floors: readonly Floor[]
  readonly health: { readonly asked: number; readonly missed: number; readonly slowestMs: number }
  readonly lease: LeaseKept
}

// The garbage collector looks for new kinds twice a minute; before that a deleted Module keeps its DaemonSets.
const garbageCollectorMs = 65_000

export const resultsFolder = join(import.meta.dirname, '../../docs/benchmarks')

const usage =
  'usage: npm run bench -- scale [--nodes 100] [--modules 1] [--kernels 2] [--device-plugin] [--simulated] [--only NAME,...] [--heartbeat-seconds 60] [--floors 2] [--rollout-only] [--out FOLDER] [--profile FOLDER] [--node-option=OPTION]...\n' +
  `  --only: of ${Object.keys(scenarios).join(', ')}, or nothing: rollout, deletion and floor always run\n` +
  '  --rollout-only: end after the first rollout; with --floors 0 --only nothing\n' +
  '  --simulated: on a simulated cluster (kmm simulate --serve --hollow) instead of a control plane\n' +
  '  --profile: write a CPU profile of the operator there\n'

/** Runs the scenarios and the floor, writes the result as JSON. Resolves to the exit code. */
export async function scale(args: readonly string[]): Promise<number> {
  const options = parse(args)
  if (options === undefined) {
    process.stderr.write(usage)
    return 2
  }
  const { where, shape, only, floorCount, out } = options
  const startedMs = performance.now()
  const tell = (line: string) =>
    process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}\n`)
  const rig = await startRig(where, shape, options, tell)
  try {
    tell(`${shape.nodes} nodes are there`)
    // A simulated cluster has no caches to fill, and its garbage collector knows every kind at once.
    const isSimulated = where === 'simulated cluster'
    if (floorCount > 0 && !isSimulated) {
      await warmUp(rig)
      tell('the control plane is warm')
    }
    const measured: Measured[] = [...(await labelKernels(rig)), ...(await rollout(rig))]
    const floors: Floor[] = []
    const copies = floorCount === 0 ? [] : await plainCopies(rig)
    if (options.goesOn) {
      if (!isSimulated) await delay(Math.max(0, garbageCollectorMs - (performance.now() - startedMs)))
      measured.push(...(await deletion(rig)))
    }
    if (floorCount > 0) {
      await endOperator(rig)
      while (floors.length < floorCount) floors.push(await measureFloor(rig, copies))
      measured.push(...(await secondRollout(rig)))
    }
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (only?.includes(name) !== false) measured.push(...(await scenario(rig)))
    }
    await endOperator(rig)
    const simulated = rig.plane.cost?.()
    if (simulated !== undefined)
      tell(`simulated cluster: ${simulated.cpuSeconds.toFixed(0)} s CPU, ${simulated.peakMiB.toFixed(0)} MiB at most`)
    const { asked, missed, slowestMs } = rig.health
    const result: Result = {
      command: `npm run bench -- scale ${args.filter(arg => !arg.startsWith('/')).join(' ')}`,
      commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: resultsFolder, encoding: 'utf8' }).trim(),
      date: new Date().toISOString().slice(0, 10),
      machine: {
        cores: availableParallelism(),
        model: cpus()[0]?.model ?? 'unknown',
        memoryGiB: Math.round(totalmem() / 2 ** 30),
        node: process.version,
      },
      shape,
      ...(simulated === undefined ? {} : { simulated }),
      measured,
      floors,
      health: { asked, missed, slowestMs },
      lease: leaseKept(rig.requests.entries(), rig.startsMs),
    }
    await mkdir(out, { recursive: true })
    const file = join(
      out,
      `${isSimulated ? 'simulated' : 'scale'}-${shape.nodes}x${shape.modules}x${shape.kernels}${shape.devicePlugin ? '-plugin' : ''}.json`,
    )
    await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`)
    tell(`written to ${file}`)
    return 0
  } finally {
    rig.observer.stop()
    await rig.health.stop()
    await rig.plane.stop()
  }
}

async function endOperator(rig: Rig): Promise<void> {
  rig.health.pause()
  await tellWarnings(rig)
  await rig.operator?.end()
}

/** What the operator complained of, the most frequent first. */
async function tellWarnings({ operator, tell }: Rig): Promise<void> {
  const counts = new Map<string, number>()
  for (const { level, msg } of (await operator?.records()) ?? []) {
    if (level === 'warn' || level === 'error') counts.set(msg, (counts.get(msg) ?? 0) + 1)
  }
  for (const [msg, count] of [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 8)) tell(`operator: ${count} x ${msg}`)
}

type Parsed = {
  readonly where: Where
  readonly shape: Shape
  readonly only?: readonly string[]
  readonly floorCount: number
  /** Past the first rollout. */
  readonly goesOn: boolean
  readonly out: string
  readonly nodeArgs: readonly string[]
  readonly heartbeatSeconds: number
}

function parse(args: readonly string[]): Parsed | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string', default: '100' },
        modules: { type: 'string', default: '1' },
        kernels: { type: 'string', default: '2' },
        simulated: { type: 'boolean', default: false },
        'device-plugin': { type: 'boolean', default: false },
        only: { type: 'string' },
        floors: { type: 'string', default: '2' },
        'rollout-only': { type: 'boolean', default: false },
        'heartbeat-seconds': { type: 'string', default: '60' },
        out: { type: 'string', default: resultsFolder },
        profile: { type: 'string' },
        'node-option': { type: 'string', multiple: true, default: [] },
      },
    })
    const [nodes, modules, kernels] = [values.nodes, values.modules, values.kernels].map(Number)
    if (!isCount(nodes) || !isCount(modules) || !isCount(kernels)) return undefined
    const [floorCount, heartbeatSeconds] = [Number(values.floors), Number(values['heartbeat-seconds'])]
    if (!isCount(heartbeatSeconds)) return undefined
    if (floorCount !== 0 && !isCount(floorCount)) return undefined
    // The scenarios begin where the second rollout ends.
    if (floorCount === 0 && values.only !== 'nothing') return undefined
    if (floorCount > 0 && values['rollout-only']) return undefined
    const only = values.only?.split(',').filter(name => name !== '' && name !== 'nothing')
    if (only?.some(name => !(name in scenarios)) === true) return undefined
    return {
      where: values.simulated ? 'simulated cluster' : 'control plane',
      shape: { nodes, modules, kernels, devicePlugin: values['device-plugin'] },
      ...(only === undefined ? {} : { only }),
      floorCount,
      goesOn: !values['rollout-only'],
      heartbeatSeconds,
      out: values.out,
      nodeArgs: [
        ...values['node-option'],
        ...(values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]),
      ],
    }
  } catch {
    return undefined
  }
}

const isCount = (value: number | undefined): value is number => value !== undefined && Number.isInteger(value) && value > 0
