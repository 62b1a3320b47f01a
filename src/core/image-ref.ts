// Image references: where the registry ends, what is a port, what is a tag. Grammar: behaviour.md 6.5; for the name's components the
// reference grammar of the distribution project, because the kubelet refuses everything else as InvalidImageName.

export type ImageRef = {
  /** Host with port, for example `registry.example.com:5000`; `docker.io` where none is written. */
  readonly registry: string
  /** Path within the registry, for example `org/driver`; `library/x` for a bare `x` of docker.io. */
  readonly repository: string
  /** Registry and repository in the spelling of the user. */
  readonly name: string
  readonly tag?: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const hostWithPort = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/
const tagSyntax = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const digestSyntax = /^sha256:[0-9a-f]{64}$/

export type ImageParts = { readonly name: string; readonly tag?: string; readonly digest?: string }

/** Cuts an image string into name, tag and digest without judging them: a `:` is a tag's only behind the last `/`. */
export function imagePartsOf(text: string): ImageParts {
  const at = text.indexOf('@')
  const tagged = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? {} : { digest: text.slice(at + 1) }
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1)
  return colon < 0 ? { name: tagged, ...digest } : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), ...digest }
}

/** Parses an image reference. The error says what is wrong with which part. */
export function parseImageRef(text: string): ImageRef | { readonly error: string } {
  const wrong = (why: string) => ({ error: `image reference ${JSON.stringify(text)}: ${why}` })
  if (text === '') return { error: 'the image reference is empty' }
  if (/\s/.test(text)) return wrong('it contains white space')
  const { name, tag, digest } = imagePartsOf(text)
  if (tag !== undefined && !tagSyntax.test(tag)) {
    return wrong(
      `tag ${JSON.stringify(tag)} must be 1 to 128 letters, digits, "_", "." or "-", and must not begin with "." or "-"`,
    )
  }
  if (digest !== undefined && !digestSyntax.test(digest)) {
    return wrong(`digest ${JSON.stringify(digest)} must be sha256: and 64 hexadecimal digits in lower case`)
  }
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const named = first.includes('.') || first.includes(':')
  if (named && !hostWithPort.test(first))
    return wrong(`registry ${JSON.stringify(first)} is not a host name with an optional port`)
  const path = named ? name.slice(slash + 1) : name
  if (path.length < 2 || path.length > 255) return wrong(`repository ${JSON.stringify(path)} must have 2 to 255 characters`)
  const bad = path.split('/').find(part => !component.test(part))
  if (bad !== undefined) {
    return wrong(
      `${JSON.stringify(bad)} in the repository must be lower-case letters and digits, with single ".", "_" or "-" only between them`,
    )
  }
  return {
    registry: named ? first : 'docker.io',
    repository: (!named || first === 'docker.io') && !path.includes('/') ? `library/${path}` : path,
    name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** The reference as the user would write it; the inverse of `parseImageRef`. */
export function printImageRef(ref: ImageParts): string {
  return `${ref.name}${ref.tag === undefined ? '' : `:${ref.tag}`}${ref.digest === undefined ? '' : `@${ref.digest}`}`
}
