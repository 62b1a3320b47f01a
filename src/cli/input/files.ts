// From the paths behind -f to text, and from text to objects.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keyOf } from '../../core/object.ts'
import { BadInput, parseYamlDocuments } from '../../shell/yaml.ts'
import { type Io, UsageError } from '../io.ts'
import { isDump, knownParts, newestOf } from './dump.ts'
import { badField, type InputObject, objectsOf, printSource } from './objects.ts'

type Text = { readonly file: string; readonly text: string }

/**
 * All objects behind the paths (files, directories with everything below them, `-` for standard input), in the order of the
 * paths and within a directory of the names. Throws BadInput for whatever cannot be read, and for an object that is there twice.
 * A directory that a must-gather made holds more than we know, and many things twice: see dump.ts.
 */
export async function readObjects(paths: readonly string[], io: Pick<Io, 'readStdin'>): Promise<readonly InputObject[]> {
  if (paths.length === 0) throw new UsageError('no input: name files or directories with -f, or -f - for standard input')
  const dumps = paths.filter(path => path !== '-' && isDump(path))
  const others = paths.filter(path => !dumps.includes(path))
  const objects = [...newestOf(await readAll(dumps, io, knownParts)), ...(await readAll(others, io, document => document))]
  if (objects.length === 0)
    throw new BadInput(
      paths.map(path => (path === '-' ? 'stdin' : path)).join(', '),
      undefined,
      'there is no Kubernetes object in it',
    )
  refuseDuplicates(objects)
  return objects
}

async function readAll(
  paths: readonly string[],
  io: Pick<Io, 'readStdin'>,
  part: (document: unknown) => unknown,
): Promise<readonly InputObject[]> {
  return (await readTexts(paths, io)).flatMap(({ file, text }) =>
    parseYamlDocuments(text, file).flatMap(document => objectsOf(part(document.value), { file, line: document.line })),
  )
}

/** The text of one file, or of standard input for `-`. */
export async function readText(path: string, io: Pick<Io, 'readStdin'>): Promise<Text> {
  if (path === '-') return { file: 'stdin', text: await io.readStdin() }
  return { file: path, text: readUtf8(path) }
}

async function readTexts(paths: readonly string[], io: Pick<Io, 'readStdin'>): Promise<readonly Text[]> {
  const texts: Text[] = []
  const seen = new Set<string>()
  for (const path of paths) {
    for (const file of path === '-' ? ['-'] : filesBelow(path)) {
      const real = file === '-' ? '-' : realpathSync(file)
      if (seen.has(real)) continue
      seen.add(real)
      texts.push(await readText(file, io))
    }
  }
  return texts
}

function filesBelow(path: string): readonly string[] {
  const stats = reading(path, () => statSync(path))
  if (!stats.isDirectory()) return [path]
  const files = manifestsIn(path)
  if (files.length === 0) throw new BadInput(path, undefined, 'there is no .yaml, .yml or .json file in this directory')
  return files
}

/** Hidden entries are left out: they belong to git, editors and the kubelet's volumes. */
function manifestsIn(directory: string): readonly string[] {
  const entries = reading(directory, () => readdirSync(directory, { withFileTypes: true }))
  return entries
    .filter(entry => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return manifestsIn(path)
      return /\.(yaml|yml|json)$/.test(entry.name) ? [path] : []
    })
}

function readUtf8(path: string): string {
  const bytes = reading(path, () => readFileSync(path))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new BadInput(path, undefined, 'this is not UTF-8 text')
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw new BadInput(path, undefined, `cannot be read: ${causes[code] ?? (error as Error).message}`)
  }
}

function refuseDuplicates(objects: readonly InputObject[]): void {
  const seen = new Map<string, InputObject>()
  for (const one of objects) {
    const name = `${one.object.kind} ${keyOf(one.object)}`
    const id = `${one.object.apiVersion} ${name}`
    const other = seen.get(id)
    if (other !== undefined)
      throw badField(one.source, ['metadata', 'name'], `is given twice, also in ${printSource(other.source)}`, name)
    seen.set(id, one)
  }
}
