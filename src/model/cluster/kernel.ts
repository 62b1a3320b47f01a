// A kernel: loads a module only if its signature, build, symbols and firmware are right, and keeps it while it is in use. The order of
// the checks is that of kernel/module/main.c (load_module), the words of the log are the kernel's.
import type { Clock } from '../../shell/clock.ts'
import type { Errno, KernelObject } from './files.ts'

export type LoadedModule = {
  readonly name: string
  readonly version?: string
  /** The image it came from; absent for the host's own. */
  readonly image?: string
  readonly inTree: boolean
  /** Letters of /sys/module/NAME/taint: O (out of tree), E (unsigned or unknown key). */
  readonly taint: string
  readonly params: string
  readonly depends: readonly string[]
  readonly registers?: string
  readonly loadedAtMs: number
}

export type ModelKernel = {
  /** `uname -r`. */
  readonly release: string
  /** New at every boot. */
  readonly bootId: string
  readonly loaded: ReadonlyMap<string, LoadedModule>
  /** The value of /proc/sys/kernel/tainted: 4096 is O, 8192 is E. */
  readonly tainted: number
  /** The last lines of the kernel log, oldest first, with their time stamps. */
  readonly log: readonly string[]
  firmwareClassPath: string
  /** Since boot. */
  uptimeMs(): number
  /** finit_module(2). `hasFirmware` looks in the node's own file system. */
  insert(file: KernelObject, params: string, image: string | undefined, hasFirmware: (name: string) => boolean): Errno | undefined
  /** delete_module(2). */
  remove(name: string): Errno | undefined
  /** Loaded modules that use this one. */
  holders(name: string): readonly string[]
  /** Users of the module: holders, and processes that keep a device of it open. */
  useCount(name: string): number
  /** A process opens, or closes, a device of the module. */
  hold(name: string): void
  releaseHold(name: string): void
}

type KernelOptions = {
  readonly release: string
  readonly bootId: string
  readonly clock: Clock
  /** module.sig_enforce=1, as under Secure Boot. */
  readonly signatures: 'enforced' | 'not enforced'
  /** Names of certificates that the kernel trusts. */
  readonly trustedKeys: readonly string[]
  readonly firmwareClassPath: string
}

const logLimit = 200
const taintOutOfTree = 4096
const taintUnsigned = 8192

/** modprobe and the kernel take `-` and `_` in names as equal. */
export const moduleName = (name: string): string => name.replaceAll('-', '_')

export function bootKernel(options: KernelOptions): ModelKernel {
  const { release, clock } = options
  const bootedAtMs = clock.nowMs()
  const loaded = new Map<string, LoadedModule>()
  const held = new Map<string, number>()
  const log: string[] = []
  let tainted = 0
  const say = (line: string) => {
    log.push(`[${((clock.nowMs() - bootedAtMs) / 1000).toFixed(6).padStart(12)}] ${line}`)
    if (log.length > logLimit) log.shift()
  }
  const holders = (name: string) =>
    [...loaded.values()].filter(module => module.depends.includes(name)).map(module => module.name)
  const useCount = (name: string) => holders(name).length + (held.get(name) ?? 0)

  const checkSignature = (file: KernelObject): Errno | 'trusted' | 'untrusted' => {
    const isTrusted = file.inTree === true || (file.signer !== undefined && options.trustedKeys.includes(file.signer))
    if (isTrusted && file.tampered === undefined) return 'trusted'
    if (options.signatures === 'not enforced') return 'untrusted'
    if (file.signer === undefined) say('Loading of unsigned module is rejected')
    else if (file.tampered === undefined) say('Loading of module with unavailable key is rejected')
    return 'EKEYREJECTED'
  }

  const initialise = (file: KernelObject, name: string, hasFirmware: (name: string) => boolean): Errno | undefined => {
    for (const firmware of file.firmware ?? []) {
      if (hasFirmware(firmware)) continue
      say(`${name}: Direct firmware load for ${firmware} failed with error -2`)
      return 'ENOENT'
    }
    const { registers } = file
    if (registers !== undefined && [...loaded.values()].some(other => other.registers === registers)) return 'EEXIST'
    return undefined
  }

  return {
    release,
    bootId: options.bootId,
    loaded,
    get tainted() {
      return tainted
    },
    log,
    firmwareClassPath: options.firmwareClassPath,
    uptimeMs: () => clock.nowMs() - bootedAtMs,
    insert(file, params, image, hasFirmware) {
      const name = moduleName(file.name)
      const signature = checkSignature(file)
      if (signature === 'EKEYREJECTED') return signature
      if (file.kernel !== release) {
        say(`${name}: disagrees about version of symbol module_layout`)
        return 'ENOEXEC'
      }
      if (loaded.has(name)) return 'EEXIST'
      const depends = (file.depends ?? []).map(moduleName)
      const missing = [
        ...depends.filter(other => !loaded.has(other)).map(other => `${other}_get`),
        ...(file.missingSymbols ?? []),
      ]
      for (const symbol of missing) say(`${name}: Unknown symbol ${symbol} (err -2)`)
      if (missing.length > 0) return 'ENOENT'
      if (file.inTree !== true && (tainted & taintOutOfTree) === 0) say(`${name}: loading out-of-tree module taints kernel.`)
      if (signature === 'untrusted' && (tainted & taintUnsigned) === 0) {
        say(`${name}: module verification failed: signature and/or required key missing - tainting kernel`)
      }
      tainted |= (file.inTree === true ? 0 : taintOutOfTree) | (signature === 'untrusted' ? taintUnsigned : 0)
      for (const param of params.split(' ')) {
        const key = param.split('=')[0] ?? ''
        if (key !== '' && !(file.params ?? []).includes(key)) say(`${name}: unknown parameter '${key}' ignored`)
      }
      const failure = initialise(file, name, hasFirmware)
      if (failure !== undefined) return failure
      loaded.set(name, {
        name,
        ...(file.version === undefined ? {} : { version: file.version }),
        ...(image === undefined ? {} : { image }),
        inTree: file.inTree === true,
        taint: (file.inTree === true ? '' : 'O') + (signature === 'untrusted' ? 'E' : ''),
        params,
        depends,
        ...(file.registers === undefined ? {} : { registers: file.registers }),
        loadedAtMs: clock.nowMs(),
      })
      say(`${name}: loaded`)
      return undefined
    },
    remove(given) {
      const name = moduleName(given)
      if (!loaded.has(name)) return 'ENOENT'
      if (useCount(name) > 0) return 'EBUSY'
      loaded.delete(name)
      say(`${name}: unloaded`)
      return undefined
    },
    holders: name => holders(moduleName(name)),
    useCount: name => useCount(moduleName(name)),
    hold(name) {
      held.set(moduleName(name), (held.get(moduleName(name)) ?? 0) + 1)
    },
    releaseHold(name) {
      held.set(moduleName(name), Math.max(0, (held.get(moduleName(name)) ?? 0) - 1))
    },
  }
}
