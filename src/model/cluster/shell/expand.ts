// Word expansion: parameters, command substitution, arithmetic, field splitting, file names, quote removal (POSIX XCU 2.6).
import type { Routine } from '../routine.ts'
import { calculate } from './arithmetic.ts'
import { type Chunk, hasPattern, mayBePattern, patternSource, trimPattern } from './pattern.ts'
import { getVariable, ifsOf, type RunScript, type Shell, ShellFailure, setVariable } from './state.ts'
import type { Word, WordPart } from './syntax.ts'

/** Runs a command substitution in a subshell and returns what it wrote, without the newlines at its end. */
export type Substitute = (shell: Shell, script: Parameters<RunScript>[1]) => Routine<string>

type Fields = { readonly done: Chunk[][]; current: Chunk[] | undefined }

/** Words of a command: split into fields, file names found. */
export function* expandWords(shell: Shell, words: readonly Word[], substitute: Substitute): Routine<string[]> {
  const all: string[] = []
  for (const word of words) {
    const [only] = word
    if (word.length === 1 && only?.kind === 'text' && (only.quoted || !mayBePattern(only.text))) {
      all.push(only.text)
      continue
    }
    if (word.length === 1 && only?.kind === 'parameter' && only.quoted && only.operator === undefined && only.name !== '@') {
      all.push((yield* valueOf(shell, only, substitute)) ?? '')
      continue
    }
    const fields: Fields = { done: [], current: undefined }
    for (const part of word) yield* expandPart(shell, part, fields, substitute)
    finish(fields)
    for (const field of fields.done) all.push(...fileNames(shell, field))
  }
  return all
}

/** For assignments, redirections and `case`: one string, neither split nor matched against files. */
export function* expandText(shell: Shell, word: Word, substitute: Substitute): Routine<string> {
  const chunks = yield* expandChunks(shell, word, substitute)
  return chunks.map(chunk => chunk.text).join('')
}

/** One pattern: its quoted parts stand for themselves. */
export function* expandChunks(shell: Shell, word: Word, substitute: Substitute): Routine<Chunk[]> {
  const chunks: Chunk[] = []
  for (const part of word) {
    if (part.kind === 'text') chunks.push({ text: part.text, quoted: part.quoted })
    else chunks.push({ text: (yield* valueOf(shell, part, substitute)) ?? '', quoted: part.quoted })
  }
  return chunks
}

function* expandPart(shell: Shell, part: WordPart, fields: Fields, substitute: Substitute): Routine<void> {
  if (part.kind === 'text') {
    append(fields, part.text, part.quoted)
    return
  }
  if (part.kind === 'parameter' && (part.name === '@' || (part.name === '*' && !part.quoted)) && part.operator === undefined) {
    appendPositional(shell, fields, part.quoted)
    return
  }
  if (part.kind === 'parameter' && part.word !== undefined && !part.quoted && usesWord(shell, part)) {
    // ${x:-word} without quotes: the word is expanded as if it stood here.
    for (const inner of part.word) {
      if (inner.kind === 'text' && !inner.quoted) split(fields, inner.text, ifsOf(shell))
      else yield* expandPart(shell, inner, fields, substitute)
    }
    return
  }
  const value = (yield* valueOf(shell, part, substitute)) ?? ''
  if (part.quoted) append(fields, value, true)
  else split(fields, value, ifsOf(shell))
}

const isMissing = (shell: Shell, name: string, operator: string): boolean => {
  const value = getVariable(shell, name)
  return value === undefined || (operator.startsWith(':') && value === '')
}

const usesWord = (shell: Shell, part: Extract<WordPart, { kind: 'parameter' }>): boolean => {
  const operator = part.operator ?? ''
  if (operator === ':-' || operator === '-') return isMissing(shell, part.name, operator)
  return (operator === ':+' || operator === '+') && !isMissing(shell, part.name, operator)
}

