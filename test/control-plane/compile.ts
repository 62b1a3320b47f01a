// Compiles every program of the control plane ahead of the tests: node test/control-plane/compile.ts
import { findBinaries, programs } from './binaries.ts'

const found = await findBinaries(programs, line => process.stderr.write(`${line}\n`))
if ('skipped' in found) {
  process.stderr.write(`${found.skipped}\n`)
  process.exitCode = 1
} else {
  for (const program of programs) process.stdout.write(`${program}\t${found[program] ?? ''}\n`)
}
