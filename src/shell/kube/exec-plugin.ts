// Runs a credential plugin. Source: Kubernetes documentation "Authenticating", section "client-go credential plugins".
import { execFile } from 'node:child_process'
import type { Clock } from '../clock.ts'
import type { ExecPlugin } from './connection.ts'
import { codeOf, messageOf, TransportError } from './transport-error.ts'

export type ExecCredential = {
  readonly token?: string
  readonly certificate?: { readonly certificate: string; readonly key: string }
  /** Milliseconds since the epoch. */
  readonly expiresMs?: number
}

/** A person may have to answer in a browser that the program opens. */
const programDeadlineMs = 60_000
/** Not used in its last moments: the request takes time, and clocks differ. */
const marginMs = 10_000

export type ExecCredentials = {
  current(): Promise<ExecCredential>
  /** Runs the program again the next time if its token is the refused one: of many requests with one token, one renews it. */
  forget(isRefused: (token: string) => boolean): void
}

/** The program runs when there is no credential, it is about to expire, or it was refused; never twice at a time. */
export function execCredentials(plugin: ExecPlugin, clock: Clock): ExecCredentials {
  let known: ExecCredential | undefined
  let running: Promise<ExecCredential> | undefined
  const isGood = (credential: ExecCredential) =>
    credential.expiresMs === undefined || credential.expiresMs - marginMs > clock.nowMs()
  return {
    current: async () => {
      if (known !== undefined && isGood(known)) return known
      running ??= runPlugin(plugin).finally(() => {
        running = undefined
      })
      known = await running
      return known
    },
    forget: isRefused => {
      if (known?.token === undefined || isRefused(known.token)) known = undefined
    },
  }
}

async function runPlugin(plugin: ExecPlugin): Promise<ExecCredential> {
  const text = await outputOfPlugin(plugin)
  const refuse = (what: string) =>
    new TransportError('credentials', `the credential plugin ${plugin.command} printed no usable ExecCredential: ${what}`)
  let printed: unknown
  try {
    printed = JSON.parse(text)
  } catch {
    // Neither the text nor the parser's message: they may hold the token.
    throw refuse('it is not JSON')
  }
  const { kind, apiVersion, status } = isRecord(printed) ? printed : {}
  if (kind !== 'ExecCredential') throw refuse('`kind` is not ExecCredential')
  if (apiVersion !== plugin.apiVersion)
    throw refuse(`its apiVersion is ${String(apiVersion)}, the kubeconfig says ${plugin.apiVersion}`)
  if (!isRecord(status)) throw refuse('`status` is missing')
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status
  const hasToken = typeof token === 'string' && token !== ''
  const hasCertificate = typeof clientCertificateData === 'string' && typeof clientKeyData === 'string'
  if (!hasToken && !hasCertificate) throw refuse('`status` has neither a token nor clientCertificateData with clientKeyData')
  const expiresMs = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : undefined
  if (Number.isNaN(expiresMs)) throw refuse('`status.expirationTimestamp` is no RFC 3339 time')
  return {
    ...(hasToken ? { token } : {}),
    ...(hasCertificate ? { certificate: { certificate: clientCertificateData, key: clientKeyData } } : {}),
    ...(expiresMs === undefined ? {} : { expiresMs }),
  }
}

function outputOfPlugin(plugin: ExecPlugin): Promise<string> {
  const question = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.cluster === undefined ? {} : { cluster: plugin.cluster }) },
  }
  const env = { ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(question) }
  const options = { env, timeout: programDeadlineMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const
  return new Promise((resolve, reject) => {
    const child = execFile(plugin.command, plugin.args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const hint = plugin.installHint === undefined ? '' : `\n${plugin.installHint}`
      const why =
        codeOf(error) === 'ENOENT'
          ? `the program does not exist${hint}`
          : error.killed === true
            ? `it did not end in ${programDeadlineMs / 1000} s`
            : stderr.trim().slice(-500) || messageOf(error)
      reject(new TransportError('credentials', `the credential plugin ${plugin.command} failed: ${why}`, error))
    })
    child.stdin?.end()
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
