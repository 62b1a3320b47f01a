// `test` and `[` (POSIX XCU test).
import { type Entry, textOf } from '../files.ts'
import { complain, type Shell } from './state.ts'

/** @returns 0 for true, 1 for false, 2 for words that make no sense. */
export function evaluateTest(shell: Shell, words: readonly string[]): number {
  let at = 0
  const fail = (message: string): never => {
    throw new TestFailure(message)
  }
  const or = (): boolean => {
    let value = and()
    while (words[at] === '-o') {
      at++
      value = and() || value
    }
    return value
  }
  const and = (): boolean => {
    let value = not()
    while (words[at] === '-a') {
      at++
      value = not() && value
    }
    return value
  }
  const not = (): boolean => {
    if (words[at] === '!' && at + 1 < words.length && !isBinary(words[at + 1])) {
      at++
      return !not()
    }
    return primary()
  }
  const primary = (): boolean => {
    const word = words[at]
    if (word === undefined) return fail('argument expected')
    const [operator, right] = [words[at + 1], words[at + 2]]
    if (isBinary(operator) && right !== undefined) {
      at += 3
      return compare(word, operator ?? '', right, fail)
    }
    if (word === '(') {
      at++
      const value = or()
      if (words[at++] !== ')') fail('closing paren expected')
      return value
    }
    if (/^-[a-zA-Z]$/.test(word) && operator !== undefined) {
      at += 2
      return unary(shell, word, operator, fail)
    }
    at++
    return word !== ''
  }
  if (words.length === 0) return 1
  try {
    const value = or()
    if (at < words.length) fail(`${words[at] ?? ''}: unexpected operator`)
    return value ? 0 : 1
  } catch (error) {
    if (!(error instanceof TestFailure)) throw error
    complain(shell, `[: ${error.message}`)
    return 2
  }
}

class TestFailure extends Error {}

const binaryOperators = new Set(['=', '==', '!=', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '<', '>', '-ef', '-nt', '-ot'])
const isBinary = (word: string | undefined): boolean => word !== undefined && binaryOperators.has(word)

function compare(left: string, operator: string, right: string, fail: (message: string) => never): boolean {
  const number = (text: string): number => (/^\s*[-+]?[0-9]+\s*$/.test(text) ? Number(text) : fail(`Illegal number: ${text}`))
  switch (operator) {
    case '=':
    case '==':
    case '-ef':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-eq':
      return number(left) === number(right)
    case '-ne':
      return number(left) !== number(right)
    case '-lt':
      return number(left) < number(right)
    case '-le':
      return number(left) <= number(right)
    case '-gt':
      return number(left) > number(right)
    case '-ge':
      return number(left) >= number(right)
    default:
      return false
  }
}

function unary(shell: Shell, operator: string, word: string, fail: (message: string) => never): boolean {
  if (operator === '-n') return word !== ''
  if (operator === '-z') return word === ''
  if (operator === '-t') return false
  const { files } = shell.surroundings
  if (operator === '-L' || operator === '-h') return files.link(word, shell.directory) !== undefined
  const entry = files.get(word, shell.directory)
  if (entry === undefined)
    return '-aderfswxbcgkpuOGSN'.includes(operator.charAt(1)) ? false : fail(`${operator}: unexpected operator`)
  return hasProperty(shell, operator, word, entry, fail)
}

function hasProperty(shell: Shell, operator: string, word: string, entry: Entry, fail: (message: string) => never): boolean {
  switch (operator) {
    case '-e':
    case '-a':
    case '-r':
      return true
    case '-f':
      return entry.kind !== 'directory'
    case '-d':
      return entry.kind === 'directory'
    case '-s':
      return entry.kind === 'directory' || textOf(entry) !== ''
    case '-w':
      return shell.surroundings.files.access(word, shell.directory) === undefined
    case '-x':
      return entry.kind === 'directory' || entry.kind === 'binary' || (entry.kind === 'text' && entry.text.startsWith('#!'))
    case '-b':
    case '-c':
    case '-p':
    case '-S':
      return false
    default:
      return fail(`${operator}: unexpected operator`)
  }
}
