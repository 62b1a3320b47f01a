// One kubeconfig file, with the place of every field for error messages.
import { dirname, resolve } from 'node:path'
import { BadInput, parseYamlDocuments, type YamlDocument } from '../yaml.ts'

type Path = readonly (string | number)[]

/** The map under `cluster`, `user` or `context` of one named entry, or a map inside it. Empty strings count as absent, as in Go. */
export type Entry = {
  /** Throws BadInput if it is there and no text. */
  text(field: string): string | undefined
  flag(field: string): boolean
  texts(field: string): readonly string[]
  inner(field: string): Entry | undefined
  inners(field: string): readonly Entry[]
  has(field: string): boolean
  /** A path relative to the file's folder, made absolute. */
  path(field: string): string | undefined
  /** The folder of the file. */
  readonly folder: string
  /** As it was written, to pass it on. */
  readonly raw: Readonly<Record<string, unknown>>
  wrong(field: string | undefined, message: string): BadInput
}

export type KubeconfigFile = {
  readonly path: string
  readonly currentContext?: string
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
  readonly contexts: ReadonlyMap<string, Entry>
}

/** Throws BadInput: not YAML, not a kubeconfig, a field of the wrong type. */
export function parseKubeconfig(text: string, path: string): KubeconfigFile {
  const documents = parseYamlDocuments(text, path)
  const [document] = documents
  const empty = { path, clusters: new Map(), users: new Map(), contexts: new Map() }
  if (document === undefined) return empty
  if (documents.length > 1)
    throw new BadInput(path, documents[1]?.startLine, 'a kubeconfig is one document: put the others into files of their own')
  if (!isMap(document.value))
    throw new BadInput(path, document.startLine, 'this is no kubeconfig: expected a map with clusters, users and contexts')
  const top = entryAt(document, path, [], document.value)
  const kind = top.text('kind')
  if (kind !== undefined && kind !== 'Config') throw top.wrong('kind', `this is a ${kind}, not a kubeconfig (kind: Config)`)
  const currentContext = top.text('current-context')
  return {
    path,
    ...(currentContext === undefined ? {} : { currentContext }),
    clusters: named(top, 'clusters', 'cluster'),
    users: named(top, 'users', 'user'),
    contexts: named(top, 'contexts', 'context'),
  }
}

function named(top: Entry, list: string, field: string): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>()
  for (const item of top.inners(list)) {
    const name = item.text('name')
    if (name === undefined) throw item.wrong(undefined, `an entry of ${list} has no name: add \`name\``)
    const inner = item.inner(field)
    // The first of two entries with one name wins, as among files. A user without credentials is `user: {}` or nothing.
    if (!found.has(name) && inner !== undefined) found.set(name, inner)
  }
  return found
}

function entryAt(document: YamlDocument, file: string, at: Path, raw: Readonly<Record<string, unknown>>): Entry {
  const nameOf = (path: Path) =>
    path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')
  const wrong = (field: string | undefined, message: string) =>
    new BadInput(file, document.line(field === undefined ? at : [...at, field]), message)
  const mistyped = (field: string, expected: string) => wrong(field, `${nameOf([...at, field])} must be ${expected}`)
  const folder = dirname(resolve(file))
  const entry: Entry = {
    folder,
    raw,
    wrong,
    has: field => raw[field] !== undefined && raw[field] !== null && raw[field] !== '',
    text: field => {
      if (!entry.has(field)) return undefined
      const value = raw[field]
      if (typeof value !== 'string') throw mistyped(field, 'a text (put it in quotes)')
      return value
    },
    flag: field => {
      const value = raw[field] ?? false
      if (typeof value !== 'boolean') throw mistyped(field, 'true or false')
      return value
    },
    texts: field => {
      const value = raw[field] ?? []
      if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) throw mistyped(field, 'a list of texts')
      return value
    },
    inner: field => {
      const value = raw[field]
      if (value === undefined || value === null) return undefined
      if (!isMap(value)) throw mistyped(field, 'a map')
      return entryAt(document, file, [...at, field], value)
    },
    inners: field => {
      const value = raw[field] ?? []
      if (!Array.isArray(value)) throw mistyped(field, 'a list')
      return value.map((item: unknown, index) => {
        if (!isMap(item)) throw wrong(field, `${nameOf([...at, field, index])} must be a map`)
        return entryAt(document, file, [...at, field, index], item)
      })
    },
    path: field => {
      const value = entry.text(field)
      return value === undefined ? undefined : resolve(folder, value)
    },
  }
  return entry
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
