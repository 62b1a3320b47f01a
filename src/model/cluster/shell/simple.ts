// Simple commands (POSIX XCU 2.9.1): expansion, redirection, then a function, a built-in or a program.
import type { Routine } from '../routine.ts'
import { type Builtin, builtins, specialBuiltins } from './builtins.ts'
import { expandText, expandWords } from './expand.ts'
import { runProgram } from './programs.ts'
import { redirect } from './redirect.ts'
import { complain, type Descriptor, type Interpreter, own, type Shell, ShellFailure, setVariable } from './state.ts'
import type { Command, Word } from './syntax.ts'

export function* runSimple(shell: Shell, run: Interpreter, command: Extract<Command, { kind: 'simple' }>): Routine<void> {
  shell.line = command.line
  shell.substitutionStatus = 0
  const argv = yield* expandWords(shell, command.words, run.substitute)
  const [name] = argv
  const assigned = yield* expandAssignments(shell, run, command.assignments)
  if (name === undefined) {
    const opened = yield* redirect(shell, command.redirections, run.substitute)
    if (typeof opened === 'string') {
      complain(shell, opened)
      shell.status = 2
      return
    }
    for (const [key, value] of assigned) setVariable(shell, key, value)
    shell.status = shell.substitutionStatus
    return
  }
  if (shell.options.has('x')) shell.descriptors.get(2)?.write?.(`+ ${argv.join(' ')}\n`)
  const isSpecial = specialBuiltins.has(name) && !shell.functions.has(name)
  if (isSpecial) for (const [key, value] of assigned) setVariable(shell, key, value)
  const inner =
    command.redirections.length === 0 ? shell.descriptors : yield* redirect(shell, command.redirections, run.substitute)
  if (typeof inner === 'string') {
    // A failed redirection of a special built-in ends the shell (decisions.md 13).
    if (isSpecial) throw new ShellFailure(inner)
    complain(shell, inner)
    shell.status = 2
    return
  }
  yield* runNamed(shell, run, name, argv, inner, isSpecial ? [] : assigned)
}

function* expandAssignments(
  shell: Shell,
  run: Interpreter,
  assignments: readonly { readonly name: string; readonly value: Word }[],
): Routine<[string, string][]> {
  const assigned: [string, string][] = []
  for (const { name, value } of assignments) assigned.push([name, yield* expandText(shell, value, run.substitute)])
  return assigned
}

/** A function, a built-in, or a program, in this order; assignments before the command hold for it alone. */
function* runNamed(
  shell: Shell,
  run: Interpreter,
  name: string,
  argv: readonly string[],
  descriptors: Map<number, Descriptor>,
  assigned: readonly [string, string][],
): Routine<void> {
  const outer = shell.descriptors
  const before = assigned.map(([key]) => [key, shell.variables.get(key), shell.exported.has(key)] as const)
  for (const [key, value] of assigned) {
    setVariable(shell, key, value)
    own(shell, 'exported').add(key)
  }
  shell.descriptors = descriptors
  const body = shell.functions.get(name)
  const builtin = builtins.get(name)
  if (body !== undefined) yield* callFunction(shell, run, body, argv)
  else if (builtin !== undefined) shell.status = yield* runBuiltin(shell, run, builtin, argv)
  else shell.status = yield* runProgram(shell, argv)
  // `exec > file` keeps its redirections.
  if (!(name === 'exec' && argv.length === 1)) shell.descriptors = outer
  for (const [key, value, wasExported] of before) {
    if (value === undefined) own(shell, 'variables').delete(key)
    else own(shell, 'variables').set(key, value)
    if (!wasExported) own(shell, 'exported').delete(key)
  }
}

function* runBuiltin(shell: Shell, run: Interpreter, builtin: Builtin, argv: readonly string[]): Routine<number> {
  const ended = builtin(shell, argv, run.source)
  return typeof ended === 'number' ? ended : yield* ended
}

function* callFunction(shell: Shell, run: Interpreter, body: Command, argv: readonly string[]): Routine<void> {
  const { positional, loops } = shell
  shell.positional = argv.slice(1)
  shell.loops = 0
  shell.locals.push(new Map())
  yield* run.command(shell, body)
  for (const [name, value] of shell.locals.pop() ?? []) {
    if (value === undefined) own(shell, 'variables').delete(name)
    else own(shell, 'variables').set(name, value)
  }
  shell.positional = positional
  shell.loops = loops
  if (shell.flow?.kind === 'return') shell.flow = undefined
}
