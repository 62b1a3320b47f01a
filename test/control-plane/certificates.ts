// Certificates for tests, made by openssl: an authority and what it issues.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { outputOf } from './run.ts'

export type Pair = { readonly certFile: string; readonly keyFile: string }
export type Authority = Pair & { readonly folder: string; readonly name: string }

/** P-256: a key takes a millisecond, RSA half a second. */
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes `<name>.crt` and `<name>.key` in the folder. */
export async function makeAuthority(folder: string, name = 'ca'): Promise<Authority> {
  const certFile = join(folder, `${name}.crt`)
  const keyFile = join(folder, `${name}.key`)
  const subject = ['-subj', `/CN=${name}`, '-days', '30', '-addext', 'keyUsage=critical,keyCertSign,digitalSignature,cRLSign']
  await outputOf('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', certFile], folder)
  return { folder, name, certFile, keyFile }
}

export type Subject = {
  /** Also the file name. */
  readonly name: string
  readonly commonName: string
  readonly organization?: string
  /** Subject alternative names such as `IP:127.0.0.1`; a server needs one, a client none. */
  readonly alternativeNames?: readonly string[]
  /** Negative: expired already. */
  readonly days?: number
}

export async function issue(authority: Authority, subject: Subject): Promise<Pair> {
  const file = (extension: string) => join(authority.folder, `${subject.name}.${extension}`)
  const organization = subject.organization === undefined ? '' : `/O=${subject.organization}`
  const request = ['-keyout', file('key'), '-out', file('csr'), '-subj', `${organization}/CN=${subject.commonName}`]
  await outputOf('openssl', ['req', '-new', ...curve, ...request], authority.folder)
  const names = subject.alternativeNames ?? []
  const extensions = [
    'extendedKeyUsage=clientAuth,serverAuth',
    'keyUsage=critical,digitalSignature',
    ...(names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`]),
  ]
  await writeFile(file('ext'), `${extensions.join('\n')}\n`)
  const signing = ['-CA', authority.certFile, '-CAkey', authority.keyFile, '-set_serial', `0x${serialOf(subject)}`]
  const output = ['-extfile', file('ext'), '-days', String(subject.days ?? 30), '-in', file('csr'), '-out', file('crt')]
  await outputOf('openssl', ['x509', '-req', ...signing, ...output], authority.folder)
  return { certFile: file('crt'), keyFile: file('key') }
}

/** Key pair that signs service account tokens. */
export async function makeSigningKey(folder: string): Promise<{ readonly publicFile: string; readonly keyFile: string }> {
  const keyFile = join(folder, 'sa.key')
  const publicFile = join(folder, 'sa.pub')
  await outputOf('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', keyFile], folder)
  await outputOf('openssl', ['ec', '-in', keyFile, '-pubout', '-out', publicFile], folder)
  return { publicFile, keyFile }
}

let serials = 0

/** Serial numbers must differ among the certificates of one authority. */
function serialOf(subject: Subject): string {
  serials += 1
  return `${Buffer.from(subject.name).subarray(0, 12).toString('hex')}${serials.toString(16).padStart(4, '0')}`
}
