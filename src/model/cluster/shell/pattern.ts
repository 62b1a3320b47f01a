// Shell patterns (POSIX XCU 2.13): `*`, `?`, `[...]`; quoted characters stand for themselves.

export type Chunk = { readonly text: string; readonly quoted: boolean }

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** A lone `[`, as in `[ -e x ]`, is no pattern. */
export const hasPattern = (chunks: readonly Chunk[]): boolean => chunks.some(chunk => !chunk.quoted && mayBePattern(chunk.text))

export const mayBePattern = (text: string): boolean => /[*?]|\[.*\]/s.test(text)

/** Source of a regular expression, without anchors. @param any what one `*` or `?` may stand for, for example `[^/]`. */
export function patternSource(chunks: readonly Chunk[], any: string): string {
  return chunks.map(chunk => (chunk.quoted ? escape(chunk.text) : unquotedSource(chunk.text, any))).join('')
}

function unquotedSource(text: string, any: string): string {
  let source = ''
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '*') source += `${any}*`
    else if (char === '?') source += any
    else if (char === '[') {
      const set = /^\[([!^]?)(\]?[^\]]*)\]/.exec(text.slice(at))
      if (set === null) source += '\\['
      else {
        source += `[${set[1] === '' ? '' : '^'}${(set[2] ?? '').replace(/[\\\]^]/g, '\\$&').replaceAll('[:digit:]', '0-9')}]`
        at += set[0].length - 1
      }
    } else source += escape(char)
  }
  return source
}

export const matchesPattern = (text: string, chunks: readonly Chunk[]): boolean =>
  new RegExp(`^(?:${patternSource(chunks, '[\\s\\S]')})$`).test(text)

/** `${text#pattern}` and its siblings: without the shortest or longest match at the beginning or end. */
export function trimPattern(text: string, chunks: readonly Chunk[], operator: '#' | '##' | '%' | '%%'): string {
  const expression = new RegExp(`^(?:${patternSource(chunks, '[\\s\\S]')})$`)
  const lengths = Array.from({ length: text.length + 1 }, (_, length) => (operator.length === 1 ? length : text.length - length))
  for (const length of lengths) {
    const [part, rest] = operator.startsWith('#')
      ? [text.slice(0, length), text.slice(length)]
      : [text.slice(text.length - length), text.slice(0, text.length - length)]
    if (expression.test(part)) return rest
  }
  return text
}
