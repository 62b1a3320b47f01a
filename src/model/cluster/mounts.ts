// What one container (or the node itself) sees: trees mounted into each other, links followed across them.
import { type Entry, type Errno, normalPath, parentOf, type Tree } from './files.ts'

export type Mount = {
  readonly path: string
  readonly tree: Tree
  /** Where in `tree` the mount begins, for bind mounts of a part or a single file. */
  readonly root: string
  readonly access: 'read-write' | 'read-only'
}

/** Paths given to it may be relative to `directory` and may contain links. */
export type FileView = {
  /** Follows links; undefined when nothing is there. */
  get(path: string, directory?: string): Entry | undefined
  list(path: string, directory?: string): readonly string[] | undefined
  /** Creates or replaces the content. A new file needs its directory. */
  write(path: string, entry: Entry, directory?: string): Errno | undefined
  remove(path: string, directory?: string): Errno | undefined
  /** The target of a link; undefined when it is none. */
  link(path: string, directory?: string): string | undefined
  /** The path with all links resolved; of something that is not there, as far as it goes. */
  resolve(path: string, directory?: string): string
  /** Whether the mount that holds the path can be written. */
  access(path: string, directory?: string): Errno | undefined
}

const linkLimit = 40

/** @param mounts the first must be `/`; a later one hides what lies below its path. */
export function createFileView(mounts: readonly Mount[]): FileView {
  const byLength = [...mounts].sort((a, b) => b.path.length - a.path.length)
  const mountPoints = byLength.filter(mount => mount.path !== '/').map(mount => mount.path)

  const find = (path: string): { readonly mount: Mount; readonly inner: string } | undefined => {
    for (const mount of byLength) {
      if (mount.path === '/') return { mount, inner: mount.root === '/' ? path : normalPath(mount.root + path) }
      if (path === mount.path) return { mount, inner: mount.root }
      if (path.startsWith(`${mount.path}/`)) {
        const rest = path.slice(mount.path.length)
        return { mount, inner: mount.root === '/' ? rest : mount.root + rest }
      }
    }
    return undefined
  }
  const look = (path: string): Entry | undefined => {
    const found = find(path)
    const entry = found?.mount.tree.get(found.inner)
    if (entry !== undefined) return entry
    // A mount point exists even where the image has no such directory: the runtime makes it.
    return mountPoints.some(point => point === path || point.startsWith(`${path}/`)) ? { kind: 'directory' } : undefined
  }
  /** The path with all links resolved but, with `last: 'keep'`, the last one. */
  const resolve = (path: string, last: 'follow' | 'keep'): string | undefined => {
    let rest = path.split('/').filter(part => part !== '')
    let done = ''
    for (let links = 0; rest.length > 0; ) {
      const [part, ...after] = rest
      if (part === '..') {
        done = done === '' ? '' : parentOf(done) === '/' ? '' : parentOf(done)
        rest = after
        continue
      }
      const here = `${done}/${part}`
      const entry = look(here)
      rest = after
      if (entry?.kind !== 'link' || (last === 'keep' && after.length === 0)) {
        done = here
        continue
      }
      if (++links > linkLimit) return undefined
      if (entry.target.startsWith('/')) done = ''
      rest = [...entry.target.split('/').filter(piece => piece !== '' && piece !== '.'), ...after]
    }
    return done === '' ? '/' : done
  }
  /** Most paths have no link: look straight first. */
  const follow = (path: string): string | undefined => {
    const entry = look(path)
    return entry !== undefined && entry.kind !== 'link' ? path : resolve(path, 'follow')
  }

  return {
    get(path, directory) {
      const real = follow(normalPath(path, directory))
      return real === undefined ? undefined : look(real)
    },
    list(path, directory) {
      const real = follow(normalPath(path, directory))
      if (real === undefined || look(real)?.kind !== 'directory') return undefined
      const found = find(real)
      const names = new Set(found?.mount.tree.list(found.inner))
      const prefix = real === '/' ? '/' : `${real}/`
      for (const point of mountPoints) if (point.startsWith(prefix)) names.add(point.slice(prefix.length).split('/')[0] ?? '')
      return [...names].sort()
    },
    write(path, entry, directory) {
      const real = follow(normalPath(path, directory))
      if (real === undefined) return 'ELOOP'
      if (look(parentOf(real)) === undefined) return 'ENOENT'
      const found = find(real)
      if (found === undefined) return 'ENOENT'
      if (found.mount.access === 'read-only') return 'EROFS'
      return found.mount.tree.put(found.inner, entry)
    },
    remove(path, directory) {
      const real = resolve(normalPath(path, directory), 'keep')
      if (real === undefined) return 'ELOOP'
      const found = find(real)
      if (found === undefined || look(real) === undefined) return 'ENOENT'
      if (mountPoints.includes(real)) return 'EBUSY'
      if (found.mount.access === 'read-only') return 'EROFS'
      return found.mount.tree.remove(found.inner)
    },
    link(path, directory) {
      const real = resolve(normalPath(path, directory), 'keep')
      const entry = real === undefined ? undefined : look(real)
      return entry?.kind === 'link' ? entry.target : undefined
    },
    resolve: (path, directory) => follow(normalPath(path, directory)) ?? normalPath(path, directory),
    access(path, directory) {
      const real = follow(normalPath(path, directory))
      return real !== undefined && find(real)?.mount.access === 'read-only' ? 'EROFS' : undefined
    },
  }
}

/** A file view as a tree, so that a part of the node can be mounted into a container. */
export function treeOf(view: FileView): Tree {
  return {
    get: path => view.get(path),
    list: path => view.list(path),
    put: (path, entry) => view.write(path, entry),
    remove: path => view.remove(path),
  }
}
