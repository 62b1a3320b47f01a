// A container as its runtime sees it: a file system, a first program, and programs executed beside it.
import type { Clock } from '../../shell/clock.ts'
import { createTree, directory, type Entry, type Tree } from './files.ts'
import type { ModelKernel } from './kernel.ts'
import { kernelProcTree, kernelSysTree } from './kernel-files.ts'
import { createFileView, type FileView, type Mount } from './mounts.ts'
import type { ModelImage } from './registry.ts'
import type { Gate, Routine } from './routine.ts'
import { findProgram, runProgram } from './shell/programs.ts'
import { createShell, type Shell } from './shell/state.ts'
import type { Privilege, Program, Surroundings } from './surroundings.ts'
import { Task } from './task.ts'

export type ContainerOptions = {
  readonly clock: Clock
  readonly reference: string
  readonly image: ModelImage
  readonly kernel: ModelKernel
  /** Mounts of volumes, in the order of the pod. */
  readonly mounts: readonly Mount[]
  readonly rootAccess: 'read-write' | 'read-only'
  readonly privileges: ReadonlySet<Privilege>
  readonly environment: ReadonlyMap<string, string>
  readonly directory: string
  readonly terminationLogPath: string
  readonly programs: ReadonlyMap<string, Program>
  readonly moduleMs: number
  hasFirmware(name: string): boolean
}

/** `text` is what both streams wrote, in order. */
export type ExecResult = { readonly code: number; readonly error: string; readonly text: string }

/** The kubelet reads at most this much from the end of the termination log (kubelet: MaxContainerTerminationMessageLength). */
const terminationMessageLimit = 4096
const containerLogLimit = 16_384

export type Container = {
  readonly reference: string
  readonly image: ModelImage
  readonly files: FileView
  readonly startedAtMs: number
  /** Opens when the first program has ended. */
  readonly exited: Gate
  exitCode(): number | undefined
  /** Runs a program in it; `ended` hears of its end, also when the container is killed. The words say why it cannot be started. */
  exec(argv: readonly string[], ended: (result: ExecResult) => void): Task | string
  signal(signal: 'TERM' | 'KILL'): void
  /** Everything in it stops without a word, as when the power goes. */
  destroy(): void
  terminationMessage(): string
  /** The end of what its first program wrote. */
  log(): string
}

const logFile = '/log'

/** Starts the first program. @returns the runtime's words when it cannot. */
export function startContainer(options: ContainerOptions, argv: readonly string[]): Container | string {
  const terminationLog = createTree()
  terminationLog.put(logFile, { kind: 'text', text: '' })
  let output = ''
  const write = (text: string) => {
    output = (output + text).slice(-containerLogLimit)
  }
  const tasks = new Map<number, Task>()
  const files = createFileView([
    { path: '/', tree: createTree(options.image.layer), root: '/', access: options.rootAccess },
    {
      path: '/proc',
      tree: kernelProcTree(
        () => options.kernel,
        () => tasks.keys(),
      ),
      root: '/',
      access: 'read-only',
    },
    { path: '/sys', tree: kernelSysTree(() => options.kernel), root: '/', access: 'read-only' },
    { path: '/dev', tree: deviceTree(write), root: '/', access: 'read-write' },
    { path: options.terminationLogPath, tree: terminationLog, root: logFile, access: 'read-write' },
    ...options.mounts,
  ])
  let lastPid = 1
  const begin = (task: Task, routine: Routine<number>) => {
    tasks.set(task.pid, task)
    task.exited.onOpen(() => tasks.delete(task.pid))
    task.start(options.clock, routine)
    return task
  }
  const surroundings: Surroundings = {
    clock: options.clock,
    files,
    kernel: options.kernel,
    image: options.reference,
    privileges: options.privileges,
    hasFirmware: name => options.hasFirmware(name),
    moduleMs: options.moduleMs,
    programs: options.programs,
    spawn(routine) {
      const task = new Task(++lastPid)
      return begin(task, routine(task))
    },
    task: pid => tasks.get(pid),
  }
  const shellFor = (task: Task, out: (text: string) => void, err: (text: string) => void): Shell =>
    createShell({
      surroundings,
      task,
      name: 'runc',
      busybox: false,
      descriptors: new Map([
        [0, { source: { text: '', at: 0 } }],
        [1, { write: out }],
        [2, { write: err }],
      ]),
      directory: options.directory,
      positional: [],
      environment: options.environment,
    })

  const main = new Task(1)
  const shell = shellFor(main, write, write)
  const missing = whyNotRunnable(shell, argv)
  if (missing !== undefined)
    return `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ${missing}`
  const startedAtMs = options.clock.nowMs()
  const stopAll = () => {
    for (const task of Array.from(tasks.values())) task.signal('KILL')
  }
  main.exited.onOpen(stopAll)
  begin(main, runProgram(shell, argv))

  return {
    reference: options.reference,
    image: options.image,
    files,
    startedAtMs,
    exited: main.exited,
    exitCode: () => main.exitCode,
    exec(command, ended) {
      const task = new Task(++lastPid)
      let text = ''
      let error = ''
      const exec = shellFor(
        task,
        more => void (text += more),
        more => {
          text += more
          error += more
        },
      )
      const words = main.exitCode === undefined ? whyNotRunnable(exec, command) : 'cannot exec in a stopped container'
      if (words !== undefined)
        return `rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: ${words}`
      task.exited.onOpen(() => ended({ code: task.exitCode ?? 137, error, text }))
      return begin(task, runProgram(exec, command))
    },
    signal: signal => main.signal(signal),
    destroy() {
      main.signal('KILL')
      stopAll()
    },
    terminationMessage() {
      const entry = terminationLog.get(logFile)
      return entry?.kind === 'text' ? entry.text.slice(-terminationMessageLimit) : ''
    },
    log: () => output,
  }
}

/** runc's words for a program that is not in the image. */
function whyNotRunnable(shell: Shell, argv: readonly string[]): string | undefined {
  const [name] = argv
  if (name === undefined) return 'no command specified'
  if (findProgram(shell, name) !== undefined) return undefined
  const reason = name.includes('/') ? `stat ${name}: no such file or directory` : 'executable file not found in $PATH'
  return `unable to start container process: exec: "${name}": ${reason}: unknown`
}

/** /dev of one container: made anew for each. */
function deviceTree(write: (text: string) => void): Tree {
  const tree = createTree()
  const sink = (writer: (text: string) => void): Entry => ({
    kind: 'device',
    read: () => '',
    write(text) {
      writer(text)
      return undefined
    },
  })
  tree.put(
    '/null',
    sink(() => undefined),
  )
  tree.put(
    '/zero',
    sink(() => undefined),
  )
  tree.put('/stdout', sink(write))
  tree.put('/stderr', sink(write))
  tree.put('/shm', directory)
  return tree
}
