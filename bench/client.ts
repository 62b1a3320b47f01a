// Our transport against the official client, on one and the same TLS server: why docs/decisions/0006 keeps an own client.
//   node_modules/.bin/node bench/client.ts
// The official client is installed into a temporary folder (npm must reach its registry); without it only ours is measured.
import { execFileSync, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { httpsTransport } from '../src/shell/kube/https.ts'
import { json, startServer, type TestServer } from '../test/https/server.ts'

const official = '@kubernetes/client-node@2.0.1'
const requests = 2000
const inFlight = 16

type Setup = { readonly server: string; readonly authorityFile: string; readonly packages: string | undefined }
type Get = () => Promise<unknown>

/** What a subject sends back: the connections are counted by the server, between these marks. */
type Message =
  | { readonly mark: string }
  | { readonly requestsPerSecond: number; readonly cpuMsPerRequest: number; readonly rssMiB: number; readonly importMs: number }

async function subjectGet(setup: Setup): Promise<Get> {
  if (setup.packages === undefined) {
    const config = { server: setup.server, authority: { file: setup.authorityFile }, serverCertificate: 'verify' } as const
    const transport = httpsTransport(config, { userAgent: 'bench' })
    const stop = new AbortController().signal
    return () => transport({ method: 'GET', path: '/api/v1/namespaces/a/configmaps/b', deadlineMs: 60_000 }, stop)
  }
  const entry = createRequire(join(setup.packages, 'package.json')).resolve('@kubernetes/client-node')
  const { KubeConfig, CoreV1Api } = (await import(pathToFileURL(entry).href)) as OfficialClient
  const config = new KubeConfig()
  const [clusters, users] = [[{ name: 'c', server: setup.server, caFile: setup.authorityFile }], [{ name: 'u' }]]
  config.loadFromOptions({ clusters, users, contexts: [{ name: 'x', cluster: 'c', user: 'u' }], currentContext: 'x' })
  const api = config.makeApiClient(CoreV1Api)
  return () => api.readNamespacedConfigMap({ namespace: 'a', name: 'b' })
}

type OfficialClient = {
  readonly KubeConfig: new () => {
    loadFromOptions(options: object): void
    makeApiClient<T>(type: new (...args: never[]) => T): T
  }
  readonly CoreV1Api: new (...args: never[]) => { readNamespacedConfigMap(request: object): Promise<unknown> }
}

/** In a process of its own, so that memory and CPU are the client's alone. */
async function measure(setup: Setup): Promise<void> {
  const tell = (message: Message) => new Promise<void>(resolve => process.send?.(message, () => resolve()))
  const importStarted = performance.now()
  const get = await subjectGet(setup)
  const importMs = performance.now() - importStarted
  for (let i = 0; i < 20; i++) await get()
  await tell({ mark: 'after 20 requests one after the other' })
  await Promise.all(Array.from({ length: 50 }, get))
  await tell({ mark: 'after 50 requests at once' })
  const [started, cpu] = [performance.now(), process.cpuUsage()]
  let left = requests
  const work = async () => {
    while (left-- > 0) await get()
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  const used = process.cpuUsage(cpu)
  await tell({
    requestsPerSecond: requests / ((performance.now() - started) / 1000),
    cpuMsPerRequest: (used.user + used.system) / 1000 / requests,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    importMs,
  })
  process.exit(0)
}

function runSubject(name: string, setup: Setup, server: TestServer): Promise<void> {
  let counted = server.connections()
  process.stdout.write(`${name}\n`)
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [JSON.stringify(setup)])
    child.on('message', (message: Message) => {
      if ('mark' in message) {
        process.stdout.write(`  connections opened ${message.mark.padEnd(40)} ${server.connections() - counted}\n`)
        counted = server.connections()
        return
      }
      const { requestsPerSecond, cpuMsPerRequest, rssMiB, importMs } = message
      process.stdout.write(
        `  ${requests} small GETs over TLS, ${inFlight} in flight: ${requestsPerSecond.toFixed(0)} requests/s, `,
      )
      process.stdout.write(
        `${cpuMsPerRequest.toFixed(2)} ms CPU each, ${rssMiB.toFixed(0)} MiB RSS, loaded in ${importMs.toFixed(0)} ms\n`,
      )
    })
    child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`${name} ended with ${code}`))))
  })
}

async function compare(): Promise<void> {
  const server = await startServer()
  const packages = mkdtempSync(join(tmpdir(), 'kmm-bench-client-'))
  const target = { server: server.config.server, authorityFile: join(server.folder, 'ca.crt') }
  server.answer((_, response) =>
    json(response, 200, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', namespace: 'a' } }),
  )
  try {
    await runSubject('src/shell/kube/https.ts', { ...target, packages: undefined }, server)
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent']
    execFileSync('npm', ['install', ...options, '--prefix', packages, official], { cwd: packages, stdio: ['ignore', 2, 2] })
    await runSubject(official, { ...target, packages }, server)
  } finally {
    await server.close()
    rmSync(packages, { recursive: true, force: true })
  }
}

const setup = process.argv[2]
await (setup === undefined ? compare() : measure(JSON.parse(setup) as Setup))
