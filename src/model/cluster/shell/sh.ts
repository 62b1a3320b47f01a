// The programs `sh` and its kin: `sh -c SCRIPT [NAME [ARGS]]`, or `sh FILE [ARGS]`.
import { textOf } from '../files.ts'
import type { Routine } from '../routine.ts'
import type { Program, ProgramContext } from '../surroundings.ts'
import { runText } from './interpreter.ts'
import { createShell, type Descriptor } from './state.ts'

export const shProgram: Program = (context, argv) => runSh(context, argv, 'plain')
export const busyboxShProgram: Program = (context, argv) => runSh(context, argv, 'busybox')

function* runSh(context: ProgramContext, argv: readonly string[], kind: 'plain' | 'busybox'): Routine<number> {
  const rest = argv.slice(1)
  const letters: string[] = []
  let command: string | undefined
  for (let option = rest[0]; option !== undefined && /^-[a-z]+$/.test(option); option = rest[0]) {
    rest.shift()
    letters.push(...option.slice(1).replace('c', '').split(''))
    if (option.includes('c')) command = rest.shift()
  }
  const file = command === undefined ? rest.shift() : undefined
  const entry = file === undefined ? undefined : context.surroundings.files.get(file, context.directory)
  if (file !== undefined && entry === undefined) {
    context.err(`${argv[0]}: 0: cannot open ${file}: No such file\n`)
    return 2
  }
  const name = command === undefined ? (file ?? argv[0] ?? 'sh') : (rest.shift() ?? argv[0] ?? 'sh')
  const shell = createShell({
    surroundings: context.surroundings,
    task: context.task,
    name,
    busybox: kind === 'busybox',
    descriptors: new Map<number, Descriptor>([
      [0, { source: { text: command === undefined && file === undefined ? '' : context.input(), at: 0 } }],
      [1, { write: (text: string) => context.out(text) }],
      [2, { write: (text: string) => context.err(text) }],
    ]),
    directory: context.directory,
    positional: rest,
    environment: context.environment,
  })
  for (const letter of letters) shell.options.add(letter)
  const outer = context.task.onSignal
  const status = yield* runText(shell, command ?? (entry === undefined ? context.input() : textOf(entry)))
  context.task.onSignal = outer
  return status
}
