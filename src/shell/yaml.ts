// The only place that imports a YAML library. Reads what people wrote, with positions for error messages; prints what we ship.
import {
  type Document,
  isAlias,
  isNode,
  LineCounter,
  type Node,
  parseAllDocuments,
  stringify,
  type Tags,
  type YAMLParseError,
} from 'yaml'

/** What a person gave us cannot be read. `line` counts from 1. */
export class BadInput extends Error {
  readonly file: string
  readonly line: number | undefined

  constructor(file: string, line: number | undefined, message: string) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`)
    this.name = 'BadInput'
    this.file = file
    this.line = line
  }
}

export type YamlDocument = {
  readonly value: unknown
  /** The line, from 1, of the field at this path; of the nearest field above it where there is none. */
  readonly line: (path: readonly (string | number)[]) => number
  readonly startLine: number
}

/**
 * All non-empty documents of a YAML or JSON text. Throws BadInput at the first mistake: bad syntax, a key twice in one map, an alias
 * bomb. Scalars are read as kubectl reads them (YAML 1.1 without times and base-60 numbers): `yes` is true, `0755` is 493, so that
 * what we judge is what the API server gets.
 */
export function parseYamlDocuments(text: string, file: string): YamlDocument[] {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error',
    version: '1.1',
    customTags: tags => tags.filter(tag => typeof tag === 'string' || !isUnknownToKubectl(tag)).map(withDigits),
  })
  if ('empty' in parsed) return []
  return parsed.flatMap(document => {
    const mistake = document.errors[0]
    if (mistake) throw new BadInput(file, lines.linePos(mistake.pos[0]).line, `this is not YAML: ${wordsOf(mistake, text)}`)
    if (document.contents === null) return []
    const lineAt = (node: Node) => lines.linePos(node.range?.[0] ?? 0).line
    const startLine = lineAt(document.contents)
    const value = valueOf(document, file, startLine)
    if (value === null) return []
    return [{ value, startLine, line: (path: readonly (string | number)[]) => lineOf(document, path, lineAt) }]
  })
}

function wordsOf({ code, message, pos }: YAMLParseError, text: string): string {
  if (/call stack/.test(message)) return 'it is nested too deeply'
  if (code !== 'DUPLICATE_KEY') return message
  // The most common cause is that the line between two documents was forgotten.
  const key = /^[^:\s]+/.exec(text.slice(pos[0]))?.[0] ?? 'one'
  return `${message}, but ${key} is there twice (two documents need a line --- between them)`
}

/** Go's YAML, which kubectl uses, leaves times and base-60 numbers as strings; the other tags make no JSON. */
const isUnknownToKubectl = (tag: { readonly tag: string; readonly format?: string }) =>
  tag.format === 'TIME' || /:(timestamp|binary|set|omap|pairs)$/.test(tag.tag)

/** The library's patterns of numbers also match `.` and `e3`, which are strings for kubectl. */
function withDigits(tag: Tags[number]): Tags[number] {
  if (typeof tag === 'string' || !tag.tag.endsWith(':float') || !('test' in tag) || tag.test === undefined) return tag
  return { ...tag, test: new RegExp(`^(?=[-+]?\\.?(?:[0-9]|inf|nan))${tag.test.source.slice(1)}`, 'i') }
}

function valueOf(document: Document.Parsed, file: string, line: number): unknown {
  try {
    // Aliases that multiply are refused: a "billion laughs" text must not eat the memory of the operator.
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new BadInput(file, line, `this YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function lineOf(document: Document.Parsed, path: readonly (string | number)[], lineAt: (node: Node) => number): number {
  let node: unknown = document.contents
  let line = isNode(node) ? lineAt(node) : 1
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    const inner = stepInto(node, step)
    if (inner === undefined) return line
    line = lineAt(inner.at)
    node = inner.value
  }
  return line
}

type Collection = { readonly items: readonly unknown[] }
type Pair = { readonly key: unknown; readonly value: unknown }

/** Of a map the line of the key, of a list that of the item. */
function stepInto(node: unknown, step: string | number): { readonly at: Node; readonly value: unknown } | undefined {
  if (typeof node !== 'object' || node === null || !('items' in node)) return undefined
  const { items } = node as Collection
  if (typeof step === 'number') {
    const item = items[step]
    return isNode(item) ? { at: item, value: item } : undefined
  }
  const pair = items.find((item): item is Pair => isPairWithKey(item, step))
  return pair && isNode(pair.key) ? { at: pair.key, value: pair.value } : undefined
}

function isPairWithKey(item: unknown, name: string): boolean {
  if (typeof item !== 'object' || item === null || !('key' in item)) return false
  const { key } = item
  return typeof key === 'object' && key !== null && 'value' in key && String(key.value) === name
}

/** Kubernetes YAML: keys of maps in order (apiVersion, kind, metadata, spec, status first at the top), no aliases, no folded lines. */
export function printYaml(value: unknown): string {
  return stringify(ordered(value, true), { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' })
}

const first = ['apiVersion', 'kind', 'metadata', 'spec', 'status']

function ordered(value: unknown, top: boolean): unknown {
  if (Array.isArray(value)) return value.map(item => ordered(item, top && isObject(item)))
  if (!isObject(value)) return value
  const rank = (key: string) => (top && first.includes(key) ? first.indexOf(key) : first.length)
  const keys = Object.keys(value).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(keys.filter(key => value[key] !== undefined).map(key => [key, ordered(value[key], false)]))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
