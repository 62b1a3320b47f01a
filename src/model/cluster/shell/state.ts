// What a running shell remembers.
import type { Routine } from '../routine.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Signal, Task } from '../task.ts'
import type { Command, Script } from './syntax.ts'

/** Where a file descriptor leads. Reading shares one place, so that `read` takes line after line. */
export type Descriptor = {
  readonly source?: { text: string; at: number }
  readonly write?: (text: string) => void
}

export type Flow =
  | { readonly kind: 'exit' }
  | { readonly kind: 'return' }
  | { readonly kind: 'break' | 'continue'; readonly levels: number }

type Copied = 'variables' | 'exported' | 'readonlyNames' | 'functions' | 'options'

export type Shell = {
  /** What still belongs to the parent of this subshell. */
  readonly borrowed: Set<Copied>
  readonly surroundings: Surroundings
  readonly task: Task
  /** `$$`: of the first shell, also in its subshells. */
  readonly pid: number
  /** `$0`. */
  readonly name: string
  readonly busybox: boolean
  variables: Map<string, string>
  exported: Set<string>
  readonlyNames: Set<string>
  functions: Map<string, Command>
  positional: readonly string[]
  directory: string
  descriptors: Map<number, Descriptor>
  /** `set -e`, `-u`, `-f`, `-x` by their letter. */
  options: Set<string>
  traps: Map<string, string>
  pendingSignals: Signal[]
  jobs: Task[]
  /** `$?` */
  status: number
  /** Of the last command substitution of the current command. */
  substitutionStatus: number
  /** Set while a `break`, `return` or `exit` unwinds. */
  flow: Flow | undefined
  /** How many enclosing conditions keep `set -e` from acting. */
  tested: number
  loops: number
  /** Variables to restore at the end of each running function. */
  locals: Map<string, string | undefined>[]
  line: number
  /** Commands since the clock last moved: a script must not spin for ever. */
  readonly spin: { atMs: number; count: number }
}

const spinLimit = 200_000

export function createShell(
  options: Pick<Shell, 'surroundings' | 'task' | 'name' | 'busybox' | 'descriptors' | 'directory' | 'positional'> & {
    readonly environment: ReadonlyMap<string, string>
  },
): Shell {
  const { environment, ...rest } = options
  return {
    ...rest,
    borrowed: new Set(),
    pid: rest.task.pid,
    variables: new Map([['IFS', ' \t\n'], ['PATH', defaultPath], ...environment]),
    exported: new Set(environment.keys()),
    readonlyNames: new Set(),
    functions: new Map(),
    options: new Set(),
    traps: new Map(),
    pendingSignals: [],
    jobs: [],
    status: 0,
    substitutionStatus: 0,
    flow: undefined,
    tested: 0,
    loops: 0,
    locals: [],
    line: 1,
    spin: { atMs: 0, count: 0 },
  }
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The field, to be written to: a subshell copies what it borrowed from its parent when it first writes. The parent stands still
 * meanwhile; background jobs, beside which it goes on, must own everything at once.
 */
export function own<F extends Copied>(shell: Shell, field: F): Shell[F] {
  if (shell.borrowed.delete(field)) {
    if (field === 'variables') shell.variables = new Map(shell.variables)
    else if (field === 'functions') shell.functions = new Map(shell.functions)
    else if (field === 'exported') shell.exported = new Set(shell.exported)
    else if (field === 'readonlyNames') shell.readonlyNames = new Set(shell.readonlyNames)
    else shell.options = new Set(shell.options)
  }
  return shell[field]
}

export function ownEverything(shell: Shell): void {
  for (const field of Array.from(shell.borrowed)) own(shell, field)
}

/** A subshell: everything is copied, traps are forgotten (POSIX XCU 2.12). */
export function forkShell(shell: Shell, task: Task = shell.task): Shell {
  return {
    ...shell,
    task,
    borrowed: new Set(['variables', 'exported', 'readonlyNames', 'functions', 'options']),
    descriptors: new Map(shell.descriptors),
    traps: new Map([...shell.traps].filter(([, action]) => action === '')),
    pendingSignals: [],
    jobs: [],
    flow: undefined,
    loops: 0,
    locals: shell.locals.map(saved => new Map(saved)),
  }
}

/** Throws when a script runs on and on without letting time pass: in the model that would never end. */
export function countCommand(shell: Shell): void {
  const nowMs = shell.surroundings.clock.nowMs()
  if (shell.spin.atMs !== nowMs) {
    shell.spin.atMs = nowMs
    shell.spin.count = 0
  }
  if (++shell.spin.count > spinLimit)
    throw new Error(`A script of image ${shell.surroundings.image} spins: ${spinLimit} commands without a pause`)
}

export function getVariable(shell: Shell, name: string): string | undefined {
  switch (name) {
    case '?':
      return String(shell.status)
    case '$':
      return String(shell.pid)
    case '!':
      return shell.jobs.length === 0 ? undefined : String(shell.jobs.at(-1)?.pid)
    case '#':
      return String(shell.positional.length)
    case '-':
      return [...shell.options].join('')
    case '0':
      return shell.name
    case '@':
    case '*':
      return shell.positional.length === 0 ? undefined : shell.positional.join(name === '*' ? ifsOf(shell).charAt(0) : ' ')
    default:
      return /^[0-9]/.test(name) ? shell.positional[Number(name) - 1] : shell.variables.get(name)
  }
}

export const ifsOf = (shell: Shell): string => shell.variables.get('IFS') ?? ' \t\n'

/** A failure of the shell itself: its words on standard error; a non-interactive shell ends with 2 (POSIX XCU 2.8.1). */
export class ShellFailure extends Error {}

export function setVariable(shell: Shell, name: string, value: string): void {
  if (shell.readonlyNames.has(name)) throw new ShellFailure(`${name}: is read only`)
  own(shell, 'variables').set(name, value)
}

export function writeTo(shell: Shell, fd: number, text: string): void {
  shell.descriptors.get(fd)?.write?.(text)
}

/** In dash's form, for example `sh: 1: foo: not found`. */
export function complain(shell: Shell, message: string): void {
  writeTo(shell, 2, `${shell.name}: ${shell.line}: ${message}\n`)
}

/** What runs a script in a shell; expansion needs it for `$(...)`. */
export type RunScript = (shell: Shell, script: Script) => Routine<number>

/** What the parts of the interpreter need of each other. */
export type Interpreter = {
  readonly script: RunScript
  /** Runs in a subshell; what it wrote, without the newlines at its end. */
  readonly substitute: (shell: Shell, script: Script) => Routine<string>
  /** Parses and runs text in this very shell. */
  readonly source: (shell: Shell, text: string) => Routine<number>
  readonly command: (shell: Shell, command: Command) => Routine<void>
}
