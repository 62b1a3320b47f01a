// Images as people build them: a small distribution, and drivers on top of it.
import type { Entry, KernelObject } from './files.ts'
import type { ImageContent } from './registry.ts'

const link = (target: string): Entry => ({ kind: 'link', target })
const binary = (program: string): Entry => ({ kind: 'binary', program })
const text = (content: string): Entry => ({ kind: 'text', text: content })
const folder: Entry = { kind: 'directory' }

const tools = [
  'sleep',
  'cat',
  'head',
  'tail',
  'cut',
  'cp',
  'mv',
  'rm',
  'rmdir',
  'mkdir',
  'touch',
  'ln',
  'ls',
  'find',
  'sort',
  'uniq',
  'xargs',
  'grep',
  'tr',
  'wc',
  'tee',
  'date',
  'env',
  'basename',
  'dirname',
  'readlink',
  'true',
  'false',
  'sync',
  'chmod',
  'chown',
  'uname',
  'dmesg',
  'echo',
  'printf',
  'test',
  '[',
  'kill',
]
const kmod = ['modprobe', 'insmod', 'rmmod', 'lsmod']

const skeleton: Readonly<Record<string, Entry>> = {
  '/bin': link('usr/bin'),
  '/sbin': link('usr/sbin'),
  '/tmp': folder,
  '/etc/modprobe.d': folder,
  '/var/lib': folder,
  '/run': folder,
}

/** dash, coreutils, kmod. `without` leaves programs out, for example `dmesg` or `sh`. */
export function baseFiles(without: readonly string[] = []): Readonly<Record<string, Entry>> {
  const files: Record<string, Entry> = { ...skeleton, '/usr/bin/sh': binary('sh'), '/usr/bin/daemon': binary('daemon') }
  for (const tool of tools) files[`/usr/bin/${tool}`] = binary(tool)
  for (const tool of kmod) files[`/usr/sbin/${tool}`] = binary(tool)
  for (const name of without) {
    delete files[`/usr/bin/${name}`]
    delete files[`/usr/sbin/${name}`]
  }
  return files
}

/** A shell and tools from one busybox binary, whose own modprobe applet comes before kmod's. */
export function busyboxFiles(): Readonly<Record<string, Entry>> {
  const busybox: Entry = { kind: 'binary', program: 'busybox', busybox: true }
  const files: Record<string, Entry> = { ...skeleton, '/usr/bin/busybox': busybox }
  for (const tool of ['sh', ...tools, ...kmod]) files[`/usr/bin/${tool}`] = link('busybox')
  return files
}

export type DriverImage = {
  readonly kernel: string
  readonly modules: readonly Omit<KernelObject, 'kind' | 'kernel'>[]
  /** The kernel that the modules were built for; absent: `kernel`, whose directory they lie in. */
  readonly builtFor?: string
  /** Default `/opt`. */
  readonly directory?: string
  /** `missing`: depmod was not run. Default `present`. */
  readonly index?: 'present' | 'missing'
  /** Content by path relative to `firmwarePath`. */
  readonly firmware?: Readonly<Record<string, string>>
  readonly firmwarePath?: string
  readonly base?: Readonly<Record<string, Entry>>
  readonly files?: Readonly<Record<string, Entry>>
}

/** The modules of one kernel below `<directory>/lib/modules/<kernel>`, as depmod leaves them. */
export function moduleFiles(
  root: string,
  kernel: string,
  modules: readonly KernelObject[],
  folderName = 'extra',
): Readonly<Record<string, Entry>> {
  const directory = `${root === '/' ? '' : root}/lib/modules/${kernel}`
  const files: Record<string, Entry> = {}
  const lines: string[] = []
  for (const module of modules) {
    files[`${directory}/${folderName}/${module.name}.ko`] = module
    const depends = (module.depends ?? []).filter(name => modules.some(other => other.name === name))
    lines.push(`${folderName}/${module.name}.ko:${depends.map(name => ` ${folderName}/${name}.ko`).join('')}\n`)
  }
  return { ...files, [`${directory}/modules.dep`]: text(lines.join('')) }
}

/** An image that loads: tools, the modules for one or several kernels, firmware. */
export function driverImage(...drivers: readonly DriverImage[]): ImageContent {
  const files: Record<string, Entry> = {}
  for (const driver of drivers) {
    const modules = driver.modules.map(
      (module): KernelObject => ({ kind: 'ko', kernel: driver.builtFor ?? driver.kernel, ...module }),
    )
    Object.assign(
      files,
      driver.base ?? baseFiles(),
      moduleFiles(driver.directory ?? '/opt', driver.kernel, modules),
      driver.files,
    )
    if (driver.index === 'missing') delete files[`${driver.directory ?? '/opt'}/lib/modules/${driver.kernel}/modules.dep`]
    for (const [path, content] of Object.entries(driver.firmware ?? {}))
      files[`${driver.firmwarePath ?? '/firmware'}/${path}`] = text(content)
  }
  return { files, command: ['sleep', 'infinity'] }
}

/** A server, for example a device plugin: runs until it is told to end. */
export const daemonImage = (path = '/usr/bin/daemon'): ImageContent => ({
  files: { ...baseFiles(), [path]: binary('daemon') },
  command: [path],
})
