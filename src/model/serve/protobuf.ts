// Newer kubectls create the kinds that they know in protobuf (`kubectl create namespace`), and `drain` deletes with it. The few messages
// that they send are read here. Source: Protocol Buffers "Encoding"; the generated.proto files of k8s.io/api and k8s.io/apimachinery.
import type { Json } from '../api/types.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

type Field = readonly [name: string, kind: Kind]
type Message = Readonly<Record<number, Field>>
/** `texts` repeats; `map` and `bytes map` are repeated entries of key 1 and value 2; `each` repeats a message. */
type Kind = 'text' | 'texts' | 'number' | 'flag' | 'map' | 'bytes map' | { readonly one: Message } | { readonly each: Message }

const meta: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
  14: ['finalizers', 'texts'],
}
const named = { 1: ['metadata', { one: meta }] } as const satisfies Message
const reference: Message = { 1: ['kind', 'text'], 2: ['namespace', 'text'], 3: ['name', 'text'] }
const rule: Message = {
  1: ['verbs', 'texts'],
  2: ['apiGroups', 'texts'],
  3: ['resources', 'texts'],
  4: ['resourceNames', 'texts'],
  5: ['nonResourceURLs', 'texts'],
}
const subject: Message = { 1: ['kind', 'text'], 2: ['apiGroup', 'text'], 3: ['name', 'text'], 4: ['namespace', 'text'] }
const role: Message = { ...named, 2: ['rules', { each: rule }] }
const binding: Message = {
  ...named,
  2: ['subjects', { each: subject }],
  3: ['roleRef', { one: { 1: ['apiGroup', 'text'], 2: ['kind', 'text'], 3: ['name', 'text'] } }],
}
const messages: Readonly<Record<string, Message>> = {
  Namespace: named,
  ConfigMap: { ...named, 2: ['data', 'map'], 3: ['binaryData', 'bytes map'], 4: ['immutable', 'flag'] },
  Secret: { ...named, 2: ['data', 'bytes map'], 3: ['type', 'text'], 4: ['stringData', 'map'], 5: ['immutable', 'flag'] },
  ServiceAccount: { ...named, 2: ['secrets', { each: reference }], 4: ['automountServiceAccountToken', 'flag'] },
  Role: role,
  ClusterRole: role,
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  PriorityClass: {
    ...named,
    2: ['value', 'number'],
    3: ['globalDefault', 'flag'],
    4: ['description', 'text'],
    5: ['preemptionPolicy', 'text'],
  },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'number'],
    2: ['preconditions', { one: { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] } }],
    4: ['propagationPolicy', 'text'],
    5: ['dryRun', 'texts'],
  },
  // What they ask does not matter: the answer is always yes.
  SelfSubjectAccessReview: {},
  SelfSubjectRulesReview: {},
  SelfSubjectReview: {},
}

/** A number of up to 64 bits; ours are small, but a negative one takes all of them. */
function varint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    const byte = bytes[at] ?? 0
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start))
    if (byte < 0x80) return { value: BigInt.asIntN(64, value), end: at + 1 }
  }
  throw new Error('it ends in the middle of a number')
}

/** The fields of a message in their order; numbers of other widths are skipped. */
function* fieldsOf(bytes: Buffer): Generator<readonly [number: number, value: Buffer | bigint]> {
  for (let at = 0; at < bytes.length; ) {
    const { value: tag, end } = varint(bytes, at)
    const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)]
    if (wire === 0) {
      const read = varint(bytes, end)
      yield [number, read.value]
      at = read.end
    } else if (wire === 2) {
      const length = varint(bytes, end)
      at = length.end + Number(length.value)
      if (at > bytes.length || length.value < 0n) throw new Error('it ends in the middle of a field')
      yield [number, bytes.subarray(length.end, at)]
    } else if (wire === 1 || wire === 5) at = end + (wire === 1 ? 8 : 4)
    else throw new Error(`it has a field of wire type ${wire}`)
  }
}

const entryOf = (bytes: Buffer): readonly [string, Buffer] => {
  const parts = new Map(fieldsOf(bytes))
  const [key, value] = [parts.get(1), parts.get(2)]
  return [Buffer.isBuffer(key) ? key.toString() : '', Buffer.isBuffer(value) ? value : Buffer.alloc(0)]
}

/** Empty texts are left out: Go writes them where nothing was said. */
function messageOf(bytes: Buffer, message: Message): Json {
  const object: Record<string, unknown> = {}
  for (const [number, value] of fieldsOf(bytes)) {
    const [name, kind] = message[number] ?? []
    if (name === undefined || kind === undefined) continue
    if (!Buffer.isBuffer(value)) object[name] = kind === 'flag' ? value !== 0n : Number(value)
    else if (kind === 'text') Object.assign(object, value.length === 0 ? {} : { [name]: value.toString() })
    else if (kind === 'texts') object[name] = [...((object[name] as readonly string[] | undefined) ?? []), value.toString()]
    else if (kind === 'map' || kind === 'bytes map') {
      const [key, content] = entryOf(value)
      object[name] = { ...(object[name] as Json | undefined), [key]: content.toString(kind === 'map' ? 'utf8' : 'base64') }
    } else if (kind === 'number' || kind === 'flag') continue
    else if ('each' in kind)
      object[name] = [...((object[name] as readonly Json[] | undefined) ?? []), messageOf(value, kind.each)]
    else object[name] = messageOf(value, kind.one)
  }
  return object
}

/** The object in a protobuf body. Throws an Error that begins with `it` for what is none, or of a kind that is not read here. */
export function parseProtobuf(bytes: Buffer): Json {
  if (bytes.subarray(0, 4).toString('latin1') !== 'k8s\0') throw new Error('it does not begin with k8s')
  const envelope = new Map(fieldsOf(bytes.subarray(4)))
  const [types, raw] = [envelope.get(1), envelope.get(2)]
  const { apiVersion, kind } = messageOf(Buffer.isBuffer(types) ? types : Buffer.alloc(0), {
    1: ['apiVersion', 'text'],
    2: ['kind', 'text'],
  })
  const message = messages[String(kind)]
  if (message === undefined) throw new Error(`it holds a ${String(kind)}, which is read only as JSON`)
  return { apiVersion, kind, ...messageOf(Buffer.isBuffer(raw) ? raw : Buffer.alloc(0), message) }
}
