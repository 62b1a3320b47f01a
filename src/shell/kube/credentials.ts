// What proves who we are, and whom we trust, always as fresh as the files and programs it comes from.
import type { Clock } from '../clock.ts'
import type { ConnectionConfig, Pem } from './connection.ts'
import { execCredentials } from './exec-plugin.ts'
import { type FreshFile, freshFile } from './fresh-file.ts'

/** What a TLS connection needs; equal texts mean that open connections may go on being used. */
export type TlsMaterial = { readonly ca?: string; readonly cert?: string; readonly key?: string }

export type Headers = Readonly<Record<string, string | string[]>>

export type Credentials = {
  tls(): Promise<TlsMaterial>
  /** Request headers, Authorization among them. Never log them. */
  headers(): Promise<Headers>
  /** The server said 401, or refused the connection's certificates: read and ask everything again the next time. */
  expire(): void
}

export function credentialsOf(config: ConnectionConfig, clock: Clock): Credentials {
  const files: FreshFile[] = []
  const source = (pem: Pem | undefined, purpose: string): (() => Promise<string | undefined>) => {
    if (pem === undefined) return async () => undefined
    if ('text' in pem) return async () => pem.text
    const file = freshFile(pem.file, purpose, clock)
    files.push(file)
    return file.read
  }
  const authority = source(config.authority, 'certificate authority')
  const certificate = source(config.clientCertificate?.certificate, 'client certificate')
  const key = source(config.clientCertificate?.key, 'key of the client certificate')
  const { bearer, basic } = config
  const token = bearer !== undefined && 'file' in bearer ? source({ file: bearer.file }, 'token file') : undefined
  const plugin = bearer !== undefined && 'exec' in bearer ? execCredentials(bearer.exec, clock) : undefined

  const bearerToken = async (): Promise<string | undefined> => {
    if (plugin !== undefined) return (await plugin.current()).token
    if (token !== undefined) return (await token())?.trim()
    return bearer !== undefined && 'token' in bearer ? bearer.token : undefined
  }
  const impersonation = impersonationHeaders(config)
  return {
    tls: async () => {
      const [ca, ownCert, ownKey] = [await authority(), await certificate(), await key()]
      const fromPlugin = plugin === undefined ? undefined : (await plugin.current()).certificate
      const cert = fromPlugin?.certificate ?? ownCert
      const certKey = fromPlugin?.key ?? ownKey
      return {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined || certKey === undefined ? {} : { cert, key: certKey }),
      }
    },
    headers: async () => {
      const current = await bearerToken()
      if (current !== undefined) return { ...impersonation, authorization: `Bearer ${current}` }
      if (basic === undefined) return impersonation
      return { ...impersonation, authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` }
    },
    expire: () => {
      for (const file of files) file.expire()
      plugin?.forget()
    },
  }
}

/** Source: Kubernetes documentation "User impersonation". */
function impersonationHeaders({ impersonate }: ConnectionConfig): Headers {
  if (impersonate === undefined) return {}
  return {
    'impersonate-user': impersonate.user,
    ...(impersonate.uid === undefined ? {} : { 'impersonate-uid': impersonate.uid }),
    ...(impersonate.groups.length === 0 ? {} : { 'impersonate-group': [...impersonate.groups] }),
  }
}