/** undefined: unset. */
function* valueOf(shell: Shell, part: Exclude<WordPart, { kind: 'text' }>, substitute: Substitute): Routine<string | undefined> {
  if (part.kind === 'command') return yield* substitute(shell, part.script)
  if (part.kind === 'arithmetic') {
    const expression = yield* expandText(shell, part.expression, substitute)
    try {
      const variables = {
        get: (name: string) => getVariable(shell, name) ?? '',
        set: (name: string, value: string) => setVariable(shell, name, value),
      }
      return String(calculate(expression, variables))
    } catch (error) {
      throw new ShellFailure(error instanceof Error ? error.message : String(error))
    }
  }
  const { name, operator, word = [] } = part
  const value = getVariable(shell, name)
  switch (operator) {
    case 'length':
      return String(name === '@' || name === '*' ? shell.positional.length : (value ?? '').length)
    case '#':
    case '##':
    case '%':
    case '%%':
      return trimPattern(value ?? '', yield* expandChunks(shell, word, substitute), operator)
    case ':-':
    case '-':
      return isMissing(shell, name, operator) ? yield* expandText(shell, word, substitute) : value
    case ':+':
    case '+':
      return isMissing(shell, name, operator) ? '' : yield* expandText(shell, word, substitute)
    case ':=':
    case '=': {
      if (!isMissing(shell, name, operator)) return value
      const assigned = yield* expandText(shell, word, substitute)
      setVariable(shell, name, assigned)
      return assigned
    }
    case ':?':
    case '?': {
      if (!isMissing(shell, name, operator)) return value
      const said = yield* expandText(shell, word, substitute)
      throw new ShellFailure(`${name}: ${said === '' ? 'parameter not set or null' : said}`)
    }
    case undefined:
  }
  if (value === undefined && shell.options.has('u') && !'@*'.includes(name)) throw new ShellFailure(`${name}: parameter not set`)
  return value
}

function append(fields: Fields, text: string, quoted: boolean): void {
  if (text === '' && !quoted) return
  fields.current ??= []
  fields.current.push({ text, quoted })
}

function finish(fields: Fields): void {
  if (fields.current !== undefined) fields.done.push(fields.current)
  fields.current = undefined
}

/** Field splitting of an unquoted result (POSIX XCU 2.6.5). The result may still be a pattern. */
function split(fields: Fields, text: string, ifs: string): void {
  let word = ''
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (!ifs.includes(char)) {
      word += char
      continue
    }
    append(fields, word, false)
    word = ''
    if (!' \t\n'.includes(char)) fields.current ??= []
    finish(fields)
    // White space around another separator belongs to it.
    let next = at + 1
    while (next < text.length && ifs.includes(text.charAt(next)) && ' \t\n'.includes(text.charAt(next))) next++
    const follows = text.charAt(next)
    const isDelimiter = follows !== '' && ifs.includes(follows) && !' \t\n'.includes(follows)
    at = isDelimiter && ' \t\n'.includes(char) ? next : next - 1
  }
  append(fields, word, false)
}

function appendPositional(shell: Shell, fields: Fields, quoted: boolean): void {
  for (const [index, value] of shell.positional.entries()) {
    if (index > 0) finish(fields)
    if (quoted) append(fields, value, true)
    else split(fields, value, ifsOf(shell))
  }
}

/** Path names that match, sorted; the word itself when none does (POSIX XCU 2.13.3). */
function fileNames(shell: Shell, field: readonly Chunk[]): string[] {
  const literal = field.map(chunk => chunk.text).join('')
  if (!hasPattern(field) || shell.options.has('f')) return [literal]
  const { files } = shell.surroundings
  let found = [literal.startsWith('/') ? '/' : '']
  const components = componentsOf(field)
  for (const [index, component] of components.entries()) {
    const isLast = index === components.length - 1
    const next: string[] = []
    for (const prefix of found) {
      if (!hasPattern(component)) {
        const path = prefix + component.map(chunk => chunk.text).join('')
        if (files.get(path, shell.directory) !== undefined) next.push(isLast ? path : `${path}/`)
        continue
      }
      const expression = new RegExp(`^${patternSource(component, '[^/]')}$`)
      for (const name of files.list(prefix === '' ? '.' : prefix, shell.directory) ?? []) {
        const startsWithDot = component[0]?.text.startsWith('.') === true
        if (!expression.test(name) || (name.startsWith('.') && !startsWithDot)) continue
        if (isLast) next.push(prefix + name)
        else if (files.get(prefix + name, shell.directory)?.kind === 'directory') next.push(`${prefix}${name}/`)
      }
    }
    found = next
  }
  return found.length === 0 ? [literal] : found.sort()
}

/** The chunks between slashes. */
function componentsOf(field: readonly Chunk[]): Chunk[][] {
  const components: Chunk[][] = [[]]
  for (const chunk of field) {
    for (const [index, text] of chunk.text.split('/').entries()) {
      if (index > 0) components.push([])
      if (text !== '') components.at(-1)?.push({ text, quoted: chunk.quoted })
    }
  }
  return components.filter(component => component.length > 0)
}
