// What the parser looks for between words: blanks, comments, operators, reserved words (POSIX XCU 2.3, 2.4).
import type { Scanner } from './scanner.ts'
import { SyntaxProblem } from './syntax.ts'

export const unexpected = (scanner: Scanner) => {
  const what = /^(&&|\|\||;;|[;&|()<>\n`]|[^\s;&|()<>]+)/.exec(scanner.text.slice(scanner.at))?.[0]
  const shown = what === undefined ? 'end of file' : what === '\n' ? 'newline' : `"${what}"`
  return new SyntaxProblem(`Syntax error: ${shown} unexpected`, scanner.line)
}

/** Spaces, joined lines and comments. */
export function skipSpace(scanner: Scanner): void {
  for (;;) {
    const char = scanner.char()
    if (char === ' ' || char === '\t') scanner.skip(1)
    else if (char === '\\' && scanner.text.startsWith('\\\n', scanner.at)) scanner.skip(2)
    else if (char === '#') while (scanner.char() !== '' && scanner.char() !== '\n') scanner.skip(1)
    else return
  }
}

export function skipBlank(scanner: Scanner): void {
  for (skipSpace(scanner); scanner.char() === '\n'; skipSpace(scanner)) scanner.skip(1)
}

export const takeOperator = (scanner: Scanner, operator: string): boolean => {
  skipSpace(scanner)
  if (!scanner.text.startsWith(operator, scanner.at)) return false
  scanner.skip(operator.length)
  return true
}

/** The reserved word here, if it is one of these; it is not read. */
export function peekReserved<W extends string>(scanner: Scanner, words: readonly W[]): W | undefined {
  skipBlank(scanner)
  return words.find(
    word => scanner.text.startsWith(word, scanner.at) && /^([\s;&|()<>]|$)/.test(scanner.text.charAt(scanner.at + word.length)),
  )
}

export function expectReserved(scanner: Scanner, word: string): void {
  if (peekReserved(scanner, [word]) === undefined) throw unexpected(scanner)
  scanner.skip(word.length)
}
