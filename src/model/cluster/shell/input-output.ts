// The built-ins that write and read: echo, printf, read (POSIX XCU 4).
import { formatPrintf, unescapeText } from './printf.ts'
import { complain, ifsOf, type Shell, setVariable, writeTo } from './state.ts'

export function echo(shell: Shell, argv: readonly string[]): number {
  const noNewline = argv[1] === '-n'
  const { text, isStopped } = unescapeText(argv.slice(noNewline ? 2 : 1).join(' '))
  writeTo(shell, 1, noNewline || isStopped ? text : `${text}\n`)
  return 0
}

/** One line into variables; 1 at the end of the input. */
export function read(shell: Shell, argv: readonly string[]): number {
  const isRaw = argv.includes('-r')
  const names = argv.slice(1).filter(argument => !argument.startsWith('-'))
  const source = shell.descriptors.get(0)?.source
  let line = ''
  let isEnd = true
  if (source !== undefined) {
    while (source.at < source.text.length) {
      const char = source.text.charAt(source.at++)
      if (char === '\n') {
        isEnd = false
        break
      }
      if (char !== '\\' || isRaw) line += char
      else {
        const next = source.text.charAt(source.at++)
        if (next !== '\n') line += next
      }
    }
  }
  assignFields(shell, line, names.length === 0 ? ['REPLY'] : names)
  return isEnd ? 1 : 0
}

/** The last name takes the rest of the line, without white space of IFS at its end. */
function assignFields(shell: Shell, line: string, names: readonly string[]): void {
  const ifs = ifsOf(shell)
  const isSpace = (char: string) => char !== '' && ifs.includes(char) && ' \t\n'.includes(char)
  const isSeparator = (char: string) => char !== '' && ifs.includes(char)
  let at = 0
  const skipSpace = () => {
    while (isSpace(line.charAt(at))) at++
  }
  skipSpace()
  for (const [index, name] of names.entries()) {
    if (index === names.length - 1) {
      let end = line.length
      while (end > at && isSpace(line.charAt(end - 1))) end--
      setVariable(shell, name, line.slice(at, end))
      return
    }
    const start = at
    while (at < line.length && !isSeparator(line.charAt(at))) at++
    setVariable(shell, name, line.slice(start, at))
    skipSpace()
    if (isSeparator(line.charAt(at))) at++
    skipSpace()
  }
}

export function print(shell: Shell, argv: readonly string[]): number {
  const rest = argv[1] === '--' ? argv.slice(2) : argv.slice(1)
  const { text, problem } = formatPrintf(rest[0] ?? '', rest.slice(1))
  writeTo(shell, 1, text)
  if (problem === undefined) return 0
  complain(shell, `printf: ${problem}`)
  return 1
}
