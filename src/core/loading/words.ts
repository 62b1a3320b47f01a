// What a hook of ours has left in /dev/termination-log, as the kubelet shows it in `terminated.message` (decisions.md 13).

export type Said = 'loaded' | 'load failed' | 'unloaded' | 'unload failed'

export type LoaderWords = {
  readonly said: Said
  /** Boot in which it was said: `/proc/sys/kernel/random/boot_id`, the Node's `nodeInfo.bootID`. Absent where it could not be read. */
  readonly bootId?: string
  /** Of modprobe (or of the step before it that failed); several lines, without a final newline. */
  readonly words: string
  /** The last lines of the kernel log after a failure, where the container may read it. */
  readonly kernelLog: string
}

const firstLine = /^kmm (loaded|load failed|unloaded|unload failed) (\S+)$/
/** `dmesg` begins its lines with seconds since boot, or with a date. */
const kernelLine = /^(?:<\d+>)?\[ *(?:\d+\.\d+|[A-Z][a-z]{2} [^\]]+)\]/

/** Undefined for a message that is not ours: an adopted loader's, another program's, or none. */
export function parseWords(message: string): LoaderWords | undefined {
  const lines = message.split('\n').map(line => line.replace(/\r$/, ''))
  const match = firstLine.exec(lines[0] ?? '')
  const said = match?.[1] as Said | undefined
  const bootId = match?.[2]
  if (said === undefined || bootId === undefined) return undefined
  const rest = lines.slice(1)
  const heading = rest.indexOf('kernel:')
  const start = heading >= 0 ? heading : rest.findIndex(line => kernelLine.test(line))
  const text = (part: readonly string[]) => part.join('\n').trim()
  return {
    said,
    ...(bootId === 'unknown' ? {} : { bootId }),
    words: text(start < 0 ? rest : rest.slice(0, start)),
    kernelLog: text(start < 0 ? [] : rest.slice(heading >= 0 ? start + 1 : start)),
  }
}
