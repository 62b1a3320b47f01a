// Programs on files: cp, mv, rm, rmdir, mkdir, touch, ls, ln, find, xargs, basename, dirname.
import { baseName, type Errno, errorWords, parentOf } from '../files.ts'
import type { Routine } from '../routine.ts'
import type { Program, ProgramContext } from '../surroundings.ts'
import { parseOptions } from './text.ts'

const complain = (context: ProgramContext, words: string, errno: Errno): 1 => {
  context.err(`${words}: ${errorWords[errno]}\n`)
  return 1
}

const cp: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, 't')
  const sources = options.has('t') ? operands : operands.slice(0, -1)
  const target = options.get('t') ?? operands.at(-1)
  if (target === undefined || sources.length === 0) {
    context.err('cp: missing file operand\n')
    return 1
  }
  const isRecursive = options.has('r') || options.has('R') || options.has('a')
  const isDirectory = context.surroundings.files.get(target, context.directory)?.kind === 'directory'
  if (sources.length > 1 && !isDirectory) {
    context.err(`cp: target '${target}': ${errorWords.ENOTDIR}\n`)
    return 1
  }
  let status = 0
  for (const source of sources) {
    const name = source.replace(/\/+$/, '')
    const into = isDirectory && !name.endsWith('/.') && name !== '.' ? `${target.replace(/\/$/, '')}/${baseName(name)}` : target
    status = copy(context, name, into, isRecursive) || status
  }
  return status
}

function copy(context: ProgramContext, source: string, target: string, isRecursive: boolean): 0 | 1 {
  const { files } = context.surroundings
  const entry = files.get(source, context.directory)
  if (entry === undefined) return complain(context, `cp: cannot stat '${source}'`, 'ENOENT')
  if (entry.kind !== 'directory') {
    const failed = files.write(target, entry, context.directory)
    return failed === undefined ? 0 : complain(context, `cp: cannot create regular file '${target}'`, failed)
  }
  if (!isRecursive) {
    context.err(`cp: -r not specified; omitting directory '${source}'\n`)
    return 1
  }
  if (files.get(target, context.directory) === undefined) {
    const failed = files.write(target, entry, context.directory)
    if (failed !== undefined) return complain(context, `cp: cannot create directory '${target}'`, failed)
  }
  let status: 0 | 1 = 0
  for (const name of files.list(source, context.directory) ?? []) {
    if (copy(context, `${source}/${name}`, `${target}/${name}`, isRecursive) === 1) status = 1
  }
  return status
}

const mv: Program = (context, argv) => {
  const { operands } = parseOptions(argv, '')
  const [source = '', target = ''] = operands
  const { files } = context.surroundings
  const into = files.get(target, context.directory)?.kind === 'directory' ? `${target}/${baseName(source)}` : target
  return copy(context, source, into, true) === 1 ? 1 : remove(context, source, 'mv', true)
}

/** `-d` of GNU rm also removes empty directories. */
const rm: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, '')
  const isForced = options.has('f')
  let status = 0
  for (const operand of operands) {
    const { files } = context.surroundings
    const entry = files.link(operand, context.directory) === undefined ? files.get(operand, context.directory) : undefined
    const isMissing = entry === undefined && files.link(operand, context.directory) === undefined
    if (isMissing && isForced) continue
    const isRecursive = options.has('r') || options.has('R')
    if (/(^|\/)\.\.?$/.test(operand) && entry?.kind === 'directory') {
      context.err(`rm: refusing to remove '.' or '..' directory: skipping '${operand}'\n`)
      status = 1
    } else if (entry?.kind === 'directory' && !isRecursive && !options.has('d')) {
      status = complain(context, `rm: cannot remove '${operand}'`, 'EISDIR')
    } else status = remove(context, operand, 'rm', isRecursive) || status
  }
  return status
}

function remove(context: ProgramContext, path: string, program: string, isRecursive: boolean): 0 | 1 {
  const { files } = context.surroundings
  if (isRecursive && files.link(path, context.directory) === undefined) {
    for (const name of files.list(path, context.directory) ?? []) remove(context, `${path}/${name}`, program, true)
  }
  const failed = files.remove(path, context.directory)
  return failed === undefined ? 0 : complain(context, `${program}: cannot remove '${path}'`, failed)
}

const rmdir: Program = (context, argv) => {
  let status = 0
  for (const operand of parseOptions(argv, '').operands) {
    const { files } = context.surroundings
    const kind = files.get(operand, context.directory)?.kind
    const failed = kind !== undefined && kind !== 'directory' ? 'ENOTDIR' : files.remove(operand, context.directory)
    if (failed !== undefined) status = complain(context, `rmdir: failed to remove '${operand}'`, failed)
  }
  return status
}

const mkdir: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, 'm')
  let status = 0
  for (const operand of operands) {
    const failed = makeDirectory(context, operand, options.has('p'))
    if (failed !== undefined) status = complain(context, `mkdir: cannot create directory '${operand}'`, failed)
  }
  return status
}

function makeDirectory(context: ProgramContext, path: string, withParents: boolean): Errno | undefined {
  const { files } = context.surroundings
  const existing = files.get(path, context.directory)
  if (existing !== undefined) return withParents && existing.kind === 'directory' ? undefined : 'EEXIST'
  const slash = path.replace(/\/+$/, '').lastIndexOf('/')
  const failed = withParents && slash > 0 ? makeDirectory(context, path.slice(0, slash), true) : undefined
  return failed ?? files.write(path, { kind: 'directory' }, context.directory)
}

