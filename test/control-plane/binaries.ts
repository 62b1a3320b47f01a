// Finds or compiles the programs of a control plane. Kubernetes publishes no small downloads of them, but all are ordinary Go
// modules: test/control-plane/go.mod pins them, Go compiles them (about 8 minutes on 2 cores, once per machine).
import { createHash } from 'node:crypto'
import { access, constants, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withLock } from './lock.ts'
import { outputOf, runWithProgress } from './run.ts'

export type Program = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok'

export const programs: readonly Program[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok']

const packageOf: Readonly<Record<Program, string>> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  // A module of its own: kwok requires the Kubernetes libraries at other versions than Kubernetes itself replaces them with.
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
}

const moduleFolder = import.meta.dirname
const folderOf = (program: Program): string => (program === 'kwok' ? join(moduleFolder, 'kwok') : moduleFolder)

export type Binaries = Readonly<Record<Program, string>>

/**
 * Paths of the wanted programs: those of `KUBEBUILDER_ASSETS` (envtest's variable) where they exist, the others compiled into a
 * cache outside the tree. Two calls at the same time compile once. Throws when Go fails; `skipped` says what is missing.
 */
export async function findBinaries(
  wanted: readonly Program[],
  report: (line: string) => void,
): Promise<Readonly<Partial<Binaries>> | { readonly skipped: string }> {
  const found: Partial<Record<Program, string>> = {}
  for (const program of wanted) {
    const path = await provided(program)
    if (path !== undefined) found[program] = path
  }
  const missing = wanted.filter(program => found[program] === undefined)
  if (missing.length === 0) return found
  const goVersion = await outputOf('go', ['env', 'GOVERSION'], moduleFolder).catch(() => undefined)
  if (goVersion === undefined) {
    return {
      skipped:
        `no real control plane: ${missing.join(', ')} not found. Install Go (https://go.dev/dl) so that they can be compiled,` +
        ` or set KUBEBUILDER_ASSETS to a folder that holds them (setup-envtest fetches etcd and kube-apiserver)`,
    }
  }
  const cache = join(cacheRoot(), await cacheKey(goVersion))
  await mkdir(cache, { recursive: true })
  for (const program of missing) found[program] = join(cache, program)
  if (!(await allExecutable(missing.map(program => join(cache, program))))) {
    await withLock(join(cache, 'lock'), report, async () => {
      for (const program of missing) await compile(program, join(cache, program), report)
    })
  }
  return found
}

async function provided(program: Program): Promise<string | undefined> {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets === undefined || assets === '') return undefined
  const path = join(assets, program)
  return (await allExecutable([path])) ? path : undefined
}

function cacheRoot(): string {
  const base = process.env['XDG_CACHE_HOME']
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'kmm', 'control-plane')
}

async function cacheKey(goVersion: string): Promise<string> {
  const hash = createHash('sha256').update(`${goVersion} ${process.platform} ${process.arch}`)
  for (const file of ['go.mod', 'go.sum', 'kwok/go.mod', 'kwok/go.sum']) hash.update(await readFile(join(moduleFolder, file)))
  return hash.digest('hex').slice(0, 16)
}

async function compile(program: Program, target: string, report: (line: string) => void): Promise<void> {
  if (await allExecutable([target])) return
  const started = performance.now()
  report(`compiling ${program} (once per machine; nothing is downloaded but Go modules) ...`)
  // Renamed when complete: a killed compilation never leaves half a program under the final name.
  const partial = `${target}.partial.${process.pid}`
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', await linkerFlags(program)]
  try {
    await runWithProgress('go', ['build', ...flags, '-o', partial, packageOf[program]], {
      cwd: folderOf(program),
      env: { ...process.env, CGO_ENABLED: '0' },
      report: line => report(`  ${line}`),
    })
    await rename(partial, target)
  } finally {
    await rm(partial, { force: true })
  }
  report(`compiled ${program} in ${((performance.now() - started) / 1000).toFixed(0)} s`)
}

/** Without a version Kubernetes calls itself v0.0.0-master, and clients that look at versions misbehave. */
async function linkerFlags(program: Program): Promise<string> {
  if (program === 'kwok' || program === 'etcd') return '-s -w'
  const version = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(await readFile(join(moduleFolder, 'go.mod'), 'utf8'))
  if (version === null) throw new Error('test/control-plane/go.mod does not require k8s.io/kubernetes: restore that line')
  const variable = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`
  const [, full = '', major = '', minor = ''] = version
  return [
    '-s -w',
    variable('gitVersion', full),
    variable('gitMajor', major),
    variable('gitMinor', minor),
    variable('gitTreeState', 'clean'),
  ].join(' ')
}

async function allExecutable(paths: readonly string[]): Promise<boolean> {
  const checks = await Promise.allSettled(paths.map(path => access(path, constants.X_OK)))
  return checks.every(check => check.status === 'fulfilled')
}
