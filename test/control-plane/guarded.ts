// Programs that never outlive the test that started them, also when the test is killed with SIGKILL: a shell keeps the read end of
// a pipe whose only write end is ours, and kills the program when that pipe closes without a word.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

export type Guarded = {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  isRunning(): boolean
  /** Resolves when the program has ended: to its exit code, or undefined when a signal ended it. */
  readonly ended: Promise<number | undefined>
  /** Sends SIGKILL and waits until the program is gone: nothing here has anything to save. */
  kill(): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void
  /** The end of what the program wrote, for error messages. */
  lastWords(): Promise<string>
}

// The watcher is a child of the shell, and the shell becomes the program (same pid), so signals and exit codes are the program's own.
// "A word" (any line) tells the watcher that the program ended and its pid may belong to another.
// Signals to the whole process group (Ctrl-C, `timeout`) end us, not the watcher: kube-apiserver can take for ever to end by itself.
const deaf = 'trap "" HUP INT QUIT TERM'
const script = `exec 3<&0; ( ${deaf}; read -r word <&3 || kill -9 $$ ) >/dev/null 2>&1 & exec "$@" 3<&- </dev/null`

export function startGuarded(name: string, program: string, args: readonly string[], logFile: string): Guarded {
  const log = openSync(logFile, 'a')
  const child = spawn('sh', ['-c', script, 'sh', program, ...args], { stdio: ['pipe', log, log] })
  closeSync(log)
  const guard = guardPipe(child)
  const { pid } = child
  if (pid === undefined) throw new Error(`${name}: ${program} could not be started`)
  let isOver = false
  const ended = new Promise<number | undefined>(resolve => {
    child.once('error', () => resolve(undefined))
    child.once('exit', code => resolve(code ?? undefined))
  }).then(code => {
    isOver = true
    guard.end('ended\n')
    return code
  })
  return {
    name,
    pid,
    logFile,
    isRunning: () => !isOver,
    ended,
    kill: async () => {
      if (isOver) return
      child.ref()
      child.kill('SIGKILL')
      await ended
    },
    signal: signal => {
      if (!isOver) child.kill(signal)
    },
    lastWords: async () => {
      const text = await readFile(logFile, 'utf8').catch(() => '')
      return text.trim().split('\n').slice(-12).join('\n')
    },
  }
}

/** Removes the folder when this process ends in whatever way; `forget` when it was removed already. */
export function removeAtEnd(folder: string): { forget(): void } {
  const janitor = `${deaf}; read -r word || { sleep 1; rm -rf -- "$1"; }`
  const child = spawn('sh', ['-c', janitor, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'] })
  const guard = guardPipe(child)
  return { forget: () => guard.end('gone\n') }
}

/**
 * Our end of the pipe. Neither it nor the program keeps this process alive: a forgotten control plane must not hang a test, and when
 * the process ends, the pipe closes and the program with it.
 */
function guardPipe(child: ChildProcess): Writable {
  const pipe = child.stdin
  if (pipe === null) throw new Error('the program was started without a pipe')
  pipe.on('error', () => undefined)
  child.unref()
  if (pipe instanceof Socket) pipe.unref()
  return pipe
}

/** Polls until `isReady` resolves to true; throws with the program's last words when it ends or the deadline passes. */
export async function waitUntilReady(program: Guarded, deadlineMs: number, isReady: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await isReady().catch(() => false))) {
    if (!program.isRunning()) throw new Error(`${program.name} ended at its start:\n${await program.lastWords()}`)
    if (performance.now() > end) {
      throw new Error(`${program.name} was not ready after ${deadlineMs / 1000} s:\n${await program.lastWords()}`)
    }
    await delay(50)
  }
}
