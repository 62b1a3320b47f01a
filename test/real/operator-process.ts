// The operator as the process that users run: its log, its health, its end. It never outlives the test (guarded.ts).
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startGuarded } from '../control-plane/guarded.ts'

const root = join(import.meta.dirname, '../..')

/** One line of the log. Its time is RFC 3339, its level a word. */
export type LogRecord = { readonly level: string; readonly time: string; readonly msg: string; readonly [field: string]: unknown }

export type OperatorOptions = {
  readonly kubeconfig: string
  /** Where its log and its config file go. */
  readonly folder: string
  /** Program and first arguments; the sources if absent. */
  readonly command?: readonly string[]
  /** Off: the only operator of its cluster, which needs not wait for the lease of one that was killed. */
  readonly leaderElection?: 'off'
}

export type OperatorProcess = {
  readonly pid: number
  records(): Promise<readonly LogRecord[]>
  /** The first record that passes; fails with the end of the log after `seconds`, or when the process ended before. */
  record(what: string, passes: (record: LogRecord) => boolean, seconds?: number): Promise<LogRecord>
  /** HTTP status and body of /healthz or /readyz. */
  probe(path: 'healthz' | 'readyz'): Promise<{ readonly status: number; readonly body: string }>
  /** Resolves when it has ended: to its exit code, or undefined when a signal ended it. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | undefined>
}

let started = 0

/** Resolves when the cluster is listed, hence when it is ready. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const number = ++started
  const config = join(options.folder, `operator-${number}.yaml`)
  // Port 0 is any free one: other tests run beside this one.
  const election = options.leaderElection === 'off' ? 'leaderElection: { enabled: false }\n' : ''
  await writeFile(config, `healthProbeBindAddress: 127.0.0.1:0\nmetricsBindAddress: "0"\n${election}`)
  const logFile = join(options.folder, `operator-${number}.log`)
  const command = options.command ?? [process.execPath, join(root, 'src/cli/kmm.ts')]
  const settings = ['--kubeconfig', options.kubeconfig, '--config', config, '--assume-images', 'exist']
  const child = startGuarded(
    'operator',
    'env',
    ['OPERATOR_NAMESPACE=openshift-kmm', ...command, 'operator', ...settings],
    logFile,
  )

  const records = async (): Promise<readonly LogRecord[]> =>
    (await readFile(logFile, 'utf8').catch(() => ''))
      .split('\n')
      .flatMap(line => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as LogRecord] : []))
  const record: OperatorProcess['record'] = async (what, passes, seconds = 20) => {
    for (const endMs = performance.now() + seconds * 1000; ; await delay(50)) {
      const found = (await records()).find(passes)
      if (found !== undefined) return found
      if (!child.isRunning()) throw new Error(`the operator ended before it logged ${what}:\n${await child.lastWords()}`)
      if (performance.now() > endMs) throw new Error(`not logged in ${seconds} s: ${what}\n${await child.lastWords()}`)
    }
  }
  const operator: OperatorProcess = {
    pid: child.pid,
    records,
    record,
    probe: async path => {
      const { addr } = await record('its health server', ({ msg, kind }) => msg === 'Starting server' && kind === 'health probe')
      const response = await fetch(`http://${String(addr)}/${path}`, { signal: AbortSignal.timeout(5000) })
      return { status: response.status, body: await response.text() }
    },
    end: async (signal = 'SIGTERM') => {
      if (signal === 'SIGKILL') await child.kill()
      else child.signal(signal)
      for (const endMs = performance.now() + 20_000; child.isRunning(); await delay(20)) {
        if (performance.now() > endMs) throw new Error(`the operator did not end in 20 s:\n${await child.lastWords()}`)
      }
      return child.ended
    },
  }
  await record('that everything is listed', ({ msg }) => msg.startsWith('everything is listed'))
  return operator
}
