// The one place that knows how patterns of kernel mappings are evaluated. Users write Go's RE2 syntax, which has no look-around and no
// back-references and always ends in linear time; JavaScript's own engine promises neither.
import { RE2JS } from 're2js'

export type KernelPattern = { matches(text: string): boolean }

/**
 * Compiles a pattern in Go's regular-expression syntax (RE2). `matches` is an unanchored search, as Go's `regexp.MatchString`
 * (behaviour.md 3.1). A pattern that Go would refuse gives its error as a sentence part, for example
 * "missing closing ): `(`".
 */
export function compileGoRegexp(pattern: string): KernelPattern | { readonly error: string } {
  try {
    const compiled = RE2JS.compile(pattern)
    return { matches: text => compiled.test(text) }
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause)
    return { error: words.replace(/^error parsing regexp: /, '') }
  }
}

/** In quotes, with backslashes as the user wrote them. */
export const printPattern = (pattern: string): string => `"${pattern}"`
