// What a program in a container has around it: its files, the node's kernel, what it may do, and how it starts others.
import type { Clock } from '../../shell/clock.ts'
import type { ModelKernel } from './kernel.ts'
import type { FileView } from './mounts.ts'
import type { Routine } from './routine.ts'
import type { Task } from './task.ts'

/** What a container was given by its security context, as far as programs here ask for it. */
export type Privilege = 'load modules' | 'read the kernel log'

export type Surroundings = {
  readonly clock: Clock
  readonly files: FileView
  readonly kernel: ModelKernel
  /** Reference of the image that the container runs. */
  readonly image: string
  readonly privileges: ReadonlySet<Privilege>
  /** Whether the node, not the container, has this firmware file where the kernel looks. */
  hasFirmware(name: string): boolean
  /** How long modprobe, insmod and rmmod take. */
  readonly moduleMs: number
  readonly programs: ReadonlyMap<string, Program>
  /** Starts a routine beside the caller: a background job. */
  spawn(routine: (task: Task) => Routine<number>): Task
  /** A running program of this container. */
  task(pid: number): Task | undefined
}

export type ProgramContext = {
  readonly surroundings: Surroundings
  readonly task: Task
  readonly directory: string
  readonly environment: ReadonlyMap<string, string>
  /** The rest of standard input. */
  input(): string
  out(text: string): void
  err(text: string): void
  /** Runs another program by its name, for example for xargs. */
  run(argv: readonly string[], input: string): Routine<number>
}

/** @returns its exit code, at once or after it has waited. `argv[0]` is the name under which it was called. */
export type Program = (context: ProgramContext, argv: readonly string[]) => number | Routine<number>
