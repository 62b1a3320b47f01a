// Programs that read text and write text: cat, head, tail, cut, sort, grep, tr, wc and their kin.
import { errorWords, textOf } from '../files.ts'
import type { Program, ProgramContext } from '../surroundings.ts'

/** Options before the first operand; `withValue` names the letters that take one. */
export function parseOptions(
  argv: readonly string[],
  withValue: string,
): { readonly options: ReadonlyMap<string, string>; readonly operands: readonly string[] } {
  const options = new Map<string, string>()
  const rest = argv.slice(1)
  for (let word = rest[0]; word !== undefined && word.length > 1 && word.startsWith('-'); word = rest[0]) {
    rest.shift()
    if (word === '--') break
    if (word.startsWith('--')) {
      const [name = '', ...value] = word.slice(2).split('=')
      options.set(name, value.join('='))
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at)
      if (!withValue.includes(letter)) {
        options.set(letter, '')
        continue
      }
      options.set(letter, at + 1 < word.length ? word.slice(at + 1) : (rest.shift() ?? ''))
      break
    }
  }
  return { options, operands: rest }
}

/** The text of the named files one after the other, or of standard input; complains about those that cannot be read. */
function readInputs(
  context: ProgramContext,
  program: string,
  operands: readonly string[],
): { readonly text: string; readonly status: number } {
  if (operands.length === 0) return { text: context.input(), status: 0 }
  let text = ''
  let status = 0
  for (const operand of operands) {
    if (operand === '-') {
      text += context.input()
      continue
    }
    const entry = context.surroundings.files.get(operand, context.directory)
    if (entry === undefined || entry.kind === 'directory') {
      context.err(`${program}: ${operand}: ${entry === undefined ? errorWords.ENOENT : errorWords.EISDIR}\n`)
      status = 1
    } else text += textOf(entry)
  }
  return { text, status }
}

/** Lines without their newlines; a last line without one counts. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const joined = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

const cat: Program = (context, argv) => {
  const { text, status } = readInputs(
    context,
    'cat',
    argv.slice(1).filter(word => !/^-[a-z]+$/i.test(word)),
  )
  context.out(text)
  return status
}

/** `-n N`, `-N`, `-c N`; for tail also `-n +N`. */
const endOfFile =
  (program: 'head' | 'tail'): Program =>
  (context, argv) => {
    const short = argv.map(word => word.replace(/^-([0-9]+)$/, '-n$1'))
    const { options, operands } = parseOptions(short, 'nc')
    const { text, status } = readInputs(context, program, operands)
    const bytes = options.get('c')
    const count = options.get('n') ?? '10'
    if (bytes !== undefined)
      context.out(program === 'head' ? text.slice(0, Number(bytes)) : Number(bytes) === 0 ? '' : text.slice(-Number(bytes)))
    else {
      const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
      const number = Number(count.replace(/^[-+]/, ''))
      if (program === 'head') context.out(lines.slice(0, number).join(''))
      else if (count.startsWith('+')) context.out(lines.slice(number - 1).join(''))
      else context.out(number === 0 ? '' : lines.slice(-number).join(''))
    }
    return status
  }

const cut: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, 'dfcb')
  const { text, status } = readInputs(context, 'cut', operands)
  const ranges = (options.get('f') ?? options.get('c') ?? options.get('b') ?? '1-').split(',').map(range => {
    const [from = '', to] = range.split('-')
    return {
      from: from === '' ? 1 : Number(from),
      to: to === undefined ? Number(from) : to === '' ? Number.POSITIVE_INFINITY : Number(to),
    }
  })
  const isWanted = (_: string, index: number) => ranges.some(({ from, to }) => index + 1 >= from && index + 1 <= to)
  const delimiter = options.get('d') ?? '\t'
  const pick = (line: string) => {
    if (!options.has('f')) return line.split('').filter(isWanted).join('')
    if (!line.includes(delimiter)) return options.has('s') ? undefined : line
    return line.split(delimiter).filter(isWanted).join(delimiter)
  }
  context.out(joined(linesOf(text).flatMap(line => pick(line) ?? [])))
  return status
}

/** In the byte order of LC_ALL=C. */
const sort: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, 'tko')
  const { text, status } = readInputs(context, 'sort', operands)
  const field = Number((options.get('k') ?? '0').split(/[,.]/)[0])
  const keyOf = (line: string) => (field === 0 ? line : (line.trim().split(options.get('t') ?? /\s+/)[field - 1] ?? ''))
  const compare = (a: string, b: string) =>
    (options.has('n') ? Number.parseFloat(a) || 0 : a) < (options.has('n') ? Number.parseFloat(b) || 0 : b)
  const lines = linesOf(text).sort((a, b) =>
    compare(keyOf(a), keyOf(b)) ? -1 : compare(keyOf(b), keyOf(a)) ? 1 : a < b ? -1 : a > b ? 1 : 0,
  )
  if (options.has('r')) lines.reverse()
  context.out(joined(options.has('u') ? lines.filter((line, index) => line !== lines[index - 1]) : lines))
  return status
}

