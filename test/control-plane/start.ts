// A real Kubernetes control plane for one test or benchmark: etcd and kube-apiserver, and where asked for the controllers, the
// scheduler and simulated kubelets (kwok). Everything lives in a temporary folder and on free ports of 127.0.0.1.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionConfig } from '../../src/shell/kube/connection.ts'
import { httpsTransport } from '../../src/shell/kube/https.ts'
import type { Transport } from '../../src/shell/kube/transport.ts'
import { type AuditEntry, readAudit } from './audit.ts'
import { type Binaries, findBinaries, type Program } from './binaries.ts'
import { type Authority, issue, makeAuthority, makeSigningKey, type Pair } from './certificates.ts'
import { apiServerArgs, controllerManagerArgs, etcdArgs, kwokArgs, type Layout, type Load, schedulerArgs } from './commands.ts'
import { type Guarded, removeAtEnd, startGuarded, waitUntilReady } from './guarded.ts'
import { addNodes, type NodesToAdd } from './nodes.ts'
import { freePorts } from './ports.ts'

export type Part = 'controllers' | 'scheduler' | 'kubelets'

export type ControlPlaneOptions = {
  /** Beside etcd and kube-apiserver. */
  readonly parts?: readonly Part[]
  /** `scale` raises the request limits of everything but the operator under test. */
  readonly load?: Load
  /** Progress of a compilation; stderr unless given. */
  readonly report?: (line: string) => void
}

