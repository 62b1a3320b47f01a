// Runs the command line inside the test's own process, with text for its input and output.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { main } from '../../src/cli/program.ts'

export type Outcome = { readonly code: number; readonly out: string; readonly err: string }

/** Without an environment: no command finds a cluster that a test has not named. */
export async function runKmm(argv: readonly string[], stdin = ''): Promise<Outcome> {
  const written = { out: '', err: '' }
  const code = await main(
    argv,
    {
      readStdin: () => Promise.resolve(stdin),
      out: text => {
        written.out += text
      },
      err: text => {
        written.err += text
      },
      terminal: undefined,
      stop: new AbortController().signal,
    },
    {},
  )
  return { code, ...written }
}

/** A directory with these files; gone when the test ends. */
export function filesOf(context: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'kmm-cli-'))
  context.after(() => rmSync(directory, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}
