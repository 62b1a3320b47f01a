// Reads words: quotes, escapes, `$name`, `${...}`, `$(...)`, backquotes and `$((...))` (POSIX XCU 2.2, 2.6).
import { createScanner, type Scanner } from './scanner.ts'
import { type ParameterOperator, type Script, SyntaxProblem, type Word, type WordPart } from './syntax.ts'

/** @param end what must follow the script; empty: nothing. */
type ParseScript = (scanner: Scanner, end: ')' | '') => Script

const operators: readonly ParameterOperator[] = [':-', ':=', ':?', ':+', '-', '=', '?', '+', '##', '#', '%%', '%']
const wordEnd = ' \t\n;&|<>()'

/** Reads one word at the scanner's place; undefined where none begins. */
export function readWord(scanner: Scanner, parseScript: ParseScript): Word | undefined {
  const start = scanner.at
  const parts = readParts(scanner, parseScript, char => wordEnd.includes(char), false)
  return scanner.at === start ? undefined : parts
}

/** @param isEnd the unquoted character that ends the word; it is not read. */
function readParts(scanner: Scanner, parseScript: ParseScript, isEnd: (char: string) => boolean, quoted: boolean): Word {
  const parts: WordPart[] = []
  let text = ''
  const flush = () => {
    if (text !== '') parts.push({ kind: 'text', text, quoted })
    text = ''
  }
  for (let char = scanner.char(); char !== '' && !isEnd(char); char = scanner.char()) {
    if (char === '\\') {
      scanner.skip(1)
      const next = scanner.take()
      if (next === '\n') continue
      if (quoted && !'$`"\\}'.includes(next)) text += `\\${next}`
      else {
        flush()
        parts.push({ kind: 'text', text: next, quoted: true })
      }
    } else if (char === "'" && !quoted) {
      flush()
      parts.push({ kind: 'text', text: readSingleQuoted(scanner), quoted: true })
    } else if (char === '"') {
      flush()
      scanner.skip(1)
      // Inside "${x:-"..."}" the inner quotes end the outer ones; scripts for people do not do that.
      parts.push({ kind: 'text', text: '', quoted: true }, ...readParts(scanner, parseScript, c => c === '"', true))
      if (scanner.take() !== '"') throw new SyntaxProblem('Unterminated quoted string', scanner.line)
    } else if (char === '$' || char === '`') {
      const part = readExpansion(scanner, parseScript, quoted)
      if (part === undefined) text += scanner.take()
      else {
        flush()
        parts.push(part)
      }
    } else {
      text += char
      scanner.skip(1)
    }
  }
  flush()
  return parts
}

function readSingleQuoted(scanner: Scanner): string {
  scanner.skip(1)
  const end = scanner.text.indexOf("'", scanner.at)
  if (end < 0) throw new SyntaxProblem('Unterminated quoted string', scanner.line)
  const text = scanner.text.slice(scanner.at, end)
  scanner.skip(text.length + 1)
  return text
}

/** At `$` or a backquote; undefined when the `$` stands for itself. */
function readExpansion(scanner: Scanner, parseScript: ParseScript, quoted: boolean): WordPart | undefined {
  if (scanner.char() === '`') return { kind: 'command', script: parseScript(createScanner(readBackquoted(scanner)), ''), quoted }
  const rest = scanner.text.slice(scanner.at, scanner.at + 64)
  if (rest.startsWith('$((')) {
    const arithmetic = readArithmetic(scanner, parseScript, quoted)
    if (arithmetic !== undefined) return arithmetic
  }
  if (rest.startsWith('$(')) {
    scanner.skip(2)
    return { kind: 'command', script: parseScript(scanner, ')'), quoted }
  }
  if (rest.startsWith('${')) return readBraced(scanner, parseScript, quoted)
  const name = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(scanner.text.slice(scanner.at, scanner.at + 200))?.[1]
  if (name === undefined) return undefined
  scanner.skip(name.length + 1)
  return { kind: 'parameter', name, quoted }
}

/** The text between backquotes, with one level of backslashes taken off (POSIX XCU 2.6.3). */
function readBackquoted(scanner: Scanner): string {
  scanner.skip(1)
  let text = ''
  for (let char = scanner.take(); char !== '`'; char = scanner.take()) {
    if (char === '') throw new SyntaxProblem('EOF in backquote substitution', scanner.line)
    const next = char === '\\' ? scanner.char() : ''
    text += next !== '' && '$`\\'.includes(next) ? scanner.take() : char
  }
  return text
}

/** undefined, with nothing read, when it is `$( (...) )` after all. */
function readArithmetic(scanner: Scanner, parseScript: ParseScript, quoted: boolean): WordPart | undefined {
  const before = scanner.mark()
  scanner.skip(3)
  let depth = 0
  const expression = readParts(
    scanner,
    parseScript,
    char => {
      if (char === '(') depth++
      if (char !== ')') return false
      return depth-- === 0
    },
    true,
  )
  if (scanner.text.startsWith('))', scanner.at)) {
    scanner.skip(2)
    return { kind: 'arithmetic', expression, quoted }
  }
  scanner.reset(before)
  return undefined
}

function readBraced(scanner: Scanner, parseScript: ParseScript, quoted: boolean): WordPart {
  scanner.skip(2)
  const found = /^(#(?=[A-Za-z_0-9@*?$!-][^}]*\}))?([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(
    scanner.text.slice(scanner.at, scanner.at + 200),
  )
  if (found === null) throw new SyntaxProblem('Bad substitution', scanner.line)
  const [all, length, name = ''] = found
  scanner.skip(all.length)
  if (length !== undefined) {
    if (scanner.take() !== '}') throw new SyntaxProblem('Bad substitution', scanner.line)
    return { kind: 'parameter', name, operator: 'length', quoted }
  }
  const operator = operators.find(candidate => scanner.text.startsWith(candidate, scanner.at))
  if (operator === undefined) {
    if (scanner.take() !== '}') throw new SyntaxProblem('Bad substitution', scanner.line)
    return { kind: 'parameter', name, quoted }
  }
  scanner.skip(operator.length)
  // A pattern after # or % is not quoted by the quotes around the whole expansion (POSIX XCU 2.6.2).
  const isPattern = operator.startsWith('#') || operator.startsWith('%')
  const word = readParts(scanner, parseScript, char => char === '}', quoted && !isPattern)
  if (scanner.take() !== '}') throw new SyntaxProblem('Missing }', scanner.line)
  return { kind: 'parameter', name, operator, word, quoted }
}
