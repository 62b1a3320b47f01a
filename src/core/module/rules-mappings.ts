// Rules about kernelMappings: which kernels, and which image for them (behaviour.md 9.1, rules 3 to 6, and 3.1).
import type { KernelMapping } from '../../api/module.ts'
import { compileGoRegexp, printPattern } from '../kernel/regexp.ts'
import { eachMapping, has, inMapping, type Rule } from './rule.ts'
import { quoted } from './violation.ts'

const literalAndRegexp: Rule = {
  code: 'LiteralAndRegexp',
  on: 'both',
  severity: 'error',
  check: subject =>
    eachMapping(subject, ({ literal, regexp }, index) =>
      has(literal) && has(regexp)
        ? {
            message: `kernelMappings[${index}] has both literal ${quoted(literal)} and regexp ${printPattern(regexp)}: keep one, and make a second mapping for the other`,
          }
        : undefined,
    ),
}

const literalOrRegexpMissing: Rule = {
  code: 'LiteralOrRegexpMissing',
  on: 'both',
  severity: 'error',
  check: subject =>
    eachMapping(subject, ({ literal, regexp }, index) =>
      has(literal) || has(regexp)
        ? undefined
        : { message: `kernelMappings[${index}] needs a literal or a regexp that says for which kernels it is` },
    ),
}

const regexpInvalid: Rule = {
  code: 'RegexpInvalid',
  on: 'both',
  severity: 'error',
  check: subject =>
    eachMapping(subject, ({ regexp }) => {
      if (!has(regexp)) return undefined
      const compiled = compileGoRegexp(regexp)
      return 'error' in compiled
        ? {
            field: 'regexp',
            message: `regexp ${printPattern(regexp)} is no regular expression in the syntax of Go: ${compiled.error}`,
          }
        : undefined
    }),
}

const imageMissing: Rule = {
  code: 'ImageMissing',
  on: 'both',
  severity: 'error',
  check: subject =>
    eachMapping(subject, ({ containerImage, literal, regexp }, index) =>
      has(containerImage) || has(subject.container.containerImage)
        ? undefined
        : {
            field: 'containerImage',
            message: `kernelMappings[${index}] (${has(literal) ? literal : (regexp ?? '')}) needs a containerImage, here or in spec.moduleLoader.container`,
          },
    ),
}

/** Kernel versions hold neither white space nor control characters, so a pattern that insists on one is a mistake. */
const escapes: Readonly<Record<string, string>> = {
  a: 'a bell',
  f: 'a form feed',
  n: 'a line feed',
  r: 'a carriage return',
  t: 'a tab',
  v: 'a vertical tab',
  s: 'white space',
}

/** The escape at the top level of the pattern that must match but cannot; undefined as soon as the pattern has alternatives or groups. */
export function impossibleEscape(pattern: string): { readonly escape: string; readonly meaning: string } | undefined {
  if (/[|(]/.test(pattern.replace(/\\./g, ''))) return undefined
  const outsideClasses = pattern.replace(/\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/g, '.')
  for (const [text, escaped, optional] of outsideClasses.matchAll(/\\(.)([*?]|\{0)?|[\s\S]/g)) {
    const meaning = escaped === undefined ? (/\s/.test(text) ? 'white space' : undefined) : escapes[escaped]
    if (meaning !== undefined && optional === undefined) return { escape: escaped === undefined ? text : `\\${escaped}`, meaning }
  }
  return undefined
}

const regexpNeverMatches: Rule = {
  code: 'RegexpNeverMatches',
  on: 'both',
  severity: 'warning',
  check: subject =>
    eachMapping(subject, ({ regexp }) => {
      if (!has(regexp) || 'error' in compileGoRegexp(regexp)) return undefined
      const impossible = impossibleEscape(regexp)
      if (impossible === undefined) return undefined
      const { escape, meaning } = impossible
      const letter = escape.at(-1) ?? ''
      const advice = escape.startsWith('\\')
        ? `: if the letter is meant, write ${letter}, and \\.${letter} for a dot before it`
        : ''
      return {
        field: 'regexp',
        message: `regexp ${quotedAsIs(regexp)} never matches a kernel, because ${escape.startsWith('\\') ? `${escape} is ${meaning}` : `it holds ${meaning}`}, which no kernel version has${advice}`,
      }
    }),
}

/** Backslashes as the user wrote them. */
const quotedAsIs = (pattern: string) => `'${pattern}'`

const literalIsPattern: Rule = {
  code: 'LiteralNeverMatches',
  on: 'both',
  severity: 'warning',
  check: subject =>
    eachMapping(subject, ({ literal }) =>
      has(literal) && /[^A-Za-z0-9._+~-]/.test(literal)
        ? {
            field: 'literal',
            message: `literal '${literal}' never equals a kernel version, which has only letters, digits and . _ + ~ -: if it is a pattern, call it regexp`,
          }
        : undefined,
    ),
}

const mappingShadowed: Rule = {
  code: 'MappingShadowed',
  on: 'both',
  severity: 'warning',
  check: subject => {
    const mappings = subject.container.kernelMappings
    // Once each: a Module may have hundreds of them.
    const takers = mappings.map(takerOf)
    return mappings.flatMap((mapping, index) => {
      const earlier = takers.findIndex((takes, place) => place < index && takes(mapping))
      if (earlier < 0) return []
      const what = `kernelMappings[${index}] (${has(mapping.literal) ? mapping.literal : (mapping.regexp ?? '')})`
      const message = `${what} is never used, because the first mapping that fits is taken and kernelMappings[${earlier}] fits the same kernels: move it up, or remove it`
      return [{ path: inMapping(index), message }]
    })
  },
}

type Choice = Pick<KernelMapping, 'literal' | 'regexp'>

/** Whether every kernel of a later mapping is already taken by this one, as far as that can be seen. */
function takerOf({ literal, regexp }: Choice): (later: Choice) => boolean {
  if (has(literal)) return later => literal === later.literal && !has(later.regexp)
  const compiled = has(regexp) ? compileGoRegexp(regexp) : undefined
  if (compiled === undefined || !has(regexp) || 'error' in compiled) return () => false
  const takesAll = matchesAnything(regexp)
  return later =>
    has(later.literal) ? compiled.matches(later.literal) : has(later.regexp) && (regexp === later.regexp || takesAll)
}

const matchesAnything = (pattern: string) =>
  /^(?:\.[*+]?\??|\[\^ \][*+]|\\S[*+])?$/.test(pattern.replace(/^(?:\^|\\A)?\(?|\)?(?:\$|\\z)?$/g, ''))

export const mappingRules: readonly Rule[] = [
  literalAndRegexp,
  literalOrRegexpMissing,
  regexpInvalid,
  imageMissing,
  regexpNeverMatches,
  literalIsPattern,
  mappingShadowed,
]
