// Runs a script as a hook in a container of the model, and lets time pass until it has ended.
import { type Container, type ExecResult, startContainer } from '../../../src/model/cluster/container.ts'
import { createTree, type Entry, type KernelObject } from '../../../src/model/cluster/files.ts'
import { baseFiles, moduleFiles } from '../../../src/model/cluster/images.ts'
import { bootKernel, type ModelKernel } from '../../../src/model/cluster/kernel.ts'
import { standardPrograms } from '../../../src/model/cluster/programs/table.ts'
import { createRegistry, type ModelImage } from '../../../src/model/cluster/registry.ts'
import type { Privilege } from '../../../src/model/cluster/surroundings.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'

export const release = '6.1.0-50-cloud-amd64'

export type Bench = {
  readonly clock: VirtualClock
  readonly kernel: ModelKernel
  readonly container: Container
  /** `sh -c script` as an exec in the container; time passes until it ends (at most an hour). */
  readonly run: (script: string) => ExecResult & { readonly tookMs: number }
}

export type BenchOptions = {
  readonly files?: Readonly<Record<string, Entry>>
  readonly modules?: readonly (Omit<KernelObject, 'kind' | 'kernel'> & { readonly kernel?: string })[]
  readonly hostModules?: readonly (Omit<KernelObject, 'kind' | 'kernel'> & { readonly kernel?: string })[]
  readonly signatures?: 'enforced' | 'not enforced'
  readonly trustedKeys?: readonly string[]
  readonly privileges?: readonly Privilege[]
  readonly nodeFirmware?: readonly string[]
  readonly command?: readonly string[]
}

const built = (modules: BenchOptions['modules']): KernelObject[] =>
  (modules ?? []).map(module => ({ kind: 'ko' as const, kernel: release, ...module }))

/** A container with dash, coreutils, kmod and the given modules below /opt, on a kernel that has just booted. */
export function createBench(options: BenchOptions = {}): Bench {
  const clock = createVirtualClock(Date.UTC(2026, 10, 23))
  const kernel = bootKernel({
    release,
    bootId: '11111111-2222-3333-4444-555555555555',
    clock,
    signatures: options.signatures ?? 'not enforced',
    trustedKeys: options.trustedKeys ?? [],
    firmwareClassPath: '',
  })
  const registry = createRegistry()
  const host = createTree()
  for (const [path, entry] of Object.entries(
    moduleFiles('/', release, built(options.hostModules?.map(module => ({ inTree: true, ...module })))),
  )) {
    for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
      if (host.get(path.slice(0, slash)) === undefined) host.put(path.slice(0, slash), { kind: 'directory' })
    }
    host.put(path, entry)
  }
  registry.push('bench:1', {
    files: { ...baseFiles(), ...moduleFiles('/opt', release, built(options.modules)), ...options.files },
  })
  const image = registry.get('bench:1') as ModelImage
  const container = startContainer(
    {
      clock,
      reference: 'bench:1',
      image,
      kernel,
      mounts: [{ path: `/lib/modules/${release}`, tree: host, root: `/lib/modules/${release}`, access: 'read-only' }],
      rootAccess: 'read-write',
      privileges: new Set(options.privileges ?? ['load modules', 'read the kernel log']),
      environment: new Map(),
      directory: '/',
      terminationLogPath: '/dev/termination-log',
      programs: standardPrograms,
      moduleMs: 100,
      hasFirmware: name => options.nodeFirmware?.includes(name) ?? false,
    },
    options.command ?? ['sleep', 'infinity'],
  )
  if (typeof container === 'string') throw new Error(container)
  return {
    clock,
    kernel,
    container,
    run(script) {
      const startMs = clock.nowMs()
      const results: ExecResult[] = []
      const task = container.exec(['/bin/sh', '-c', script], ended => void results.push(ended))
      if (typeof task === 'string') throw new Error(task)
      while (results.length === 0 && clock.nowMs() - startMs < 3_600_000 && clock.advanceToNext());
      const [result] = results
      if (result === undefined) throw new Error(`The script never ends: ${script}`)
      return { ...result, tookMs: clock.nowMs() - startMs }
    },
  }
}
