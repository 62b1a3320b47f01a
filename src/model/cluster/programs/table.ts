// All programs that an image can hold, by the name in its file's entry.
import type { Routine } from '../routine.ts'
import { busyboxShProgram, shProgram } from '../shell/sh.ts'
import type { Program, ProgramContext } from '../surroundings.ts'
import { filePrograms } from './file-programs.ts'
import { modulePrograms } from './module-programs.ts'
import { textPrograms } from './text.ts'

function* sleep(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }
  let seconds = 0
  for (const word of argv.slice(1)) {
    const [, amount = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?|infinity)([smhd]?)$/.exec(word) ?? []
    if (amount === '') {
      context.err(`sleep: invalid time interval '${word}'\n`)
      return 1
    }
    seconds += amount === 'infinity' ? Number.POSITIVE_INFINITY : Number(amount) * (units[unit] ?? 1)
  }
  yield Number.isFinite(seconds) ? { sleepMs: seconds * 1000 } : {}
  return 0
}

/** `date`, `date +%s`, `date -u +%Y-%m-%dT%H:%M:%SZ`. */
const date: Program = (context, argv) => {
  const now = new Date(context.surroundings.clock.nowMs()).toISOString()
  const format = argv.find(word => word.startsWith('+'))?.slice(1) ?? '%Y-%m-%dT%H:%M:%SZ'
  const parts: Readonly<Record<string, string>> = {
    Y: now.slice(0, 4),
    m: now.slice(5, 7),
    d: now.slice(8, 10),
    H: now.slice(11, 13),
    M: now.slice(14, 16),
    S: now.slice(17, 19),
    F: now.slice(0, 10),
    T: now.slice(11, 19),
    s: String(Math.floor(context.surroundings.clock.nowMs() / 1000)),
    N: now.slice(20, 23).padEnd(9, '0'),
    '%': '%',
  }
  context.out(`${format.replace(/%(.)/g, (all, letter: string) => parts[letter] ?? all)}\n`)
  return 0
}

/** A server: runs until somebody tells it to end, and then ends well. */
function* daemon(): Routine<number> {
  yield { interruptible: true }
  return 0
}

/** `env [NAME=VALUE...] COMMAND`. */
function* env(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const command = argv.slice(1).filter(word => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word))
  if (command.length > 0) return yield* context.run(command, context.input())
  for (const [name, value] of context.environment) context.out(`${name}=${value}\n`)
  return 0
}

/** What a shell does itself exists as a program too. */
const builtin: Program = (context, argv) => shProgram(context, ['sh', '-c', '"$@"', ...argv.slice(0, 1), ...argv])

const ends =
  (code: number): Program =>
  () =>
    code

const basicPrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['sh', shProgram],
  ['sleep', sleep],
  ['date', date],
  ['env', env],
  ['daemon', daemon],
  ['echo', builtin],
  ['printf', builtin],
  ['test', builtin],
  ['[', builtin],
  ['kill', builtin],
  ['true', ends(0)],
  ['false', ends(1)],
  ['sync', ends(0)],
  ['chmod', ends(0)],
  ['chown', ends(0)],
])

const plain: readonly (readonly [string, Program])[] = [...basicPrograms, ...textPrograms, ...filePrograms, ...modulePrograms]

/** By name; under `busybox NAME` what a busybox binary does when it is called NAME. */
export const standardPrograms: ReadonlyMap<string, Program> = new Map([
  ...plain
    .filter(([name]) => name !== 'daemon')
    .map(([name, program]) => [name.startsWith('busybox ') ? name : `busybox ${name}`, program] as const),
  ...plain,
  ['busybox sh', busyboxShProgram],
])
