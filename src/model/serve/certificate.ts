// A self-signed certificate for the loopback address: Node makes keys and signatures, but no certificates.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

export type Certificate = { readonly cert: string; readonly key: string }

const serverAuthentication = '1.3.6.1.5.5.7.3.1'
const dayMs = 86_400_000

/** A certificate for 127.0.0.1, ::1 and localhost, and its key, both PEM; valid for 30 days from an hour before `nowMs`. */
export async function selfSignedCertificate(nowMs: number): Promise<Certificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=simulated-kubernetes',
    notBefore: new Date(nowMs - dayMs / 24),
    notAfter: new Date(nowMs + 30 * dayMs),
    signingAlgorithm: algorithm,
    keys,
    // Its own authority, for server authentication on this machine only.
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new ExtendedKeyUsageExtension([serverAuthentication]),
      new SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        { type: 'dns', value: 'localhost' },
      ]),
    ],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') }
}
