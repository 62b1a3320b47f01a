// Finds a program by PATH and runs it with what the shell gives it.
import { type Entry, normalPath } from '../files.ts'
import type { Routine } from '../routine.ts'
import type { ProgramContext } from '../surroundings.ts'
import { complain, defaultPath, type Shell, writeTo } from './state.ts'

type FoundProgram = { readonly path: string; readonly entry: Entry }

const isRunnable = (entry: Entry | undefined): entry is Entry =>
  entry?.kind === 'binary' || (entry?.kind === 'text' && entry.text.startsWith('#!'))

export function findProgram(shell: Shell, name: string): FoundProgram | undefined {
  const { files } = shell.surroundings
  if (name.includes('/')) {
    const entry = files.get(name, shell.directory)
    return isRunnable(entry) ? { path: normalPath(name, shell.directory), entry } : undefined
  }
  for (const directory of (shell.variables.get('PATH') ?? defaultPath).split(':')) {
    const path = `${directory}/${name}`
    const entry = files.get(path)
    if (isRunnable(entry)) return { path, entry }
  }
  return undefined
}

export function* runProgram(shell: Shell, argv: readonly string[]): Routine<number> {
  const [name = ''] = argv
  const { programs, files } = shell.surroundings
  // busybox's shell prefers its own applets, whatever PATH says.
  const applet = shell.busybox && !name.includes('/') ? programs.get(`busybox ${name}`) : undefined
  const found = applet === undefined ? findProgram(shell, name) : undefined
  if (applet === undefined && found === undefined) {
    const isThere = name.includes('/') && files.get(name, shell.directory) !== undefined
    complain(shell, isThere ? `${name}: Permission denied` : `${name}: not found`)
    return isThere ? 126 : 127
  }
  const program = applet ?? programFor(shell, found?.entry, name)
  const ended =
    program === undefined
      ? 126
      : program(contextOf(shell), found?.entry.kind === 'text' ? ['sh', found.path, ...argv.slice(1)] : argv)
  return typeof ended === 'number' ? ended : yield* ended
}

function programFor(shell: Shell, entry: Entry | undefined, name: string) {
  const { programs } = shell.surroundings
  if (entry?.kind === 'text') return programs.get('sh')
  if (entry?.kind !== 'binary') return undefined
  // A multi-call binary asks for the name it was called by.
  return programs.get(entry.program === 'busybox' ? `busybox ${baseOf(name)}` : entry.program) ?? programs.get(baseOf(name))
}

const baseOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

function contextOf(shell: Shell): ProgramContext {
  return {
    surroundings: shell.surroundings,
    task: shell.task,
    directory: shell.directory,
    environment: new Map([...shell.exported].map(name => [name, shell.variables.get(name) ?? ''])),
    input() {
      const source = shell.descriptors.get(0)?.source
      if (source === undefined) return ''
      const rest = source.text.slice(source.at)
      source.at = source.text.length
      return rest
    },
    out: text => writeTo(shell, 1, text),
    err: text => writeTo(shell, 2, text),
    *run(argv, input) {
      const outer = shell.descriptors
      shell.descriptors = new Map(outer).set(0, { source: { text: input, at: 0 } })
      const status = yield* runProgram(shell, argv)
      shell.descriptors = outer
      return status
    },
  }
}
