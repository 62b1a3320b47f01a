export type TransportFailure = 'deadline' | 'stopped' | 'silence' | 'connection' | 'certificate' | 'credentials' | 'answer'

/** No response came, or a stream broke. `what` tells callers which; the message says it to people. */
export class TransportError extends Error {
  readonly what: TransportFailure

  constructor(what: TransportFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'TransportError'
    this.what = what
  }
}

/** Texts for the codes of Node's sockets and of OpenSSL's certificate checks. */
const sentences: Readonly<Record<string, readonly [TransportFailure, string]>> = {
  ECONNREFUSED: ['connection', 'nothing listens there; is the address right and the API server running?'],
  ENOTFOUND: ['connection', 'the name of the server is not known; check the server address'],
  EAI_AGAIN: ['connection', 'the name of the server could not be looked up; is the DNS server reachable?'],
  ETIMEDOUT: ['connection', 'the server did not answer; is a firewall in between?'],
  EHOSTUNREACH: ['connection', 'no route to the server'],
  ENETUNREACH: ['connection', 'no network to the server'],
  ECONNRESET: ['connection', 'the server or something in between cut the connection'],
  EPIPE: ['connection', 'the server or something in between cut the connection'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'certificate',
    "the server's certificate is for another name; check the server address or set tls-server-name",
  ],
  CERT_HAS_EXPIRED: ['certificate', "the server's certificate has expired; renew it, or check this machine's clock"],
  CERT_NOT_YET_VALID: ['certificate', "the server's certificate is not valid yet; check this machine's clock"],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  UNABLE_TO_GET_ISSUER_CERT: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  CERT_SIGNATURE_FAILURE: [
    'certificate',
    "the server's certificate is not signed by the trusted authority; check certificate-authority",
  ],
  EPROTO: [
    'certificate',
    'TLS could not be agreed upon; does the server speak TLS there, and does it accept the client certificate?',
  ],
}

/** @param request how the request is named to people, for example `GET https://10.0.0.1:6443/api/v1/pods`. */
export function transportError(request: string, error: unknown): TransportError {
  if (error instanceof TransportError) return error
  const code = codeOf(error)
  const [what, sentence] = sentences[code] ??
    (code.startsWith('ERR_SSL_') ? sentences['EPROTO'] : undefined) ?? ['connection', messageOf(error)]
  return new TransportError(what, `${request}: ${sentence}${code === '' ? '' : ` (${code})`}`, error)
}

export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
