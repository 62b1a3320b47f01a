// Files as far as drivers need them: text, programs, kernel objects, links and directories, in trees that can lie over each other.

/** What a `.ko` file says of itself, in the words of modinfo. */
export type KernelObject = {
  readonly kind: 'ko'
  readonly name: string
  /** The kernel release in its vermagic. */
  readonly kernel: string
  readonly version?: string
  /** Name of the certificate that signed it; absent: unsigned. */
  readonly signer?: string
  /** Changed after it was signed: no key accepts it. */
  readonly tampered?: true
  /** Modules whose symbols it uses. */
  readonly depends?: readonly string[]
  /** Symbols that no module of the image and not the kernel has. */
  readonly missingSymbols?: readonly string[]
  /** Files that its init function asks for; missing ones make it fail. */
  readonly firmware?: readonly string[]
  readonly params?: readonly string[]
  /** What it registers with the kernel (for example a link kind): two modules cannot register the same. */
  readonly registers?: string
  /** Shipped with the kernel: signed by its own key, no out-of-tree taint. */
  readonly inTree?: true
}

export type Entry =
  | KernelObject
  | { readonly kind: 'text'; readonly text: string }
  /** `program` is found in the table of programs; `busybox` marks a multi-call binary whose shell prefers its own applets. */
  | { readonly kind: 'binary'; readonly program: string; readonly busybox?: true }
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly target: string }
  /** A file of the kernel: what is written goes to `write`, which may refuse. */
  | { readonly kind: 'device'; readonly read: () => string; readonly write?: (text: string) => Errno | undefined }

export type Errno =
  | 'ENOENT'
  | 'EROFS'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'ENOTEMPTY'
  | 'EACCES'
  | 'EEXIST'
  | 'EBUSY'
  | 'EPERM'
  | 'EINVAL'
  | 'ENOEXEC'
  | 'EKEYREJECTED'
  | 'ELOOP'

/** The C library's words. */
export const errorWords: Readonly<Record<Errno, string>> = {
  ENOENT: 'No such file or directory',
  EROFS: 'Read-only file system',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  ENOTEMPTY: 'Directory not empty',
  EACCES: 'Permission denied',
  EEXIST: 'File exists',
  EBUSY: 'Device or resource busy',
  EPERM: 'Operation not permitted',
  EINVAL: 'Invalid argument',
  ENOEXEC: 'Exec format error',
  EKEYREJECTED: 'Key was rejected by service',
  ELOOP: 'Too many levels of symbolic links',
}

/** Paths are absolute, without `.`, `..` and trailing slashes; the root is `/`. */
export type Tree = {
  get(path: string): Entry | undefined
  /** Names in a directory, unsorted; undefined for what is none. */
  list(path: string): readonly string[] | undefined
  put(path: string, entry: Entry): Errno | undefined
  remove(path: string): Errno | undefined
}

export const directory: Entry = { kind: 'directory' }

/** Resolves `.`, `..` and doubled slashes, without looking at links. */
export function normalPath(path: string, directory = '/'): string {
  const full = path.startsWith('/') ? path : `${directory}/${path}`
  if (!full.includes('//') && !full.includes('/.') && (full.length === 1 || !full.endsWith('/'))) return full
  const parts: string[] = []
  for (const part of full.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** An image's files: never changes, shared by all containers that run it. */
export type Layer = {
  readonly entries: ReadonlyMap<string, Entry>
  readonly children: ReadonlyMap<string, ReadonlySet<string>>
}

/** @param files by absolute path; the directories above them come by themselves. */
export function createLayer(files: Readonly<Record<string, Entry>>): Layer {
  const entries = new Map<string, Entry>([['/', directory]])
  const children = new Map<string, Set<string>>([['/', new Set()]])
  const add = (path: string, entry: Entry) => {
    if (path === '/') return
    const parent = parentOf(path)
    if (!entries.has(parent)) add(parent, directory)
    entries.set(path, entry)
    if (entry.kind === 'directory' && !children.has(path)) children.set(path, new Set())
    children.get(parent)?.add(baseName(path))
  }
  for (const [path, entry] of Object.entries(files)) add(normalPath(path), entry)
  return { entries, children }
}

const noLayer = createLayer({})

/** A writable tree over an image: what is written or removed stays in this tree. */
export function createTree(lower: Layer = noLayer): Tree {
  // undefined: removed here although the image has it.
  const upper = new Map<string, Entry | undefined>()
  const upperChildren = new Map<string, Set<string>>()

  const get = (path: string) => (upper.has(path) ? upper.get(path) : lower.entries.get(path))
  const list = (path: string) => {
    if (get(path)?.kind !== 'directory') return undefined
    const above = upperChildren.get(path)
    const below = lower.children.get(path)
    if (above === undefined) return below === undefined ? [] : [...below]
    const names = new Set([...(below ?? []), ...above])
    const prefix = path === '/' ? '/' : `${path}/`
    return [...names].filter(name => get(prefix + name) !== undefined)
  }
  const note = (path: string) => {
    const parent = parentOf(path)
    const known = upperChildren.get(parent)
    if (known === undefined) upperChildren.set(parent, new Set([baseName(path)]))
    else known.add(baseName(path))
  }
  return {
    get,
    list,
    put(path, entry) {
      const parent = get(parentOf(path))
      if (parent === undefined) return 'ENOENT'
      if (parent.kind !== 'directory') return 'ENOTDIR'
      const old = get(path)
      if (old?.kind === 'device' && entry.kind === 'text') return old.write === undefined ? 'EACCES' : old.write(entry.text)
      if (old?.kind === 'directory' && entry.kind !== 'directory') return 'EISDIR'
      upper.set(path, entry)
      note(path)
      return undefined
    },
    remove(path) {
      const old = get(path)
      if (old === undefined) return 'ENOENT'
      if (old.kind === 'directory' && (list(path)?.length ?? 0) > 0) return 'ENOTEMPTY'
      upper.set(path, undefined)
      note(path)
      return undefined
    },
  }
}

/** Makes the directory and those above it. */
export function makeDirectories(tree: Tree, path: string): Errno | undefined {
  const existing = tree.get(path)
  if (existing !== undefined) return existing.kind === 'directory' ? undefined : 'ENOTDIR'
  return makeDirectories(tree, parentOf(path)) ?? tree.put(path, directory)
}

/** What `cat` shows. Kernel objects and programs are not text; their bytes do not matter to anybody here. */
export function textOf(entry: Entry): string {
  switch (entry.kind) {
    case 'text':
      return entry.text
    case 'device':
      return entry.read()
    case 'ko':
      return `\u007fELF ${entry.name}\n`
    case 'binary':
      return `\u007fELF ${entry.program}\n`
    case 'directory':
    case 'link':
  }
  return ''
}
