// Reads a script into its tree: the grammar of POSIX XCU 2.10, without here-documents.
import { createScanner, type Scanner } from './scanner.ts'
import {
  type AndOr,
  type Assignment,
  type Command,
  type Pipeline,
  type Redirection,
  type Script,
  SyntaxProblem,
  type Word,
} from './syntax.ts'
import { expectReserved, peekReserved, skipBlank, skipSpace, takeOperator, unexpected } from './tokens.ts'
import { readWord } from './words.ts'

const cache = new Map<string, Script>()
const cacheLimit = 500

/** The same text gives the same tree, which is never changed. Throws SyntaxProblem. */
export function parseScript(text: string): Script {
  const known = cache.get(text)
  if (known !== undefined) return known
  const scanner = createScanner(text)
  const script = readList(scanner, [])
  skipSpace(scanner)
  if (scanner.char() !== '') throw unexpected(scanner)
  if (cache.size >= cacheLimit) cache.clear()
  cache.set(text, script)
  return script
}

function readEmbedded(scanner: Scanner, end: ')' | ''): Script {
  const script = readList(scanner, [])
  skipBlank(scanner)
  if (scanner.take() !== end) throw new SyntaxProblem(`Syntax error: end of file unexpected (expecting "${end}")`, scanner.line)
  return script
}

/** Commands until one of the reserved words, `)`, `;;` or the end. */
function readList(scanner: Scanner, until: readonly string[]): Script {
  const script: AndOr[] = []
  for (;;) {
    skipBlank(scanner)
    const char = scanner.char()
    if (char === '' || char === ')' || scanner.text.startsWith(';;', scanner.at)) return script
    if (peekReserved(scanner, until) !== undefined) return script
    script.push(readAndOr(scanner))
    skipSpace(scanner)
    const next = scanner.char()
    if (next === '\n' || (next === ';' && !scanner.text.startsWith(';;', scanner.at))) scanner.skip(1)
  }
}

function readAndOr(scanner: Scanner): AndOr {
  const first = readPipeline(scanner)
  const rest: { when: '&&' | '||'; pipeline: Pipeline }[] = []
  for (;;) {
    const when = takeOperator(scanner, '&&') ? '&&' : takeOperator(scanner, '||') ? '||' : undefined
    if (when === undefined) break
    skipBlank(scanner)
    rest.push({ when, pipeline: readPipeline(scanner) })
  }
  return { first, rest, background: takeOperator(scanner, '&') }
}

function readPipeline(scanner: Scanner): Pipeline {
  let negated = false
  while (peekReserved(scanner, ['!']) !== undefined) {
    scanner.skip(1)
    negated = !negated
  }
  const commands = [readCommand(scanner)]
  while (!scanner.text.startsWith('||', skipped(scanner)) && takeOperator(scanner, '|')) {
    skipBlank(scanner)
    commands.push(readCommand(scanner))
  }
  return { negated, commands }
}

function skipped(scanner: Scanner): number {
  skipSpace(scanner)
  return scanner.at
}

const openingWords = ['{', 'if', 'while', 'until', 'for', 'case'] as const

function readCommand(scanner: Scanner): Command {
  skipSpace(scanner)
  if (scanner.char() === '(') {
    scanner.skip(1)
    const body = readEmbedded(scanner, ')')
    return { kind: 'subshell', body, redirections: readRedirections(scanner) }
  }
  switch (peekReserved(scanner, openingWords)) {
    case '{': {
      scanner.skip(1)
      const body = readBody(scanner, ['}'])
      expectReserved(scanner, '}')
      return { kind: 'group', body, redirections: readRedirections(scanner) }
    }
    case 'if':
      return readIf(scanner)
    case 'while':
      return readLoop(scanner, 'while')
    case 'until':
      return readLoop(scanner, 'until')
    case 'for':
      return readFor(scanner)
    case 'case':
      return readCase(scanner)
    case undefined:
  }
  return readSimple(scanner)
}

function readBody(scanner: Scanner, until: readonly string[]): Script {
  const body = readList(scanner, until)
  if (body.length === 0) throw unexpected(scanner)
  return body
}

function readIf(scanner: Scanner): Command {
  const branches: { condition: Script; body: Script }[] = []
  let otherwise: Script | undefined
  expectReserved(scanner, 'if')
  for (;;) {
    const condition = readBody(scanner, ['then'])
    expectReserved(scanner, 'then')
    branches.push({ condition, body: readBody(scanner, ['elif', 'else', 'fi']) })
    const next = peekReserved(scanner, ['elif', 'else', 'fi'])
    if (next === undefined) throw unexpected(scanner)
    scanner.skip(next.length)
    if (next === 'elif') continue
    if (next === 'else') {
      otherwise = readBody(scanner, ['fi'])
      expectReserved(scanner, 'fi')
    }
    return { kind: 'if', branches, ...(otherwise === undefined ? {} : { otherwise }), redirections: readRedirections(scanner) }
  }
}

