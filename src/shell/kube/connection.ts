// How to reach one API server: what a kubeconfig or a pod's service account says, in one shape.

/** PEM text, or a file that holds it and that may be replaced at any time (rotated certificates, mounted Secrets). */
export type Pem = { readonly text: string } | { readonly file: string }

/** A program that prints credentials. Source: Kubernetes "Authenticating", client-go credential plugins. */
export type ExecPlugin = {
  readonly apiVersion: 'client.authentication.k8s.io/v1' | 'client.authentication.k8s.io/v1beta1'
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>
  /** Told to the user when the command does not exist. */
  readonly installHint?: string
  /** Passed on to the program when it asks for it (`provideClusterInfo`). */
  readonly cluster?: Readonly<Record<string, unknown>>
}

export type Bearer = { readonly token: string } | { readonly file: string } | { readonly exec: ExecPlugin }

export type ConnectionConfig = {
  /** `https://host:port/prefix`; `http:` only for a server on this machine (kubectl proxy, the model server). */
  readonly server: string
  /** Whose server certificates are trusted; the system's authorities where absent. */
  readonly authority?: Pem
  readonly serverCertificate: 'verify' | 'do not verify'
  /** The name in the server's certificate, where it is not the host. */
  readonly serverName?: string
  readonly clientCertificate?: { readonly certificate: Pem; readonly key: Pem }
  readonly bearer?: Bearer
  readonly basic?: { readonly username: string; readonly password: string }
  readonly impersonate?: { readonly user: string; readonly uid?: string; readonly groups: readonly string[] }
  /** HTTPS_PROXY, NO_PROXY and so on, as Node's agents read them. */
  readonly proxy?: Readonly<Record<string, string>>
}
