// insmod, rmmod, lsmod, dmesg, uname; and busybox's own modprobe, which knows no other directory than the host's.
import { errorWords } from '../files.ts'
import { moduleName } from '../kernel.ts'
import type { Routine } from '../routine.ts'
import type { Program, ProgramContext } from '../surroundings.ts'
import { modprobe } from './modprobe.ts'
import { readModuleIndex } from './module-index.ts'
import { parseOptions } from './text.ts'

function* insmod(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const [path = '', ...parameters] = argv.slice(1).filter(word => !/^-[a-z]$/.test(word))
  const { surroundings } = context
  yield { sleepMs: surroundings.moduleMs }
  const entry = surroundings.files.get(path, context.directory)
  if (entry?.kind !== 'ko') {
    context.err(`insmod: ERROR: could not load module ${path}: ${errorWords[entry === undefined ? 'ENOENT' : 'ENOEXEC']}\n`)
    return 1
  }
  const failed = surroundings.privileges.has('load modules')
    ? surroundings.kernel.insert(entry, parameters.join(' '), surroundings.image, name => surroundings.hasFirmware(name))
    : 'EPERM'
  if (failed === undefined) return 0
  const words =
    failed === 'ENOENT' ? 'Unknown symbol in module' : failed === 'ENOEXEC' ? 'Invalid module format' : errorWords[failed]
  context.err(`insmod: ERROR: could not insert module ${path}: ${words}\n`)
  return 1
}

function* rmmod(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const { operands } = parseOptions(argv, '')
  const { kernel, privileges, moduleMs } = context.surroundings
  yield { sleepMs: moduleMs }
  let status = 0
  for (const given of operands) {
    const name = moduleName(given)
    const holders = kernel.holders(name)
    let words: string | undefined
    if (!kernel.loaded.has(name)) words = `Module ${name} is not currently loaded`
    else if (holders.length > 0) words = `Module ${name} is in use by: ${holders.join(' ')}`
    else if (kernel.useCount(name) > 0) words = `Module ${name} is in use`
    else if (!privileges.has('load modules')) words = `could not remove module ${name}: ${errorWords.EPERM}`
    else kernel.remove(name)
    if (words === undefined) continue
    context.err(`rmmod: ERROR: ${words}\n`)
    status = 1
  }
  return status
}

const lsmod: Program = context => {
  const { kernel } = context.surroundings
  context.out('Module                  Size  Used by\n')
  for (const module of [...kernel.loaded.values()].reverse()) {
    const holders = kernel.holders(module.name)
    context.out(
      `${module.name.padEnd(19)} ${'16384'.padStart(8)}  ${kernel.useCount(module.name)}${holders.length === 0 ? '' : ` ${holders.join(',')}`}\n`,
    )
  }
  return 0
}

const dmesg: Program = context => {
  if (!context.surroundings.privileges.has('read the kernel log')) {
    context.err(`dmesg: read kernel buffer failed: ${errorWords.EPERM}\n`)
    return 1
  }
  context.out(context.surroundings.kernel.log.map(line => `${line}\n`).join(''))
  return 0
}

const uname: Program = (context, argv) => {
  const { options } = parseOptions(argv, '')
  context.out(options.has('r') ? `${context.surroundings.kernel.release}\n` : options.has('m') ? 'x86_64\n' : 'Linux\n')
  return 0
}

/** Ignores `-d`: it looks below /lib/modules of its own root (kubelet-facts.md, below the table). */
function* busyboxModprobe(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const { options, operands } = parseOptions(argv, 'd')
  const [name = ''] = operands
  const { files, kernel } = context.surroundings
  const isKnown = readModuleIndex(files, '/', kernel.release).modules.has(moduleName(name))
  if (!isKnown) {
    if (options.has('r') && kernel.loaded.has(moduleName(name))) return yield* rmmod(context, ['rmmod', name])
    context.err(`modprobe: module ${name} not found in modules.dep\n`)
    return 1
  }
  return yield* modprobe(context, ['modprobe', ...(options.has('r') ? ['-r'] : []), ...operands])
}

export const modulePrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['modprobe', modprobe],
  ['insmod', insmod],
  ['rmmod', rmmod],
  ['lsmod', lsmod],
  ['dmesg', dmesg],
  ['uname', uname],
  ['busybox modprobe', busyboxModprobe],
])
