// The substitution language of image names and file paths: a lenient subset of what a shell does (behaviour.md 3.5).

/** The substituted text, or what is wrong with the template. */
export type Substituted = { readonly text: string } | { readonly error: string }

/** Letters of any alphabet, digits and `_`; the longest match counts. */
const nameAt = /[\p{L}\p{Nd}_]+/uy
const operators = [':-', ':=', ':+', '-', '=', '+'] as const

/**
 * Replaces `$NAME`, `${NAME}` and `${NAME:-default}` and its relatives. Unknown variables are empty, `$$` is a `$`, and a `$` before
 * anything else stays. The error is a sentence part that quotes the place.
 */
export function substitute(template: string, variables: Readonly<Record<string, string>>): Substituted {
  let text = ''
  for (let at = 0; at < template.length; ) {
    const dollar = template.indexOf('$', at)
    if (dollar < 0) return { text: text + template.slice(at) }
    text += template.slice(at, dollar)
    const next = template[dollar + 1]
    if (next === '$') {
      text += '$'
      at = dollar + 2
    } else if (next === '{') {
      const end = template.indexOf('}', dollar)
      if (end < 0) return { error: `${JSON.stringify(template.slice(dollar))} has no closing brace` }
      const value = expression(template.slice(dollar + 2, end), variables)
      if (typeof value !== 'string') return value
      text += value
      at = end + 1
    } else {
      const name = readName(template, dollar + 1)
      text += name === '' ? '$' : (valueOf(name, variables) ?? '')
      at = dollar + 1 + name.length
    }
  }
  return { text }
}

/** What stands between the braces. */
function expression(inner: string, variables: Readonly<Record<string, string>>): string | { readonly error: string } {
  const wrong = (why: string) => ({ error: `${JSON.stringify(`\${${inner}}`)} ${why}` })
  if (/[\r\n]/.test(inner)) return wrong('has a line break inside its braces')
  const name = readName(inner, 0)
  if (name === '') return wrong('names no variable')
  const value = valueOf(name, variables)
  const rest = inner.slice(name.length)
  if (rest === '') return value ?? ''
  const operator = operators.find(candidate => rest.startsWith(candidate))
  if (operator === undefined) return wrong('holds something after the name that is none of :- := :+ - = +')
  const word = substituteWord(rest.slice(operator.length), variables)
  if (word === undefined) return wrong('may hold either plain text or exactly one $VARIABLE after the operator')
  if (operator === '+' || operator === ':+') return value === undefined ? '' : word
  const isMissing = value === undefined || (operator.startsWith(':') && value === '')
  return isMissing ? word : value
}

/** Plain text, or one `$VARIABLE` that is all of it; undefined for anything in between. */
function substituteWord(word: string, variables: Readonly<Record<string, string>>): string | undefined {
  if (!word.startsWith('$')) return word
  const name = readName(word, 1)
  return name !== '' && name.length === word.length - 1 ? (valueOf(name, variables) ?? '') : undefined
}

const valueOf = (name: string, variables: Readonly<Record<string, string>>): string | undefined =>
  Object.hasOwn(variables, name) ? variables[name] : undefined

function readName(text: string, start: number): string {
  nameAt.lastIndex = start
  return nameAt.exec(text)?.[0] ?? ''
}
