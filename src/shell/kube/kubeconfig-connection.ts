// What the `cluster` and `user` of a kubeconfig mean for a connection.
import { join } from 'node:path'
import type { Bearer, ConnectionConfig, ExecPlugin, Pem } from './connection.ts'
import type { Entry } from './kubeconfig-file.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Throws BadInput for what is missing, contradicts itself or no longer exists in Kubernetes. */
export function connectionOf(cluster: Entry, user: Entry | undefined, environment: Environment): ConnectionConfig {
  const server = serverOf(cluster)
  const authority = pemOf(cluster, 'certificate-authority')
  const skips = cluster.flag('insecure-skip-tls-verify')
  if (skips && authority !== undefined) {
    throw cluster.wrong(
      'insecure-skip-tls-verify',
      'insecure-skip-tls-verify and certificate-authority exclude each other: remove one',
    )
  }
  const serverName = cluster.text('tls-server-name')
  const proxy = proxyOf(cluster, environment)
  return {
    server,
    serverCertificate: skips ? 'do not verify' : 'verify',
    ...(authority === undefined ? {} : { authority }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(user === undefined ? {} : loginOf(user, cluster, environment)),
  }
}

function serverOf(cluster: Entry): string {
  const server = cluster.text('server')
  if (server === undefined) throw cluster.wrong('server', 'the cluster has no server: add `server: https://HOST:PORT`')
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw cluster.wrong('server', `the server "${server}" is no address: expected https://HOST:PORT`)
  }
  return server
}

/** `<field>-data` (base64) wins over the file, as in client-go. */
function pemOf(entry: Entry, field: string): Pem | undefined {
  const data = entry.text(`${field}-data`)
  if (data !== undefined) {
    const text = Buffer.from(data, 'base64').toString('utf8')
    if (!text.includes('-----BEGIN ')) throw entry.wrong(`${field}-data`, `${field}-data is not the base64 of a PEM text`)
    return { text }
  }
  const file = entry.path(field)
  return file === undefined ? undefined : { file }
}

type Login = Pick<ConnectionConfig, 'clientCertificate' | 'bearer' | 'basic' | 'impersonate'>

function loginOf(user: Entry, cluster: Entry, environment: Environment): Login {
  if (user.has('auth-provider')) {
    throw user.wrong(
      'auth-provider',
      'auth-provider was removed from Kubernetes in 1.26: use a credential plugin (`exec`) of your provider',
    )
  }
  const certificate = pemOf(user, 'client-certificate')
  const key = pemOf(user, 'client-key')
  if ((certificate === undefined) !== (key === undefined)) {
    throw user.wrong(undefined, 'client-certificate and client-key belong together: one of them is missing')
  }
  const bearer = bearerOf(user, cluster, environment)
  const username = user.text('username')
  const impersonated = user.text('as')
  const uid = user.text('as-uid')
  const groups = user.texts('as-groups')
  if (impersonated === undefined && (uid !== undefined || groups.length > 0)) {
    throw user.wrong(undefined, 'as-uid and as-groups need `as`, the user to impersonate')
  }
  return {
    ...(certificate === undefined || key === undefined ? {} : { clientCertificate: { certificate, key } }),
    ...(bearer === undefined ? {} : { bearer }),
    ...(username === undefined ? {} : { basic: { username, password: user.text('password') ?? '' } }),
    ...(impersonated === undefined ? {} : { impersonate: { user: impersonated, ...(uid === undefined ? {} : { uid }), groups } }),
  }
}

/** A token file wins over a token (it may have been renewed), and both over a plugin. */
function bearerOf(user: Entry, cluster: Entry, environment: Environment): Bearer | undefined {
  const file = user.path('tokenFile')
  if (file !== undefined) return { file }
  const token = user.text('token')
  if (token !== undefined) return { token }
  const exec = user.inner('exec')
  return exec === undefined ? undefined : { exec: pluginOf(exec, cluster, environment) }
}

function pluginOf(exec: Entry, cluster: Entry, environment: Environment): ExecPlugin {
  const apiVersion = exec.text('apiVersion')
  if (apiVersion !== 'client.authentication.k8s.io/v1' && apiVersion !== 'client.authentication.k8s.io/v1beta1') {
    throw exec.wrong(
      'apiVersion',
      `exec.apiVersion is ${apiVersion ?? 'missing'}: expected client.authentication.k8s.io/v1 or v1beta1`,
    )
  }
  const command = exec.text('command')
  if (command === undefined) throw exec.wrong('command', 'exec names no command: add the credential plugin as `command`')
  if (exec.text('interactiveMode') === 'Always') {
    throw exec.wrong(
      'interactiveMode',
      `the credential plugin ${command} needs a terminal (interactiveMode: Always); log in with kubectl first or use a token`,
    )
  }
  const added = exec.inners('env').map(entry => {
    const name = entry.text('name')
    if (name === undefined) throw entry.wrong('name', 'an entry of exec.env has no name')
    return [name, entry.text('value') ?? ''] as const
  })
  const inherited = Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const installHint = exec.text('installHint')
  return {
    apiVersion,
    // A name is looked up in PATH, a path is relative to the file (client-go: a command with a slash).
    command: command.includes('/') && !command.startsWith('/') ? join(exec.folder, command) : command,
    args: exec.texts('args'),
    env: Object.fromEntries([...inherited, ...added]),
    ...(installHint === undefined ? {} : { installHint }),
    ...(exec.flag('provideClusterInfo') ? { cluster: clusterForPlugin(cluster) } : {}),
  }
}

/** Source: client.authentication.k8s.io/v1, type Cluster. */
function clusterForPlugin(cluster: Entry): Readonly<Record<string, unknown>> {
  const extension = cluster.inners('extensions').find(entry => entry.text('name') === 'client.authentication.k8s.io/exec')
  const fields = ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'certificate-authority-data', 'proxy-url'] as const
  const present = fields.filter(field => cluster.has(field)).map(field => [field, cluster.raw[field]] as const)
  const config = extension === undefined ? undefined : extension.raw['extension']
  return { ...Object.fromEntries(present), ...(config === undefined ? {} : { config }) }
}

/** The cluster's own proxy, else that of the environment. */
function proxyOf(cluster: Entry, environment: Environment): Readonly<Record<string, string>> | undefined {
  const url = cluster.text('proxy-url')
  if (url !== undefined) {
    if (!/^https?:\/\//.test(url))
      throw cluster.wrong('proxy-url', `the proxy "${url}" cannot be used: only http:// and https:// proxies can`)
    return { HTTPS_PROXY: url, HTTP_PROXY: url }
  }
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy']
  const set = names.flatMap(name => (environment[name] ? [[name, environment[name]] as const] : []))
  return set.length === 0 ? undefined : Object.fromEntries(set)
}
