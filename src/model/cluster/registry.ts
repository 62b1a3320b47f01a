// A registry: images by reference, who may pull them, and what goes wrong.
import { createHash } from 'node:crypto'
import { createLayer, type Entry, type Layer } from './files.ts'

export type ModelImage = {
  readonly digest: string
  readonly layer: Layer
  /** Run when the pod gives no command. */
  readonly command: readonly string[]
  readonly environment: ReadonlyMap<string, string>
}

export type ImageContent = {
  /** By absolute path. */
  readonly files: Readonly<Record<string, Entry>>
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

export type Credentials = { readonly username: string; readonly password: string }

/** A failed pull in the words of containerd. */
type Pull = { readonly image: ModelImage } | { readonly failed: string }

export type ModelRegistry = {
  /** Publishes; an existing tag moves. @returns the digest, `sha256:...`. */
  push(reference: string, content: ImageContent): string
  get(reference: string): ModelImage | undefined
  remove(reference: string): void
  references(): readonly string[]
  /** From now on a pull of anything below this host or repository needs one of these credentials. */
  protect(prefix: string, credentials: Credentials): void
  /** Pulls of this reference fail with these words, on one node or on all, until `mend`. */
  fail(reference: string, words: string, node?: string): void
  mend(reference: string): void
  pull(reference: string, credentials: (host: string) => readonly Credentials[], node: string): Pull
}

/** `quay.io/a/b:1` for `b:1`-like short forms stays as it is: only an absent tag is filled in. */
export const fullReference = (reference: string): string =>
  reference.includes('@') || reference.slice(reference.lastIndexOf('/') + 1).includes(':') ? reference : `${reference}:latest`

/** The registry's host, as docker config files name it. */
const hostOf = (reference: string): string => {
  const [first = ''] = reference.split('/')
  return reference.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost') ? first : 'docker.io'
}

export function createRegistry(): ModelRegistry {
  const images = new Map<string, ModelImage>()
  const protectedBy = new Map<string, Credentials>()
  const failures = new Map<string, { readonly words: string; readonly node: string | undefined }>()

  const find = (reference: string) => images.get(fullReference(reference))
  return {
    push(reference, { files, command = [], environment = {} }) {
      const hash = createHash('sha256')
        .update(JSON.stringify([files, command, environment]))
        .digest('hex')
      const digest = `sha256:${hash}`
      const image: ModelImage = { digest, layer: createLayer(files), command, environment: new Map(Object.entries(environment)) }
      images.set(fullReference(reference), image)
      images.set(`${repositoryOf(reference)}@${digest}`, image)
      return digest
    },
    get: find,
    remove: reference => void images.delete(fullReference(reference)),
    references: () => [...images.keys()],
    protect: (prefix, credentials) => void protectedBy.set(prefix, credentials),
    fail: (reference, words, node) => void failures.set(`${fullReference(reference)} ${node ?? ''}`, { words, node }),
    mend(reference) {
      for (const key of Array.from(failures.keys())) if (key.startsWith(`${fullReference(reference)} `)) failures.delete(key)
    },
    pull(reference, credentials, node) {
      const full = fullReference(reference)
      const failed = (code: string, words: string): Pull => ({
        failed: `rpc error: code = ${code} desc = failed to pull and unpack image "${full}": ${words}`,
      })
      const failure = failures.get(`${full} ${node}`) ?? failures.get(`${full} `)
      if (failure !== undefined) return failed('Unknown', failure.words)
      for (const [prefix, wanted] of protectedBy) {
        if (full !== prefix && !full.startsWith(`${prefix}/`) && !full.startsWith(`${prefix}:`)) continue
        const given = credentials(hostOf(full))
        if (given.some(one => one.username === wanted.username && one.password === wanted.password)) continue
        const words = given.length === 0 ? 'authorization failed: no basic auth credentials' : 'authorization failed'
        return failed(
          'Unknown',
          `failed to resolve reference "${full}": pull access denied, repository does not exist or may require authorization: ${words}`,
        )
      }
      const image = find(full)
      return image === undefined ? failed('NotFound', `failed to resolve reference "${full}": ${full}: not found`) : { image }
    },
  }
}

const repositoryOf = (reference: string): string => {
  const [withTag = ''] = reference.split('@')
  const colon = withTag.lastIndexOf(':')
  return colon > withTag.lastIndexOf('/') ? withTag.slice(0, colon) : withTag
}