const uniq: Program = (context, argv) => {
  const { text, status } = readInputs(context, 'uniq', parseOptions(argv, '').operands)
  context.out(joined(linesOf(text).filter((line, index, lines) => line !== lines[index - 1])))
  return status
}

const grep: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, 'e')
  const [pattern = '', ...files] = options.has('e') ? [options.get('e') ?? '', ...operands] : operands
  const { text, status } = readInputs(context, 'grep', files)
  const isFixed = options.has('F') || argv[0] === 'fgrep'
  const isExtended = options.has('E') || argv[0] === 'egrep'
  const source = isFixed ? pattern.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') : isExtended ? pattern : basicExpression(pattern)
  const bounded = options.has('x') ? `^(?:${source})$` : options.has('w') ? `\\b(?:${source})\\b` : source
  const expression = new RegExp(bounded, options.has('i') ? 'i' : '')
  const found = linesOf(text).filter(line => expression.test(line) !== options.has('v'))
  if (!options.has('q')) {
    if (options.has('c')) context.out(`${found.length}\n`)
    else if (options.has('o')) context.out(joined(found.flatMap(line => line.match(new RegExp(bounded, 'g')) ?? [])))
    else context.out(joined(found))
  }
  return found.length > 0 ? 0 : status === 0 ? 1 : 2
}

/** A basic regular expression (POSIX XBD 9.3) as JavaScript's: `\(` groups and `(` is itself, and so on. */
const basicExpression = (pattern: string): string =>
  pattern.replace(
    /\\([(){}|+?])|\[[^\]]*\]|[(){}|+?]/g,
    (all, special: string | undefined) => special ?? (all.startsWith('[') ? all : `\\${all}`),
  )

const tr: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, '')
  const [from = '', to = ''] = operands.map(expandSet)
  const text = context.input()
  let result = ''
  for (const char of text) {
    const at = options.has('c') ? (from.includes(char) ? -1 : 0) : from.indexOf(char)
    const mapped = at < 0 ? char : options.has('d') ? '' : to === '' ? char : to.charAt(Math.min(at, to.length - 1))
    if (options.has('s') && mapped !== '' && result.endsWith(mapped) && (to === '' ? from : to).includes(mapped)) continue
    result += mapped
  }
  context.out(result)
  return 0
}

function expandSet(set: string): string {
  const classes: Readonly<Record<string, string>> = {
    '[:space:]': ' \t\n\r\f\v',
    '[:digit:]': '0123456789',
    '[:lower:]': 'abcdefghijklmnopqrstuvwxyz',
    '[:upper:]': 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  }
  const plain = Object.entries(classes).reduce((text, [name, chars]) => text.replaceAll(name, chars), set)
  return plain
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/(.)-(.)/gs, (_, from: string, to: string) =>
      Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_unused, index) =>
        String.fromCharCode(from.charCodeAt(0) + index),
      ).join(''),
    )
}

const wc: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, '')
  const { text, status } = readInputs(context, 'wc', operands)
  const counts = { l: text.split('\n').length - 1, w: text.split(/\s+/).filter(word => word !== '').length, c: text.length }
  const wanted =
    options.size === 0 ? (['l', 'w', 'c'] as const) : (['l', 'w', 'c'] as const).filter(letter => options.has(letter))
  const shown = wanted.map(letter =>
    wanted.length === 1 && operands.length === 0 ? String(counts[letter]) : String(counts[letter]).padStart(7),
  )
  context.out(`${[...shown, ...operands].join(' ')}\n`)
  return status
}

const tee: Program = (context, argv) => {
  const { options, operands } = parseOptions(argv, '')
  const text = context.input()
  context.out(text)
  let status = 0
  for (const operand of operands) {
    const { files } = context.surroundings
    const old = options.has('a') ? files.get(operand, context.directory) : undefined
    const failed = files.write(operand, { kind: 'text', text: (old === undefined ? '' : textOf(old)) + text }, context.directory)
    if (failed === undefined) continue
    context.err(`tee: ${operand}: ${errorWords[failed]}\n`)
    status = 1
  }
  return status
}

export const textPrograms: ReadonlyMap<string, Program> = new Map([
  ['cat', cat],
  ['head', endOfFile('head')],
  ['tail', endOfFile('tail')],
  ['cut', cut],
  ['sort', sort],
  ['uniq', uniq],
  ['grep', grep],
  ['egrep', grep],
  ['fgrep', grep],
  ['tr', tr],
  ['wc', wc],
  ['tee', tee],
])
