import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Runs `work` while this process alone holds the lock folder `path`. A lock whose process is gone is taken over. Waits at most an
 * hour (a cold compilation on a slow machine), then throws.
 */
export async function withLock<T>(path: string, report: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const owner = join(path, 'pid')
  let told = false
  for (let waitedSeconds = 0; !(await taken(path)); waitedSeconds++) {
    if (waitedSeconds > 3600) throw new Error(`${path} is held for more than an hour: remove it if nothing compiles`)
    const pid = Number(await readFile(owner, 'utf8').catch(() => '0'))
    // A lock without a pid is being made, or its maker died in between: the second is decided after 10 s.
    if (pid > 0 ? !isAlive(pid) : waitedSeconds > 10) await rm(path, { recursive: true, force: true })
    if (!told) report(`another run (process ${pid}) compiles already, waiting for it ...`)
    told = true
    await delay(1000)
  }
  await writeFile(owner, String(process.pid))
  try {
    return await work()
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