const touch: Program = (context, argv) => {
  let status = 0
  for (const operand of parseOptions(argv, 'dr').operands) {
    const { files } = context.surroundings
    if (files.get(operand, context.directory) !== undefined) continue
    const failed = files.write(operand, { kind: 'text', text: '' }, context.directory)
    if (failed !== undefined) status = complain(context, `touch: cannot touch '${operand}'`, failed)
  }
  return status
}

const ln: Program = (context, argv) => {
  const [target = '', path = ''] = parseOptions(argv, '').operands
  const { files } = context.surroundings
  const failed = files.write(path, { kind: 'link', target }, context.directory)
  return failed === undefined ? 0 : complain(context, `ln: failed to create symbolic link '${path}'`, failed)
}

const ls: Program = (context, argv) => {
  const { operands } = parseOptions(argv, '')
  let status = 0
  for (const operand of operands.length === 0 ? ['.'] : operands) {
    const { files } = context.surroundings
    const names = files.list(operand, context.directory)
    if (names !== undefined)
      context.out(
        names
          .filter(name => !name.startsWith('.'))
          .map(name => `${name}\n`)
          .join(''),
      )
    else if (files.get(operand, context.directory) !== undefined) context.out(`${operand}\n`)
    else {
      complain(context, `ls: cannot access '${operand}'`, 'ENOENT')
      status = 2
    }
  }
  return status
}

/** `find [PATH...] [-type f|d|l] [-name PATTERN] [-maxdepth N] [-mindepth N] [-empty] [-depth] [-delete] [-print]`. */
const find: Program = (context, argv) => {
  const words = argv.slice(1)
  const firstTest = words.findIndex(word => word.startsWith('-') || word === '!')
  const paths = firstTest === -1 ? words : words.slice(0, firstTest)
  const tests = firstTest === -1 ? [] : words.slice(firstTest)
  const valueOf = (name: string) => (tests.includes(name) ? tests[tests.indexOf(name) + 1] : undefined)
  const type = valueOf('-type')
  const name = valueOf('-name')
  const expression =
    name === undefined
      ? undefined
      : new RegExp(
          `^${name
            .replace(/[.+^${}()|\\]/g, '\\$&')
            .replaceAll('*', '.*')
            .replaceAll('?', '.')}$`,
        )
  const maxDepth = Number(valueOf('-maxdepth') ?? Number.POSITIVE_INFINITY)
  const minDepth = Number(valueOf('-mindepth') ?? 0)
  const depthFirst = tests.includes('-depth') || tests.includes('-delete')
  const { files } = context.surroundings
  let status = 0
  const visit = (path: string, depth: number): void => {
    const kind = files.link(path, context.directory) === undefined ? files.get(path, context.directory)?.kind : 'link'
    const letter = kind === 'directory' ? 'd' : kind === 'link' ? 'l' : 'f'
    const below = () => {
      if (letter !== 'd' || depth >= maxDepth) return
      for (const child of files.list(path, context.directory) ?? [])
        visit(path.endsWith('/') ? path + child : `${path}/${child}`, depth + 1)
    }
    if (depthFirst) below()
    const isEmpty =
      !tests.includes('-empty') || (letter === 'd' ? (files.list(path, context.directory)?.length ?? 0) === 0 : false)
    if (
      (type === undefined || type === letter) &&
      (expression === undefined || expression.test(baseName(path))) &&
      depth >= minDepth &&
      isEmpty
    ) {
      if (!tests.includes('-delete')) context.out(`${path}\n`)
      else if (files.remove(path, context.directory) !== undefined) status = 1
    }
    if (!depthFirst) below()
  }
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (files.get(path, context.directory) === undefined && files.link(path, context.directory) === undefined)
      status = complain(context, `find: '${path}'`, 'ENOENT')
    else visit(path, 0)
  }
  return status
}

/** `xargs [-I STRING] [-n N] [-r] COMMAND...`: 123 if a command failed (GNU). */
function* xargs(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const { options, operands } = parseOptions(argv, 'InLd')
  const input = context.input()
  const replace = options.get('I')
  const items =
    replace === undefined ? input.split(/\s+/).filter(item => item !== '') : input.split('\n').filter(item => item !== '')
  const command = operands.length === 0 ? ['echo'] : operands
  const size = replace === undefined ? Number(options.get('n') ?? Math.max(1, items.length)) : 1
  let status = 0
  for (let at = 0; at < items.length; at += size) {
    const batch = items.slice(at, at + size)
    const words = replace === undefined ? [...command, ...batch] : command.map(word => word.replaceAll(replace, batch[0] ?? ''))
    if ((yield* context.run(words, '')) !== 0) status = 123
  }
  return status
}

const pathPart =
  (part: (path: string) => string): Program =>
  (context, [, path = '', suffix = '']) => {
    const text = part(path.length > 1 ? path.replace(/\/+$/, '') : path)
    context.out(`${suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text}\n`)
    return 0
  }

const readlink: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, '')
  const [path = ''] = operands
  const { files } = context.surroundings
  const found = options.has('f') ? files.resolve(path, context.directory) : files.link(path, context.directory)
  if (found === undefined) return 1
  context.out(`${found}\n`)
  return 0
}

export const filePrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['cp', cp],
  ['mv', mv],
  ['rm', rm],
  ['rmdir', rmdir],
  ['mkdir', mkdir],
  ['touch', touch],
  ['ln', ln],
  ['ls', ls],
  ['find', find],
  ['xargs', xargs],
  ['readlink', readlink],
  ['basename', pathPart(baseName)],
  ['dirname', pathPart(path => (path.includes('/') ? parentOf(path) : '.'))],
])
