// What modprobe knows of the modules under DIR/lib/modules/KERNEL: modules.dep, modules.builtin, and the configuration in modprobe.d
// (depmod(8), modprobe.d(5)).
import { baseName, type KernelObject, textOf } from '../files.ts'
import { moduleName } from '../kernel.ts'
import type { FileView } from '../mounts.ts'

export type IndexedModule = {
  readonly name: string
  /** As `-v` prints it. */
  readonly path: string
  readonly file: KernelObject | undefined
  /** Names, in the order in which they must be loaded. */
  readonly depends: readonly string[]
}

export type ModuleIndex = {
  /** For messages: `DIR/lib/modules/KERNEL`. */
  readonly directory: string
  readonly modules: ReadonlyMap<string, IndexedModule>
  readonly builtin: ReadonlySet<string>
}

const nameOfFile = (path: string): string => moduleName(baseName(path).replace(/\.ko(\.(xz|gz|zst))?$/, ''))

/** Without modules.dep nothing is found: modprobe does not look at files that depmod has not listed. */
export function readModuleIndex(files: FileView, root: string, release: string): ModuleIndex {
  const directory = `${root === '/' ? '' : root.replace(/\/+$/, '')}/lib/modules/${release}`
  const modules = new Map<string, IndexedModule>()
  const dependencies = files.get(`${directory}/modules.dep`)
  for (const line of dependencies === undefined ? [] : textOf(dependencies).split('\n')) {
    const [path, rest = ''] = line.split(':')
    if (path === undefined || path === '') continue
    const full = path.startsWith('/') ? path : `${directory}/${path}`
    const entry = files.get(full)
    // modules.dep names the direct needs first and the deepest last (depmod's order).
    const depends = rest
      .split(' ')
      .filter(other => other !== '')
      .map(nameOfFile)
      .reverse()
    modules.set(nameOfFile(path), { name: nameOfFile(path), path: full, file: entry?.kind === 'ko' ? entry : undefined, depends })
  }
  const builtinFile = files.get(`${directory}/modules.builtin`)
  const builtin = new Set(
    builtinFile === undefined
      ? []
      : textOf(builtinFile)
          .split('\n')
          .filter(line => line !== '')
          .map(nameOfFile),
  )
  return { directory, modules, builtin }
}

export type ModprobeConfig = {
  readonly softDependencies: ReadonlyMap<string, { readonly before: readonly string[]; readonly after: readonly string[] }>
  readonly options: ReadonlyMap<string, string>
  readonly aliases: ReadonlyMap<string, string>
  readonly blacklist: ReadonlySet<string>
}

const configDirectories = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d',
]

/** Read from the caller's root, also with `-d` (nodes-and-kernels.md 3.2). A file hides those of the same name in later directories. */
export function readModprobeConfig(files: FileView, directories: readonly string[] = configDirectories): ModprobeConfig {
  const softDependencies = new Map<string, { before: string[]; after: string[] }>()
  const options = new Map<string, string>()
  const aliases = new Map<string, string>()
  const blacklist = new Set<string>()
  for (const line of configLines(files, directories)) {
    const [command, subject = '', ...rest] = line.split(/\s+/)
    const name = moduleName(subject)
    if (command === 'options') options.set(name, [options.get(name), ...rest].filter(word => word !== undefined).join(' '))
    else if (command === 'alias') aliases.set(name, moduleName(rest[0] ?? ''))
    else if (command === 'blacklist') blacklist.add(name)
    else if (command === 'softdep') {
      const found = softDependencies.get(name) ?? { before: [], after: [] }
      let list = found.before
      for (const word of rest) {
        if (word === 'pre:') list = found.before
        else if (word === 'post:') list = found.after
        else list.push(moduleName(word))
      }
      softDependencies.set(name, found)
    }
  }
  return { softDependencies, options, aliases, blacklist }
}

function configLines(files: FileView, directories: readonly string[]): string[] {
  const texts = new Map<string, string>()
  for (const directory of directories) {
    for (const name of files.list(directory) ?? []) {
      const entry = files.get(`${directory}/${name}`)
      if (name.endsWith('.conf') && entry !== undefined && !texts.has(name)) texts.set(name, textOf(entry))
    }
  }
  return [...texts.keys()]
    .sort()
    .flatMap(name => (texts.get(name) ?? '').replaceAll('\\\n', ' ').split('\n'))
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
}
