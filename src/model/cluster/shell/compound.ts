// Conditions and loops (POSIX XCU 2.9.4).
import type { Routine } from '../routine.ts'
import { expandChunks, expandText } from './expand.ts'
import { matchesPattern } from './pattern.ts'
import { countCommand, type Interpreter, type Shell } from './state.ts'
import type { Command, Script } from './syntax.ts'

function* runTested(shell: Shell, run: Interpreter, condition: Script): Routine<boolean> {
  shell.tested++
  yield* run.script(shell, condition)
  shell.tested--
  return shell.status === 0
}

export function* runIf(shell: Shell, run: Interpreter, command: Extract<Command, { kind: 'if' }>): Routine<void> {
  for (const { condition, body } of command.branches) {
    const isTrue = yield* runTested(shell, run, condition)
    if (shell.flow !== undefined) return
    if (isTrue) {
      yield* run.script(shell, body)
      return
    }
  }
  shell.status = 0
  if (command.otherwise !== undefined) yield* run.script(shell, command.otherwise)
}

export function* runLoop(shell: Shell, run: Interpreter, command: Extract<Command, { kind: 'loop' }>): Routine<void> {
  let status = 0
  shell.loops++
  for (;;) {
    countCommand(shell)
    const isTrue = yield* runTested(shell, run, command.condition)
    if (leavesLoop(shell)) break
    if (isTrue === command.until) {
      shell.status = status
      break
    }
    yield* run.script(shell, command.body)
    status = shell.status
    if (leavesLoop(shell)) break
  }
  shell.loops--
}

export function* iterate(shell: Shell, values: readonly string[], body: (value: string) => Routine<void>): Routine<void> {
  shell.loops++
  for (const value of values) {
    yield* body(value)
    if (leavesLoop(shell)) break
  }
  shell.loops--
}

/** Takes one level off a `break` or `continue`. */
function leavesLoop(shell: Shell): boolean {
  const { flow } = shell
  if (flow === undefined) return false
  if (flow.kind === 'exit' || flow.kind === 'return') return true
  const isHere = flow.levels <= 1
  shell.flow = isHere ? undefined : { kind: flow.kind, levels: flow.levels - 1 }
  return !isHere || flow.kind === 'break'
}

export function* runCase(shell: Shell, run: Interpreter, command: Extract<Command, { kind: 'case' }>): Routine<void> {
  const text = yield* expandText(shell, command.word, run.substitute)
  shell.status = 0
  for (const { patterns, body } of command.branches) {
    for (const pattern of patterns) {
      if (!matchesPattern(text, yield* expandChunks(shell, pattern, run.substitute))) continue
      yield* run.script(shell, body)
      return
    }
  }
}
