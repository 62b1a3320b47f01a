// The rules of docs and architecture that a program can check (ARCHITECTURE.md).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '..')
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter(file => file !== '' && existsSync(join(root, file)))
const sources = tracked.filter(file => /^src\/.*\.ts$/.test(file))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

type Import = { readonly file: string; readonly from: string; readonly isTypeOnly: boolean }

/** Static and dynamic imports, and re-exports. */
function importsOf(file: string): readonly Import[] {
  const found: Import[] = []
  for (const match of read(file).matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  )) {
    found.push({ file, from: match[2] ?? match[3] ?? '', isTypeOnly: match[1] !== undefined })
  }
  return found
}

const imports = sources.flatMap(importsOf)
const targetOf = ({ file, from }: Import): string => normalize(join(dirname(file), from))
const isLocal = ({ from }: Import): boolean => from.startsWith('.')

// A room may import itself and the rooms named. `core/*` are the files directly in core: the vocabulary.
const concepts = [
  'kernel',
  'build',
  'signing',
  'kmod',
  'loading',
  'plugin',
  'upgrade',
  'image',
  'node',
  'module',
  'preflight',
  'fleet',
  'boot',
  'explain',
  'metrics',
]
const floors: Readonly<Record<string, number>> = {
  kernel: 0,
  build: 1,
  signing: 1,
  kmod: 1,
  loading: 1,
  plugin: 1,
  upgrade: 1,
  boot: 1,
  image: 2,
  node: 2,
  module: 3,
  preflight: 3,
  explain: 4,
  metrics: 4,
  fleet: 4,
}

function roomOf(file: string): string {
  const [, first = '', second = ''] = file.split('/')
  if (first !== 'core') return first
  return second.endsWith('.ts') ? 'core/*' : `core/${second}`
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true
  if (from === 'api') return false
  if (from === 'core/*') return to === 'api'
  if (from.startsWith('core/')) {
    if (to === 'api' || to === 'core/*') return true
    if (!to.startsWith('core/')) return false
    const [own = 99, other = 99] = [floors[from.slice(5)], floors[to.slice(5)]]
    return other < own
  }
  if (from === 'controllers') return to === 'api' || to.startsWith('core')
  if (from === 'shell') return to === 'core/*'
  if (from === 'model') return to === 'core/*' || to === 'shell'
  if (from === 'manifests') return to === 'api' || to === 'controllers' || to.startsWith('core') || to === 'shell'
  return from === 'cli'
}

// Third-party packages, each with the one place that imports it.
const packageHomes: Readonly<Record<string, RegExp>> = {
  zod: /^src\/api\//,
  yaml: /^src\/shell\/yaml\.ts$/,
  re2js: /^src\/core\/kernel\/regexp\.ts$/,
  commander: /^src\/cli\//,
  pino: /^src\/shell\/log\.ts$/,
  '@peculiar/x509': /^src\/model\/serve\/certificate\.ts$/,
  'reflect-metadata': /^src\/model\/serve\/certificate\.ts$/,
}

describe('architecture', () => {
  it('every import follows the direction of the rooms', () => {
    const wrong = imports.filter(isLocal).filter(found => !isAllowed(roomOf(found.file), roomOf(targetOf(found))))
    assert.deepEqual(
      wrong.map(found => `${found.file} -> ${targetOf(found)}`),
      [],
    )
  })

  it('the model takes from the shell only the protocol and the clock', () => {
    const wrong = imports.filter(found => isLocal(found) && roomOf(found.file) === 'model' && roomOf(targetOf(found)) === 'shell')
    const allowed = /^src\/shell\/(clock|kube\/transport)\.ts$/
    assert.deepEqual(
      wrong.map(targetOf).filter(target => !allowed.test(target)),
      [],
    )
  })

  it('every imported file exists, and core has only the known concepts', () => {
    assert.deepEqual(
      imports
        .filter(isLocal)
        .map(targetOf)
        .filter(target => !existsSync(join(root, target))),
      [],
    )
    const found = new Set(
      sources
        .map(roomOf)
        .filter(room => room.startsWith('core/') && room !== 'core/*')
        .map(room => room.slice(5)),
    )
    assert.deepEqual(
      [...found].filter(concept => !concepts.includes(concept)),
      [],
    )
  })

  it('no file imports itself in a circle, not even for a type', () => {
    const next = Map.groupBy(imports.filter(isLocal), found => found.file)
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (path.includes(file) || done.has(file)) return
      for (const found of next.get(file) ?? []) visit(targetOf(found), [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    assert.deepEqual(circles, [])
  })

  it('the only barrel file is controllers/index.ts', () => {
    assert.deepEqual(
      sources.filter(file => file.endsWith('/index.ts')),
      ['src/controllers/index.ts'],
    )
    assert.deepEqual(
      sources.filter(
        file =>
          file !== 'src/controllers/index.ts' &&
          /^export (\*|\{[^}]*\}) from/m.test(read(file)) &&
          !/^export type \{/m.test(read(file)),
      ),
      [],
    )
  })

  it('third-party packages are imported from one place each', () => {
    for (const { file, from } of imports.filter(found => !isLocal(found) && !found.from.startsWith('node:'))) {
      const name = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] ?? '')
      if (name === 'kubernetes-types') continue
      assert.match(file, packageHomes[name] ?? /^$/, `${file} imports ${name}`)
    }
  })

  it('core and controllers do not wait, look at a clock, an environment or a network', () => {
    const forbidden =
      /\b(await|async|Promise|Date\.now|new Date\(\)|Math\.random|process\.|console\.|fetch\(|setTimeout|setInterval|setImmediate|queueMicrotask)/
    for (const file of sources.filter(name => /^src\/(core|controllers)\//.test(name))) {
      const code = read(file)
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
      assert.doesNotMatch(code, forbidden, file)
      for (const { from } of importsOf(file)) if (from.startsWith('node:')) assert.equal(from, 'node:crypto', file)
    }
  })

  it('no source file is over 300 lines, no test file over 400', () => {
    const long = tracked
      .filter(file => /^(src|test|bench|scripts)\/.*\.(ts|mjs)$/.test(file))
      .flatMap(file => {
        const lines = read(file).split('\n').length - 1
        return lines > (file.startsWith('test/') ? 400 : 300) ? [`${file}: ${lines}`] : []
      })
    assert.deepEqual(long, [])
  })

  it('names say what they hold', () => {
    assert.deepEqual(
      tracked.filter(file => /(^|\/)(utils?|helpers?|common|misc|manager)(\/|\.|$)/i.test(file)),
      [],
    )
    const bad = sources.filter(file =>
      /export (?:async )?(?:function|const|class) (?:handle|process)[A-Z]|export [^\n]*(?:Helper|(?<!field)Manager|Util)\b/.test(
        read(file),
      ),
    )
    assert.deepEqual(bad, [])
  })

  it('ARCHITECTURE.md names exactly the folders that exist', () => {
    const text = read('ARCHITECTURE.md')
    const folders = new Set(
      sources
        .map(file => dirname(file))
        .filter(folder => folder !== 'src')
        .flatMap(folder => folder.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))),
    )
    folders.delete('src')
    const named = new Set([...text.matchAll(/`(src\/[a-z-]+(?:\/[a-z-]+)*)\/?`/g)].map(match => match[1] ?? ''))
    assert.deepEqual([...folders].filter(folder => !named.has(folder)).sort(), [], 'folders that ARCHITECTURE.md does not name')
    assert.deepEqual(
      [...named].filter(folder => !folders.has(folder)).sort(),
      [],
      'folders that ARCHITECTURE.md names and that do not exist',
    )
  })
})