function readLoop(scanner: Scanner, word: 'while' | 'until'): Command {
  expectReserved(scanner, word)
  const condition = readBody(scanner, ['do'])
  const body = readDoGroup(scanner)
  return { kind: 'loop', until: word === 'until', condition, body, redirections: readRedirections(scanner) }
}

function readDoGroup(scanner: Scanner): Script {
  expectReserved(scanner, 'do')
  const body = readBody(scanner, ['done'])
  expectReserved(scanner, 'done')
  return body
}

function readFor(scanner: Scanner): Command {
  expectReserved(scanner, 'for')
  skipSpace(scanner)
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(scanner.text.slice(scanner.at, scanner.at + 100))?.[0]
  if (name === undefined) throw new SyntaxProblem('Syntax error: Bad for loop variable', scanner.line)
  scanner.skip(name.length)
  let words: Word[] | undefined
  if (peekReserved(scanner, ['in']) !== undefined) {
    scanner.skip(2)
    words = []
    for (let word = nextWord(scanner); word !== undefined; word = nextWord(scanner)) words.push(word)
  }
  takeOperator(scanner, ';')
  const body = readDoGroup(scanner)
  return { kind: 'for', name, ...(words === undefined ? {} : { words }), body, redirections: readRedirections(scanner) }
}

function readCase(scanner: Scanner): Command {
  expectReserved(scanner, 'case')
  const word = nextWord(scanner)
  if (word === undefined) throw unexpected(scanner)
  expectReserved(scanner, 'in')
  const branches: { patterns: Word[]; body: Script }[] = []
  while (peekReserved(scanner, ['esac']) === undefined) {
    takeOperator(scanner, '(')
    const patterns: Word[] = []
    do {
      const pattern = nextWord(scanner)
      if (pattern === undefined) throw unexpected(scanner)
      patterns.push(pattern)
    } while (takeOperator(scanner, '|'))
    if (!takeOperator(scanner, ')')) throw unexpected(scanner)
    branches.push({ patterns, body: readList(scanner, ['esac']) })
    skipBlank(scanner)
    if (!takeOperator(scanner, ';;') && peekReserved(scanner, ['esac']) === undefined) throw unexpected(scanner)
  }
  scanner.skip('esac'.length)
  return { kind: 'case', word, branches, redirections: readRedirections(scanner) }
}

function nextWord(scanner: Scanner): Word | undefined {
  skipSpace(scanner)
  return readWord(scanner, readEmbedded)
}

/** Words that are no command where a command should begin. */
const closingWords = ['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}']

function readSimple(scanner: Scanner): Command {
  const { line } = scanner
  if (peekReserved(scanner, closingWords) !== undefined) throw unexpected(scanner)
  const assignments: Assignment[] = []
  const words: Word[] = []
  const redirections: Redirection[] = []
  for (;;) {
    const redirection = readRedirection(scanner)
    if (redirection !== undefined) {
      redirections.push(redirection)
      continue
    }
    const assigned =
      words.length === 0
        ? /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(scanner.text.slice(skipped(scanner), scanner.at + 100))?.[1]
        : undefined
    if (assigned !== undefined) {
      scanner.skip(assigned.length + 1)
      assignments.push({ name: assigned, value: readWord(scanner, readEmbedded) ?? [] })
      continue
    }
    const word = nextWord(scanner)
    if (word === undefined) break
    words.push(word)
    const [only] = word
    if (
      words.length === 1 &&
      word.length === 1 &&
      only?.kind === 'text' &&
      !only.quoted &&
      /^\(\s*\)/.test(scanner.text.slice(scanner.at, scanner.at + 50))
    ) {
      scanner.skip(scanner.text.indexOf(')', scanner.at) - scanner.at + 1)
      skipBlank(scanner)
      return { kind: 'function', name: only.text, body: readCommand(scanner) }
    }
  }
  if (words.length + assignments.length + redirections.length === 0) throw unexpected(scanner)
  return { kind: 'simple', line, assignments, words, redirections }
}

function readRedirections(scanner: Scanner): Redirection[] {
  const found: Redirection[] = []
  for (let next = readRedirection(scanner); next !== undefined; next = readRedirection(scanner)) found.push(next)
  return found
}

function readRedirection(scanner: Scanner): Redirection | undefined {
  skipSpace(scanner)
  const found = /^([0-9]?)(>>|>&|>\||<&|<>|<<|>|<)/.exec(scanner.text.slice(scanner.at, scanner.at + 4))
  if (found === null) return undefined
  const [all, fd = '', operator = ''] = found
  if (operator === '<<') throw new SyntaxProblem('Here-documents are not supported', scanner.line)
  scanner.skip(all.length)
  const target = nextWord(scanner)
  if (target === undefined) throw unexpected(scanner)
  return {
    fd: fd === '' ? (operator.startsWith('<') ? 0 : 1) : Number(fd),
    operator: operator as Redirection['operator'],
    target,
  }
}
