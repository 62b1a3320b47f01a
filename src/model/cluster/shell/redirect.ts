// Redirections (POSIX XCU 2.7): which file or descriptor a command's input and output lead to.
import { errorWords, textOf } from '../files.ts'
import type { Routine } from '../routine.ts'
import { expandText, type Substitute } from './expand.ts'
import type { Descriptor, Shell } from './state.ts'
import type { Redirection } from './syntax.ts'

/** @returns the descriptors with the redirections carried out, or the shell's words about the one that failed. */
export function* redirect(
  shell: Shell,
  redirections: readonly Redirection[],
  substitute: Substitute,
): Routine<Map<number, Descriptor> | string> {
  const descriptors = new Map(shell.descriptors)
  for (const redirection of redirections) {
    const target = yield* expandText(shell, redirection.target, substitute)
    const opened = open(shell, descriptors, redirection, target)
    if (typeof opened === 'string') return opened
    if (opened === undefined) descriptors.delete(redirection.fd)
    else descriptors.set(redirection.fd, opened)
  }
  return descriptors
}

/** undefined: the descriptor is closed (`2>&-`). */
function open(
  shell: Shell,
  descriptors: ReadonlyMap<number, Descriptor>,
  redirection: Redirection,
  target: string,
): Descriptor | string | undefined {
  const { files } = shell.surroundings
  switch (redirection.operator) {
    case '>&':
    case '<&': {
      if (target === '-') return undefined
      return descriptors.get(Number(target)) ?? `${target}: Bad file descriptor`
    }
    case '<':
    case '<>': {
      const entry = files.get(target, shell.directory)
      if (entry === undefined) return `cannot open ${target}: No such file`
      if (entry.kind === 'directory') return { source: { text: '', at: 0 } }
      return { source: { text: textOf(entry), at: 0 } }
    }
    case '>':
    case '>|':
    case '>>': {
      const isAppend = redirection.operator === '>>'
      const existing = files.get(target, shell.directory)
      if (existing?.kind === 'directory') return `cannot create ${target}: ${errorWords.EISDIR}`
      if (existing?.kind === 'device') {
        if (existing.write === undefined) return `cannot create ${target}: ${errorWords.EACCES}`
        const refused = probe(shell, target)
        return refused === undefined ? fileSink(shell, target, 'each write') : `cannot create ${target}: ${refused}`
      }
      const start = isAppend && existing !== undefined ? textOf(existing) : ''
      const failed = files.write(target, { kind: 'text', text: start }, shell.directory)
      if (failed !== undefined)
        return `cannot create ${target}: ${failed === 'ENOENT' ? 'Directory nonexistent' : errorWords[failed]}`
      return fileSink(shell, target, 'append')
    }
  }
}

/** Opening a file of the kernel writes nothing, but fails where its mount is read-only: the view says so on an empty write. */
function probe(shell: Shell, target: string): string | undefined {
  const refused = shell.surroundings.files.access(target, shell.directory)
  return refused === undefined ? undefined : errorWords[refused]
}

function fileSink(shell: Shell, target: string, how: 'append' | 'each write'): Descriptor {
  const { files } = shell.surroundings
  const { directory } = shell
  return {
    write(text) {
      const entry = how === 'append' ? files.get(target, directory) : undefined
      files.write(target, { kind: 'text', text: (entry === undefined ? '' : textOf(entry)) + text }, directory)
    },
  }
}
