// Commands that the shell does itself (dash's list, POSIX XCU 2.14 and 4).
import { textOf } from '../files.ts'
import type { Routine } from '../routine.ts'
import { type Signal, signalNumbers } from '../task.ts'
import { echo, print, read } from './input-output.ts'
import { findProgram, runProgram } from './programs.ts'
import { complain, type Flow, own, type Shell, ShellFailure, setVariable, writeTo } from './state.ts'
import { evaluateTest } from './test-command.ts'

export type Builtin = (
  shell: Shell,
  argv: readonly string[],
  runSource: (shell: Shell, text: string) => Routine<number>,
) => number | Routine<number>

/** Their failures end a non-interactive shell (POSIX XCU 2.14, 2.8.1). */
export const specialBuiltins: ReadonlySet<string> = new Set([
  ':',
  '.',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'trap',
  'unset',
])

const isName = (text: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)

function leave(shell: Shell, argv: readonly string[], kind: 'exit' | 'return'): number {
  const [, code] = argv
  if (code !== undefined && !/^[0-9]+$/.test(code)) throw new ShellFailure(`${kind}: Illegal number: ${code}`)
  shell.status = code === undefined ? shell.status : Number(code) % 256
  shell.flow = { kind }
  return shell.status
}

function leaveLoops(shell: Shell, argv: readonly string[], kind: 'break' | 'continue'): number {
  const levels = Math.min(Number(argv[1] ?? 1), shell.loops)
  if (levels > 0) shell.flow = { kind, levels } satisfies Flow
  return 0
}

function declare(shell: Shell, argv: readonly string[], mark: Set<string>): number {
  for (const argument of argv.slice(1)) {
    if (argument === '-p') continue
    const [name = '', ...rest] = argument.split('=')
    if (!isName(name)) throw new ShellFailure(`${argv[0]}: ${name}: bad variable name`)
    if (argument.includes('=')) setVariable(shell, name, rest.join('='))
    mark.add(name)
  }
  return 0
}

function local(shell: Shell, argv: readonly string[]): number {
  const saved = shell.locals.at(-1)
  if (saved === undefined) throw new ShellFailure('local: not in a function')
  for (const argument of argv.slice(1)) {
    const [name = '', ...rest] = argument.split('=')
    if (!saved.has(name)) saved.set(name, shell.variables.get(name))
    if (argument.includes('=')) setVariable(shell, name, rest.join('='))
  }
  return 0
}

function setOptions(shell: Shell, argv: readonly string[]): number {
  const rest = argv.slice(1)
  for (let argument = rest[0]; argument !== undefined && /^[-+]/.test(argument); argument = rest[0]) {
    rest.shift()
    if (argument === '--') {
      shell.positional = rest
      return 0
    }
    const letters = argument === '-o' || argument === '+o' ? longOption(rest.shift() ?? '') : argument.slice(1)
    for (const letter of letters) {
      if (argument.startsWith('-')) own(shell, 'options').add(letter)
      else own(shell, 'options').delete(letter)
    }
  }
  if (rest.length > 0) shell.positional = rest
  return 0
}

const longOption = (name: string): string => ({ errexit: 'e', nounset: 'u', noglob: 'f', xtrace: 'x' })[name] ?? ''

function trap(shell: Shell, argv: readonly string[]): number {
  const [first, ...rest] = argv.slice(1).filter((argument, index) => !(index === 0 && argument === '--'))
  if (first === undefined) {
    for (const [name, action] of shell.traps) writeTo(shell, 1, `trap -- '${action.replaceAll("'", "'\\''")}' ${name}\n`)
    return 0
  }
  const isReset = first === '-' || rest.length === 0
  for (const given of rest.length === 0 ? [first] : rest) {
    const name = signalName(given)
    if (name === undefined) {
      complain(shell, `trap: ${given}: bad trap`)
      return 1
    }
    if (isReset) shell.traps.delete(name)
    else shell.traps.set(name, first)
  }
  return 0
}

function signalName(given: string): Signal | 'EXIT' | undefined {
  const name = given.toUpperCase().replace(/^SIG/, '')
  if (name === 'EXIT' || name === '0') return 'EXIT'
  if (Object.hasOwn(signalNumbers, name)) return name as Signal
  return (Object.keys(signalNumbers) as Signal[]).find(signal => String(signalNumbers[signal]) === name)
}

function* wait(shell: Shell, argv: readonly string[]): Routine<number> {
  const pids = argv.slice(1)
  const jobs = pids.length === 0 ? shell.jobs : shell.jobs.filter(job => pids.includes(String(job.pid)))
  let status = pids.length > 0 && jobs.length === 0 ? 127 : 0
  for (const job of jobs) {
    while (job.exitCode === undefined) {
      const resumed = yield { until: job.exited, interruptible: true }
      // A signal with a trap ends `wait` at once; the trap runs after it (POSIX XCU 2.11).
      if (resumed === 'interrupted') return 128 + signalNumbers[shell.pendingSignals[0] ?? 'TERM']
    }
    if (pids.length > 0) status = job.exitCode ?? 0
  }
  return status
}

