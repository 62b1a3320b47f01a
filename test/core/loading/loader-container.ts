// A loader container without a container: the real /bin/sh runs the scripts with a modprobe of ours in its PATH, and the fixed paths
// of a node lie in a temporary folder.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoaderPaths } from '../../../src/core/loading/hook-paths.ts'

export const bootId = '0b5f2f2a-8b1b-4a7c-9d53-6f3f0f4d2c11'

export type LoaderContainer = {
  readonly folder: string
  readonly paths: LoaderPaths
  /** A program in the container; the lines are its shell script. */
  program(name: string, ...lines: readonly string[]): void
  write(path: string, text: string): void
  read(path: string): string | undefined
  run(
    script: string,
    how?: { readonly shell?: string; readonly onlyOwnPrograms?: true },
  ): { readonly code: number | null; readonly stderr: string }
  /** Arguments of each call of a recording program, in order. */
  calls(name: string): readonly (readonly string[])[]
  remove(): void
}

/** A modprobe that succeeds, a dmesg that may not read, and a sleep that turns the clock of the node instead of waiting. */
export function loaderContainer(): LoaderContainer {
  const folder = mkdtempSync(join(tmpdir(), 'kmm-loader-'))
  const at = (path: string) => join(folder, path)
  const paths: LoaderPaths = {
    mark: at('dev/kmm-loaded'),
    loadHook: at('dev/kmm-load-hook'),
    processes: '/proc',
    terminationLog: at('dev/termination-log'),
    bootId: at('proc/boot_id'),
    uptime: at('proc/uptime'),
    sysModule: at('sys/module'),
    hostFirmware: at('host/firmware'),
    firmwareSearchPath: at('sys/module/firmware_class/parameters/path'),
  }
  const write = (path: string, text: string) => {
    mkdirSync(join(at(path), '..'), { recursive: true })
    writeFileSync(at(path), text)
  }
  const program = (name: string, ...lines: readonly string[]) => {
    const record = `printf '%s\\0' "$#" "$@" >> '${at(`calls-${name}`)}'`
    write(`bin/${name}`, ['#!/bin/sh', record, ...lines, ''].join('\n'))
    chmodSync(at(`bin/${name}`), 0o755)
  }
  write('proc/boot_id', `${bootId}\n`)
  write('proc/uptime', '1000.25 3000.50\n')
  write('dev/termination-log', '')
  mkdirSync(at('host/firmware'), { recursive: true })
  mkdirSync(at('sys/module'), { recursive: true })
  program('modprobe')
  program('dmesg', 'exit 1')
  program(
    'sleep',
    `read -r now rest < '${paths.uptime}'`,
    `echo "$((\${now%.*} + $1 * \${SECONDS_PER_SLEEP:-1})).00 1.0" > '${paths.uptime}'`,
  )
  return {
    folder,
    paths,
    program,
    write,
    read: path => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined),
    run: (script, how = {}) => {
      const PATH = how.onlyOwnPrograms === undefined ? `${at('bin')}:/usr/bin:/bin` : at('bin')
      const env = { PATH, SECONDS_PER_SLEEP: '30', LC_ALL: 'C.UTF-8' }
      const result = spawnSync(how.shell ?? '/bin/sh', ['-c', script], {
        env,
        cwd: folder,
        encoding: 'utf8',
        timeout: 20_000,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      return { code: result.status, stderr: result.stderr }
    },
    calls: name => parseCalls(existsSync(at(`calls-${name}`)) ? readFileSync(at(`calls-${name}`), 'utf8') : ''),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function parseCalls(record: string): readonly (readonly string[])[] {
  const words = record.split('\0').slice(0, -1)
  const calls: string[][] = []
  for (let at = 0; at < words.length; ) {
    const count = Number(words[at])
    calls.push(words.slice(at + 1, at + 1 + count))
    at += 1 + count
  }
  return calls
}
