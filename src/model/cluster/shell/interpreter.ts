// Runs scripts: lists, pipelines, conditions, loops, functions, traps (POSIX XCU 2.9, 2.14), as dash does.
import type { Routine } from '../routine.ts'
import type { Signal, Task } from '../task.ts'
import { iterate, runCase, runIf, runLoop } from './compound.ts'
import { expandWords } from './expand.ts'
import { parseScript } from './parser.ts'
import { redirect } from './redirect.ts'
import { runSimple } from './simple.ts'
import {
  complain,
  countCommand,
  forkShell,
  type Interpreter,
  own,
  ownEverything,
  type Shell,
  ShellFailure,
  setVariable,
} from './state.ts'
import { type AndOr, type Command, type Pipeline, type Redirection, type Script, SyntaxProblem } from './syntax.ts'

/** The whole life of `sh -c TEXT`: parses, runs, runs the EXIT trap. @returns the exit code. */
export function* runText(shell: Shell, text: string): Routine<number> {
  shell.task.onSignal = signal => receive(shell, signal)
  const status = yield* guarded(shell, runSource(shell, text))
  shell.flow = undefined
  const action = shell.traps.get('EXIT')
  if (action === undefined || action === '') return status
  shell.traps.delete('EXIT')
  shell.status = status
  yield* guarded(shell, runSource(shell, action))
  return shell.flow === undefined ? status : shell.status
}

/** Parses and runs in this very shell, as `eval`, `.` and traps do. */
export function* runSource(shell: Shell, text: string): Routine<number> {
  let script: Script
  try {
    script = parseScript(text)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    shell.line = error.line
    throw new ShellFailure(error.message)
  }
  return yield* runScript(shell, script)
}

/** A failure of the shell itself ends this shell with status 2. */
function* guarded(shell: Shell, body: Routine<number>): Routine<number> {
  try {
    return yield* body
  } catch (error) {
    if (!(error instanceof ShellFailure)) throw error
    complain(shell, error.message)
    shell.status = 2
    return 2
  }
}

/** A signal for a shell: ignored, kept for its trap, or left to the kernel. */
function receive(shell: Shell, signal: Signal): 'done' | 'default' {
  const action = shell.traps.get(signal)
  if (action === undefined) return 'default'
  if (action !== '') {
    shell.pendingSignals.push(signal)
    shell.task.interrupt()
  }
  return 'done'
}

function* runScript(shell: Shell, script: Script): Routine<number> {
  for (const andOr of script) {
    if (andOr.background) startJob(shell, andOr)
    else yield* runAndOr(shell, andOr)
    while (shell.pendingSignals.length > 0 && shell.flow === undefined) yield* runTrap(shell)
    if (shell.flow !== undefined) break
  }
  return shell.status
}

function* runTrap(shell: Shell): Routine<void> {
  const signal = shell.pendingSignals.shift()
  const action = signal === undefined ? undefined : shell.traps.get(signal)
  if (action === undefined || action === '') return
  const { status } = shell
  yield* runSource(shell, action)
  if (shell.flow === undefined) shell.status = status
}

function startJob(shell: Shell, andOr: AndOr): void {
  const job = shell.surroundings.spawn(task => runJob(shell, { ...andOr, background: false }, task))
  shell.jobs.push(job)
  shell.status = 0
}

function* runJob(parent: Shell, andOr: AndOr, task: Task): Routine<number> {
  const shell = forkShell(parent, task)
  ownEverything(shell)
  shell.descriptors.set(0, { source: { text: '', at: 0 } })
  task.onSignal = signal => receive(shell, signal)
  return yield* guarded(shell, runScript(shell, [andOr]))
}

function* runAndOr(shell: Shell, { first, rest }: AndOr): Routine<void> {
  let last = first
  const tested = rest.length > 0 ? 1 : 0
  shell.tested += tested
  yield* runPipeline(shell, first)
  for (const [index, { when, pipeline }] of rest.entries()) {
    if (shell.flow !== undefined) break
    if ((when === '&&') !== (shell.status === 0)) continue
    if (index === rest.length - 1) shell.tested -= tested
    yield* runPipeline(shell, pipeline)
    if (index === rest.length - 1) shell.tested += tested
    last = pipeline
  }
  shell.tested -= tested
  const wasLast = rest.length === 0 || last === rest.at(-1)?.pipeline
  if (
    shell.status !== 0 &&
    shell.options.has('e') &&
    shell.tested === 0 &&
    wasLast &&
    !last.negated &&
    shell.flow === undefined
  ) {
    shell.flow = { kind: 'exit' }
  }
}

