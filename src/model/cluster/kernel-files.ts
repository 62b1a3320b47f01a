// /proc and /sys as far as scripts read them: the running kernel, shown as files.
import { type Entry, type Errno, normalPath, type Tree } from './files.ts'
import type { LoadedModule, ModelKernel } from './kernel.ts'

type Folder = { readonly [name: string]: Folder | Entry | undefined }

const isEntry = (found: Folder | Entry): found is Entry => typeof (found as { kind?: unknown }).kind === 'string'
const shown = (read: () => string): Entry => ({ kind: 'device', read })

/**
 * @param kernel asked anew at each look, since a reboot brings another one.
 * @param pids what runs in the container that looks; each has a directory.
 */
export function kernelProcTree(kernel: () => ModelKernel, pids: () => Iterable<number> = () => []): Tree {
  return readingTree(() => ({
    ...Object.fromEntries(Array.from(pids(), pid => [String(pid), {}])),
    modules: shown(() => [...kernel().loaded.values()].map(module => moduleLine(kernel(), module)).join('')),
    version: shown(() => `Linux version ${kernel().release}\n`),
    uptime: shown(() => `${(kernel().uptimeMs() / 1000).toFixed(2)} 0.00\n`),
    cmdline: shown(() => `BOOT_IMAGE=/vmlinuz-${kernel().release}\n`),
    sys: {
      kernel: {
        osrelease: shown(() => `${kernel().release}\n`),
        tainted: shown(() => `${kernel().tainted}\n`),
        random: { boot_id: shown(() => `${kernel().bootId}\n`) },
      },
    },
  }))
}

/** /sys/module, writable where the kernel's is: containers mount it read-only (kubelet-facts.md, below the table). */
export function kernelSysTree(kernel: () => ModelKernel): Tree {
  const firmwarePath: Entry = {
    kind: 'device',
    read: () => `${kernel().firmwareClassPath}\n`,
    write(text) {
      kernel().firmwareClassPath = text.trimEnd()
      return undefined
    },
  }
  return readingTree(() => {
    const modules: Record<string, Folder> = { firmware_class: { parameters: { path: firmwarePath } } }
    for (const module of kernel().loaded.values()) modules[module.name] = moduleFolder(kernel(), module)
    return { module: modules }
  })
}

function moduleFolder(kernel: ModelKernel, module: LoadedModule): Folder {
  const parameters: Record<string, Entry> = {}
  for (const param of module.params.split(' ')) {
    const [name = '', ...value] = param.split('=')
    if (name !== '') parameters[name] = shown(() => `${value.join('=')}\n`)
  }
  const holders: Record<string, Folder> = {}
  for (const holder of kernel.holders(module.name)) holders[holder] = {}
  return {
    taint: shown(() => `${module.taint}\n`),
    refcnt: shown(() => `${kernel.useCount(module.name)}\n`),
    initstate: shown(() => 'live\n'),
    ...(module.version === undefined ? {} : { version: shown(() => `${module.version}\n`) }),
    parameters,
    holders,
  }
}

/** As in /proc/modules: name, size, users, holders, state, address, taint. */
function moduleLine(kernel: ModelKernel, module: LoadedModule): string {
  const holders = kernel.holders(module.name)
  const taint = module.taint === '' ? '' : ` (${module.taint})`
  const used = holders.length === 0 ? '-' : `${holders.join(',')},`
  return `${module.name} 16384 ${kernel.useCount(module.name)} ${used} Live 0x0000000000000000${taint}\n`
}

function readingTree(root: () => Folder): Tree {
  const find = (path: string): Folder | Entry | undefined => {
    let here: Folder | Entry | undefined = root()
    for (const part of normalPath(path).split('/')) {
      if (part === '') continue
      if (here === undefined || isEntry(here)) return undefined
      here = Object.hasOwn(here, part) ? here[part] : undefined
    }
    return here
  }
  const refuse = (path: string): Errno => (find(path) === undefined ? 'EPERM' : 'EACCES')
  return {
    get(path) {
      const found = find(path)
      return found === undefined ? undefined : isEntry(found) ? found : { kind: 'directory' }
    },
    list(path) {
      const found = find(path)
      return found === undefined || isEntry(found) ? undefined : Object.keys(found)
    },
    put(path, entry) {
      const found = find(path)
      if (found === undefined || !isEntry(found) || found.kind !== 'device' || entry.kind !== 'text') return refuse(path)
      return found.write === undefined ? 'EACCES' : found.write(entry.text)
    },
    remove: refuse,
  }
}