function kill(shell: Shell, argv: readonly string[]): number {
  const rest = argv.slice(1)
  let signal: Signal | 'EXIT' | undefined = 'TERM'
  const [first = ''] = rest
  if (first.startsWith('-')) {
    rest.shift()
    signal = signalName(first === '-s' ? (rest.shift() ?? '') : first.slice(1))
  }
  let status = 0
  for (const pid of rest) {
    const task = shell.surroundings.task(Number(pid))
    if (task === undefined || signal === undefined) {
      complain(shell, `kill: No such process`)
      status = 1
    } else if (signal !== 'EXIT') task.signal(signal)
  }
  return status
}

function changeDirectory(shell: Shell, argv: readonly string[]): number {
  const target = argv.slice(1).find(argument => argument !== '--') ?? shell.variables.get('HOME') ?? '/'
  const { files } = shell.surroundings
  if (files.get(target, shell.directory)?.kind !== 'directory') {
    complain(shell, `cd: can't cd to ${target}`)
    return 2
  }
  shell.directory = files.resolve(target, shell.directory)
  own(shell, 'variables').set('PWD', shell.directory)
  return 0
}

function* command(shell: Shell, argv: readonly string[], runSource: Parameters<Builtin>[2]): Routine<number> {
  const rest = argv.slice(1)
  if (rest[0] === '-v' || rest[0] === '-V') {
    const [, name = ''] = rest
    const found = builtins.has(name) || shell.functions.has(name) ? name : findProgram(shell, name)?.path
    if (found === undefined) return 127
    writeTo(shell, 1, `${found}\n`)
    return 0
  }
  const builtin = builtins.get(rest[0] ?? '')
  if (rest.length === 0) return 0
  if (builtin === undefined) return yield* runProgram(shell, rest)
  const ended = builtin(shell, rest, runSource)
  return typeof ended === 'number' ? ended : yield* ended
}

function* exec(shell: Shell, argv: readonly string[]): Routine<number> {
  if (argv.length === 1) return 0
  shell.traps.clear()
  shell.status = yield* runProgram(shell, argv.slice(1))
  shell.flow = { kind: 'exit' }
  return shell.status
}

function* source(shell: Shell, argv: readonly string[], runSource: Parameters<Builtin>[2]): Routine<number> {
  const [, path = ''] = argv
  const entry = shell.surroundings.files.get(path, shell.directory)
  if (entry === undefined) throw new ShellFailure(`.: cannot open ${path}: No such file`)
  const status = yield* runSource(shell, textOf(entry))
  if (shell.flow?.kind === 'return') shell.flow = undefined
  return status
}

function unset(shell: Shell, argv: readonly string[]): number {
  const isFunction = argv[1] === '-f'
  for (const name of argv.slice(1)) {
    if (isFunction) own(shell, 'functions').delete(name)
    else if (shell.readonlyNames.has(name)) throw new ShellFailure(`unset: ${name}: is read only`)
    else own(shell, 'variables').delete(name)
  }
  return 0
}

function shift(shell: Shell, argv: readonly string[]): number {
  const count = Number(argv[1] ?? 1)
  if (count > shell.positional.length) throw new ShellFailure("shift: can't shift that many")
  shell.positional = shell.positional.slice(count)
  return 0
}

export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [':', () => 0],
  ['true', () => 0],
  ['false', () => 1],
  ['.', source],
  ['break', (shell, argv) => leaveLoops(shell, argv, 'break')],
  ['continue', (shell, argv) => leaveLoops(shell, argv, 'continue')],
  ['cd', changeDirectory],
  ['command', command],
  ['echo', echo],
  ['eval', (shell, argv, runSource) => (argv.length === 1 ? 0 : runSource(shell, argv.slice(1).join(' ')))],
  ['exec', exec],
  ['exit', (shell, argv) => leave(shell, argv, 'exit')],
  ['export', (shell, argv) => declare(shell, argv, own(shell, 'exported'))],
  ['kill', kill],
  ['local', local],
  ['printf', print],
  [
    'pwd',
    shell => {
      writeTo(shell, 1, `${shell.directory}\n`)
      return 0
    },
  ],
  ['read', read],
  ['readonly', (shell, argv) => declare(shell, argv, own(shell, 'readonlyNames'))],
  ['return', (shell, argv) => leave(shell, argv, 'return')],
  ['set', setOptions],
  ['shift', shift],
  ['test', (shell, argv) => evaluateTest(shell, argv.slice(1))],
  ['[', (shell, argv) => evaluateTest(shell, argv.at(-1) === ']' ? argv.slice(1, -1) : ['[', 'missing ]'])],
  ['trap', trap],
  ['type', (shell, argv) => (builtins.has(argv[1] ?? '') || findProgram(shell, argv[1] ?? '') !== undefined ? 0 : 127)],
  ['umask', () => 0],
  ['unset', unset],
  ['wait', wait],
])