function* runPipeline(shell: Shell, { negated, commands }: Pipeline): Routine<void> {
  if (negated) shell.tested++
  const [only] = commands
  if (commands.length === 1 && only !== undefined) yield* runCommand(shell, only)
  else yield* runPiped(shell, commands)
  if (!negated) return
  shell.tested--
  if (shell.flow === undefined) shell.status = shell.status === 0 ? 1 : 0
}

/** Each command runs to its end before the next one starts with what it wrote: no command here writes without end. */
function* runPiped(shell: Shell, commands: readonly Command[]): Routine<void> {
  let input = shell.descriptors.get(0)
  for (const [index, command] of commands.entries()) {
    const child = forkShell(shell)
    let text = ''
    if (input !== undefined) child.descriptors.set(0, input)
    if (index < commands.length - 1) child.descriptors.set(1, { write: more => void (text += more) })
    shell.status = yield* guarded(child, runOne(child, command))
    input = { source: { text, at: 0 } }
  }
}

function* runOne(shell: Shell, command: Command): Routine<number> {
  yield* runCommand(shell, command)
  return shell.status
}

function* substitute(shell: Shell, script: Script): Routine<string> {
  const child = forkShell(shell)
  let text = ''
  child.descriptors.set(1, { write: more => void (text += more) })
  const status = yield* guarded(child, runScript(child, script))
  shell.substitutionStatus = status
  return text.replace(/\n+$/, '')
}

function* runCommand(shell: Shell, command: Command): Routine<void> {
  countCommand(shell)
  if (command.kind === 'simple') {
    yield* runSimple(shell, interpreter, command)
    return
  }
  if (command.kind === 'function') {
    own(shell, 'functions').set(command.name, command.body)
    shell.status = 0
    return
  }
  if (command.redirections.length === 0) {
    yield* runCompound(shell, command)
    return
  }
  const failed = yield* withRedirections(shell, command.redirections, () => runCompound(shell, command))
  if (failed === undefined) return
  complain(shell, failed)
  shell.status = 2
}

/** Runs with the redirections in force, then restores; returns the words about a redirection that failed. */
function* withRedirections(
  shell: Shell,
  redirections: readonly Redirection[],
  body: () => Routine<void>,
): Routine<string | undefined> {
  const outer = shell.descriptors
  const inner = yield* redirect(shell, redirections, substitute)
  if (typeof inner === 'string') return inner
  shell.descriptors = inner
  yield* body()
  shell.descriptors = outer
  return undefined
}

function* runCompound(shell: Shell, command: Exclude<Command, { kind: 'simple' | 'function' }>): Routine<void> {
  switch (command.kind) {
    case 'group':
      yield* runScript(shell, command.body)
      return
    case 'subshell':
      shell.status = yield* runSubshell(shell, command.body)
      return
    case 'if':
      yield* runIf(shell, interpreter, command)
      return
    case 'loop':
      yield* runLoop(shell, interpreter, command)
      return
    case 'for': {
      const values = command.words === undefined ? shell.positional : yield* expandWords(shell, command.words, substitute)
      shell.status = 0
      yield* iterate(shell, values, function* (value) {
        setVariable(shell, command.name, value)
        yield* runScript(shell, command.body)
      })
      return
    }
    case 'case':
      yield* runCase(shell, interpreter, command)
  }
}

function* runSubshell(shell: Shell, body: Script): Routine<number> {
  const child = forkShell(shell)
  const status = yield* guarded(child, runScript(child, body))
  const action = child.traps.get('EXIT')
  if (action === undefined || action === '') return status
  child.flow = undefined
  yield* guarded(child, runSource(child, action))
  return status
}

const interpreter: Interpreter = { script: runScript, substitute, source: runSource, command: runCommand }
