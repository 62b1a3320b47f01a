// What proves who we are, and whom we trust, always as fresh as the files and programs it comes from.
import type { Clock } from '../clock.ts'
import type { ConnectionConfig, Pem } from './connection.ts'
import { execCredentials } from './exec-plugin.ts'
import { type FreshFile, freshFile } from './fresh-file.ts'

/** What a TLS connection needs; equal texts mean that open connections may go on being used. */
export type TlsMaterial = { readonly ca?: string; readonly cert?: string; readonly key?: string }

export type Headers = Readonly<Record<string, string | string[]>>

export type Proof = {
  readonly tls: TlsMaterial
  /** Authorization among them. Never log them. */
  readonly headers: Headers
}

export type Credentials = {
  /** What to show with the next request. Throws TransportError when a file or program gives nothing and never did. */
  current(): Promise<Proof>
  /**
   * The server refused what `used` says (401): files are read and the program is asked anew the next time. `unchanging` when there
   * is neither, so that asking again cannot help.
   */
  renew(used: Proof): 'may differ now' | 'unchanging'
}

export function credentialsOf(config: ConnectionConfig, clock: Clock): Credentials {
  const files: FreshFile[] = []
  const source = (pem: Pem | undefined, purpose: string): (() => Promise<string | undefined>) => {
    if (pem === undefined) return async () => undefined
    if ('text' in pem) return async () => pem.text
    const file = freshFile(pem.file, purpose, clock)
    files.push(file)
    return () => file.read()
  }
  const { bearer, basic } = config
  const certificate = source(config.clientCertificate?.certificate, 'client certificate')
  const key = source(config.clientCertificate?.key, 'key of the client certificate')
  const tokenFile = source(bearer !== undefined && 'file' in bearer ? bearer : undefined, 'token file')
  // From here on `files` is complete: a 401 says nothing about the authority.
  const ownFiles = [...files]
  const authority = source(config.authority, 'certificate authority')
  const plugin = bearer !== undefined && 'exec' in bearer ? execCredentials(bearer.exec, clock) : undefined
  const fixed: Headers = { ...impersonationHeaders(config), ...(basic === undefined ? {} : { authorization: basicOf(basic) }) }

  return {
    current: async () => {
      const printed = await plugin?.current()
      const fromFile = (await tokenFile())?.trim()
      const token = printed?.token ?? fromFile ?? (bearer !== undefined && 'token' in bearer ? bearer.token : undefined)
      const [ca, ownCertificate, ownKey] = [await authority(), await certificate(), await key()]
      const cert = printed?.certificate?.certificate ?? ownCertificate
      const certKey = printed?.certificate?.key ?? ownKey
      return {
        tls: {
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined || certKey === undefined ? {} : { cert, key: certKey }),
        },
        headers: token === undefined ? fixed : { ...fixed, authorization: `Bearer ${token}` },
      }
    },
    renew: used => {
      for (const file of ownFiles) file.expire()
      plugin?.forget(token => used.headers['authorization'] === `Bearer ${token}`)
      return ownFiles.length > 0 || plugin !== undefined ? 'may differ now' : 'unchanging'
    },
  }
}

function basicOf({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
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
