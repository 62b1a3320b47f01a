// Programs that run to their end.
import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The trimmed stdout. Rejects with the program's own words when it fails. */
export function outputOf(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim())
      else reject(new Error(`${program} ${args.join(' ')} failed: ${stderr.trim() || error.message}`))
    })
  })
}

/** Runs a long program at low priority; every line it writes is reported, the last ones are in the error. */
export async function runWithProgress(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly report: (line: string) => void },
): Promise<void> {
  const child = spawn('nice', ['-n', '10', program, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killChild = () => child.kill('SIGKILL')
  process.once('exit', killChild)
  const last: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      options.report(line)
      last.push(line)
      if (last.length > 20) last.shift()
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => process.removeListener('exit', killChild))
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${last.join('\n')}`)
}