export type ControlPlane = {
  readonly url: string
  /** File with an administrator's credentials, for kubectl and for `kmm --kubeconfig`. */
  readonly kubeconfig: string
  readonly config: ConnectionConfig
  /** As administrator (system:masters), user agent `control-plane-test`. */
  readonly transport: Transport
  /** Folder of logs (`<program>.log`), certificates and the audit log. */
  readonly folder: string
  /** A client certificate of another user, for tests of RBAC. */
  issueUser(user: string, group?: string): Promise<Pair>
  audit(): Promise<readonly AuditEntry[]>
  /** Creates Nodes; with `kubelets` they become Ready. The names. */
  addNodes(nodes: NodesToAdd): Promise<readonly string[]>
  killApiServer(): Promise<void>
  /** On the same port, with everything that etcd holds. Resolves when it is ready. */
  startApiServer(): Promise<void>
  restartApiServer(): Promise<void>
  /** The API server stands still: connections stay open, nothing answers. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

const programsOf: Readonly<Record<Part, Program>> = {
  controllers: 'kube-controller-manager',
  scheduler: 'kube-scheduler',
  kubelets: 'kwok',
}

/**
 * Starts a control plane in about 8 seconds. Its programs end with this process, however that ends. `skipped` says what this machine
 * lacks; a test must show it, and fail with CI=true.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane | { readonly skipped: string }> {
  const parts = options.parts ?? []
  const wanted: readonly Program[] = ['etcd', 'kube-apiserver', ...parts.map(part => programsOf[part])]
  const found = await findBinaries(wanted, options.report ?? (line => process.stderr.write(`${line}\n`)))
  if ('skipped' in found) return found
  const binaries = found as Binaries
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(binaries, parts, options.load ?? 'normal')
    } catch (error) {
      // Between our finding a port free and the program's binding it another process may take it.
      if (tries === 3 || !(error instanceof Error && error.message.includes('address already in use'))) throw error
    }
  }
}

async function startOnce(binaries: Binaries, parts: readonly Part[], load: Load): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'kmm-control-plane-'))
  const janitor = removeAtEnd(folder)
  const running: Guarded[] = []
  const start = (program: Program, args: readonly string[]): Guarded => {
    const guarded = startGuarded(program, binaries[program], args, join(folder, `${program}.log`))
    running.push(guarded)
    return guarded
  }
  const stopAll = async () => {
    await Promise.all(running.map(program => program.kill()))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    janitor.forget()
  }
  try {
    const authority = await makeAuthority(folder)
    const layout = await layOut(folder, authority, load)
    const url = `https://127.0.0.1:${layout.apiPort}`
    const login = (user: string, group?: string) =>
      issue(authority, {
        name: user.replaceAll(':', '-'),
        commonName: user,
        ...(group === undefined ? {} : { organization: group }),
      })
    const admin = await login('admin', 'system:masters')
    const kubeconfig = await writeKubeconfig(folder, 'admin', url, authority, admin)
    const config: ConnectionConfig = {
      server: url,
      authority: { file: authority.certFile },
      serverCertificate: 'verify',
      clientCertificate: { certificate: { file: admin.certFile }, key: { file: admin.keyFile } },
    }
    const transport = httpsTransport(config, { userAgent: 'control-plane-test' })
    const answers = async (path: string) => {
      const response = await transport({ method: 'GET', path, deadlineMs: 2000 }, new AbortController().signal)
      return response.status === 200
    }

    start('etcd', etcdArgs(layout))
    let apiServer: Guarded
    const startApiServer = async () => {
      apiServer = start(
        'kube-apiserver',
        apiServerArgs(layout, parts.includes('controllers') ? 'service accounts' : 'no service accounts'),
      )
      await waitUntilReady(apiServer, 60_000, () => answers('/readyz'))
    }
    await startApiServer()
    if (parts.includes('controllers')) {
      const pair = await login('system:kube-controller-manager')
      const file = await writeKubeconfig(folder, 'controller-manager', url, authority, pair)
      const manager = start('kube-controller-manager', controllerManagerArgs(layout, file))
      // It has made the first service account: pods can be created from now on.
      await waitUntilReady(manager, 60_000, () => answers('/api/v1/namespaces/default/serviceaccounts/default'))
    }
    if (parts.includes('scheduler')) {
      const pair = await login('system:kube-scheduler')
      start('kube-scheduler', schedulerArgs(layout, await writeKubeconfig(folder, 'scheduler', url, authority, pair)))
    }
    if (parts.includes('kubelets')) {
      const pair = await login('kubelets', 'system:masters')
      start('kwok', kwokArgs(await writeKubeconfig(folder, 'kubelets', url, authority, pair)))
    }

    const killApiServer = async () => {
      await apiServer.kill()
      running.splice(running.indexOf(apiServer), 1)
    }
    return {
      url,
      kubeconfig,
      config,
      transport,
      folder,
      issueUser: login,
      audit: () => readAudit(layout.auditFile),
      addNodes: nodes => addNodes(transport, nodes),
      killApiServer,
      startApiServer,
      restartApiServer: async () => {
        await killApiServer()
        await startApiServer()
      },
      freeze: () => apiServer.signal('SIGSTOP'),
      thaw: () => apiServer.signal('SIGCONT'),
      stop: async () => {
        transport.close()
        await stopAll()
      },
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function layOut(folder: string, authority: Authority, load: Load): Promise<Layout> {
  const [etcdPort = 0, etcdPeerPort = 0, apiPort = 0] = await freePorts(3)
  const names = ['IP:127.0.0.1', 'DNS:localhost', 'IP:10.0.0.1', 'DNS:kubernetes.default.svc']
  return {
    folder,
    etcdPort,
    etcdPeerPort,
    apiPort,
    authorityFile: authority.certFile,
    serving: await issue(authority, { name: 'apiserver', commonName: 'kube-apiserver', alternativeNames: names }),
    signing: await makeSigningKey(folder),
    auditFile: join(folder, 'audit.log'),
    load,
  }
}

/** JSON is YAML. */
async function writeKubeconfig(folder: string, name: string, server: string, authority: Authority, pair: Pair): Promise<string> {
  const file = join(folder, `${name}.kubeconfig`)
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': authority.certFile } }],
    users: [{ name, user: { 'client-certificate': pair.certFile, 'client-key': pair.keyFile } }],
    contexts: [{ name, context: { cluster: 'test', user: name } }],
  }
  await writeFile(file, JSON.stringify(content, undefined, 2), { mode: 0o600 })
  return file
}
