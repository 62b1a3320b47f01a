// Reads kubeconfig files as kubectl does. Source: Kubernetes documentation "Organizing Cluster Access Using kubeconfig Files",
// client-go tools/clientcmd (merging, precedence of fields).
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { BadInput } from '../yaml.ts'
import type { ConnectionConfig } from './connection.ts'
import { connectionOf, type Environment } from './kubeconfig-connection.ts'
import { type Entry, type KubeconfigFile, parseKubeconfig } from './kubeconfig-file.ts'
import { codeOf, messageOf } from './transport-error.ts'

export type KubeconfigChoice = {
  /** `--kubeconfig`: this file alone; it must exist. */
  readonly file?: string
  /** `--context`; the current context where absent. */
  readonly context?: string
  /** Where KUBECONFIG, HOME and the credential plugins' environment come from. */
  readonly environment: Environment
}

export type ChosenCluster = {
  readonly config: ConnectionConfig
  readonly context: string
  /** Of the context; `default` where it names none. */
  readonly namespace: string
}

/** Reads and merges the files and resolves one context. Throws BadInput that names file, line, field and what to do. */
export async function loadKubeconfig(choice: KubeconfigChoice): Promise<ChosenCluster> {
  const files = await readFiles(choice)
  const name = choice.context ?? files.find(file => file.currentContext !== undefined)?.currentContext
  const where = files.map(file => file.path).join(', ')
  if (name === undefined) {
    throw new BadInput(where, undefined, 'no current-context is set: choose one with --context or `kubectl config use-context`')
  }
  const context = find(files, 'contexts', name)
  if (context === undefined) {
    const known = [...new Set(files.flatMap(file => [...file.contexts.keys()]))]
    throw new BadInput(
      where,
      undefined,
      `there is no context "${name}"; ${known.length === 0 ? 'there is none at all' : `there are: ${known.join(', ')}`}`,
    )
  }
  const clusterName = context.text('cluster')
  if (clusterName === undefined) throw context.wrong('cluster', `context "${name}" names no cluster: add \`cluster\``)
  const cluster = find(files, 'clusters', clusterName)
  if (cluster === undefined)
    throw context.wrong('cluster', `context "${name}" names the cluster "${clusterName}", which is not defined`)
  const userName = context.text('user')
  const user = userName === undefined ? undefined : find(files, 'users', userName)
  if (userName !== undefined && user === undefined) {
    throw context.wrong('user', `context "${name}" names the user "${userName}", which is not defined`)
  }
  return {
    config: connectionOf(cluster, user, choice.environment),
    context: name,
    namespace: context.text('namespace') ?? 'default',
  }
}

/** The first file that defines a name wins. */
function find(files: readonly KubeconfigFile[], list: 'clusters' | 'users' | 'contexts', name: string): Entry | undefined {
  for (const file of files) {
    const entry = file[list].get(name)
    if (entry !== undefined) return entry
  }
  return undefined
}

/** `--kubeconfig`, else the list in KUBECONFIG, else ~/.kube/config. Missing files of a list are skipped as kubectl skips them. */
async function readFiles({ file, environment }: KubeconfigChoice): Promise<readonly KubeconfigFile[]> {
  const listed = environment['KUBECONFIG']?.split(delimiter).filter(path => path !== '') ?? []
  const home = environment['HOME']
  const paths =
    file !== undefined ? [file] : listed.length > 0 ? listed : home === undefined ? [] : [join(home, '.kube', 'config')]
  const files: KubeconfigFile[] = []
  for (const path of paths) {
    const text = await textOf(path, file === undefined ? 'may be missing' : 'must exist')
    if (text !== undefined) files.push(parseKubeconfig(text, path))
  }
  if (files.length > 0) return files
  const tried =
    paths.length === 0 ? 'KUBECONFIG is not set and there is no home folder' : `none of these files exists: ${paths.join(', ')}`
  throw new BadInput('kubeconfig', undefined, `no cluster to talk to: ${tried}. Set KUBECONFIG or pass --kubeconfig FILE`)
}

async function textOf(path: string, need: 'must exist' | 'may be missing'): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (need === 'may be missing' && codeOf(error) === 'ENOENT') return undefined
    const what =
      codeOf(error) === 'ENOENT'
        ? 'this file does not exist: check the path given with --kubeconfig'
        : `cannot be read: ${messageOf(error)}`
    throw new BadInput(path, undefined, what)
  }
}
