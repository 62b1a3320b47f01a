import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { messageOf, TransportError } from './transport-error.ts'

/**
 * A file that others may replace: looked at once a second at most, read again when it changed. Mounted Secrets and projected tokens
 * are replaced by switching a symbolic link, so the inode tells as much as the time.
 */
export type FreshFile = {
  /** The text. While the file is missing or cannot be read, the last one; TransportError if there never was one. */
  read(): Promise<string>
  /** Looks at the file at the next read, however recent the last look is. */
  expire(): void
}

const lookEveryMs = 1000

export function freshFile(path: string, purpose: string, clock: Clock): FreshFile {
  let text: string | undefined
  let identity = ''
  let lookedAtMs = Number.NEGATIVE_INFINITY
  // Requests that are sent together look together.
  let looking: Promise<string> | undefined
  async function look(): Promise<string> {
    const now = clock.monotonicMs()
    try {
      const { mtimeMs, ino, size } = await stat(path)
      const seen = `${mtimeMs} ${ino} ${size}`
      if (text === undefined || seen !== identity) text = await readFile(path, 'utf8')
      identity = seen
      lookedAtMs = now
    } catch (error) {
      if (text === undefined) {
        throw new TransportError('credentials', `the ${purpose} ${path} cannot be read: ${messageOf(error)}`, error)
      }
    }
    return text
  }
  return {
    read: async () => {
      if (text !== undefined && clock.monotonicMs() - lookedAtMs < lookEveryMs) return text
      looking ??= look().finally(() => {
        looking = undefined
      })
      return looking
    },
    expire: () => {
      lookedAtMs = Number.NEGATIVE_INFINITY
      identity = ''
      // What is being looked at may be what was found useless.
      looking = undefined
    },
  }
}
