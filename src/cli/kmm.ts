#!/usr/bin/env node
// The entrance: `kmm ARGS`, and as `kubectl-kmm` in the PATH also `kubectl kmm ARGS`.
import { text } from 'node:stream/consumers'
import type { Io } from './io.ts'
import { main } from './program.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
// The reader of our output went away (`kmm plan | head`): that is no mistake of anybody.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74))

const io: Io = {
  readStdin: () => text(process.stdin),
  out: written => void process.stdout.write(written),
  err: written => void process.stderr.write(written),
  terminal: process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined,
  stop: stop.signal,
}

process.exitCode = await main(process.argv.slice(2), io, process.env)
