// A self-signed certificate for the loopback address, written byte by byte: Node makes keys and signatures, but no certificates, and a
// library for one fixed certificate would be larger than the server. Source: RFC 5280 (4.1, 4.2.1), RFC 5758 (3.2), X.690 (DER).
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export type Certificate = { readonly cert: string; readonly key: string }

/** One DER element. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...bytes]), content])
}

const sequence = (...parts: readonly Uint8Array[]) => element(0x30, ...parts)
const text = (tag: number, value: string) => element(tag, Buffer.from(value, 'latin1'))
/** Context-specific and constructed: `[n] EXPLICIT`. */
const explicit = (n: number, content: Uint8Array) => element(0xa0 + n, content)
const bitString = (bytes: Uint8Array) => element(0x03, Buffer.from([0]), bytes)

/** Numbers below 2^28, which all of ours are. */
function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap(number => {
    const groups = [number & 0x7f]
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return element(0x06, Buffer.from([first * 40 + second, ...bytes]))
}

/** GeneralizedTime holds any year; UTCTime is what RFC 5280 wants before 2050. */
function time(ms: number): Buffer {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  return Number(digits.slice(0, 4)) < 2050 ? text(0x17, digits.slice(2)) : text(0x18, digits)
}

const commonName = (name: string) => sequence(element(0x31, sequence(identifier('2.5.4.3'), text(0x0c, name))))
const isTrue = element(0x01, Buffer.from([0xff]))
const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'))

/** Its own authority, for server authentication on this machine only. */
function extensions(): Buffer {
  const names = sequence(
    element(0x87, Buffer.from([127, 0, 0, 1])),
    element(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
    text(0x82, 'localhost'),
  )
  return sequence(
    sequence(identifier('2.5.29.19'), isTrue, element(0x04, sequence(isTrue))),
    sequence(identifier('2.5.29.37'), element(0x04, sequence(identifier('1.3.6.1.5.5.7.3.1')))),
    sequence(identifier('2.5.29.17'), element(0x04, names)),
  )
}

const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`

/** A certificate for 127.0.0.1, ::1 and localhost, and its key, both PEM; valid for 30 days from an hour before `nowMs`. */
export function selfSignedCertificate(nowMs: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = commonName('simulated-kubernetes')
  // The first bit of the serial number is 0, because it must be positive, and the second 1, because DER forbids leading zeros.
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const unsigned = sequence(
    explicit(0, element(0x02, Buffer.from([2]))),
    element(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(nowMs - 3_600_000), time(nowMs + 30 * 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions()),
  )
  const signature = sign('sha256', unsigned, privateKey)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { cert: pem(sequence(unsigned, ecdsaWithSha256, bitString(signature))), key }
}
