// `printf` formats and the escapes of dash's `echo` (POSIX XCU printf, XBD 5).

/** @returns the text, and whether `\c` ended it early. */
export function unescapeText(text: string): { readonly text: string; readonly isStopped: boolean } {
  if (!text.includes('\\')) return { text, isStopped: false }
  const stop = /(?<!\\)(?:\\\\)*\\c/.exec(text)
  const shown = stop === null ? text : text.slice(0, stop.index + stop[0].length - 2)
  return {
    text: shown.replace(/\\(0[0-7]{0,3}|[1-7][0-7]{0,2}|.)/gs, (all, code: string) => escaped(code) ?? all),
    isStopped: stop !== null,
  }
}

function escaped(code: string): string | undefined {
  if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff)
  return { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', '"': '"' }[code]
}

/** The format is used again until all arguments are taken. `problem`: words about an argument that is no number. */
export function formatPrintf(format: string, values: readonly string[]): { readonly text: string; readonly problem?: string } {
  let text = ''
  let at = 0
  let problem: string | undefined
  const number = (value: string | undefined): number => {
    if (value === undefined || value === '') return 0
    if (/^["']./.test(value)) return value.charCodeAt(1)
    const parsed = /^[-+]?0[0-7]+$/.test(value) ? Number.parseInt(value, 8) : Number(value)
    if (Number.isNaN(parsed)) problem = `${value}: expected numeric value`
    return Number.isNaN(parsed) ? 0 : Math.trunc(parsed)
  }
  const pieces = format.match(/%[-+ 0#]*(?:\*|[0-9]+)?(?:\.(?:\*|[0-9]*))?[diouxXcsb%]|\\(?:[0-7]{1,3}|.)|[^%\\]+|[%\\]/gs) ?? []
  do {
    const before = at
    for (const piece of pieces) {
      if (piece.startsWith('\\')) text += escaped(piece.slice(1)) ?? piece
      else if (piece === '%%') text += '%'
      else if (piece.startsWith('%') && piece.length > 1) {
        const conversion = piece.slice(-1)
        const [, flags = '', width = '', , precision] = /^%([-+ 0#]*)(\*|[0-9]*)(\.(\*|[0-9]*))?/.exec(piece) ?? []
        const wide = width === '*' ? number(values[at++]) : Number(width)
        const limit = precision === undefined ? undefined : precision === '*' ? number(values[at++]) : Number(precision)
        text += pad(
          convert(conversion, flags, limit, values[at++], number),
          Math.abs(wide),
          wide < 0 || flags.includes('-'),
          flags.includes('0') && !'sbc'.includes(conversion),
        )
      } else text += piece
    }
    if (at === before) break
  } while (at < values.length)
  return { text, ...(problem === undefined ? {} : { problem }) }
}

function convert(
  conversion: string,
  flags: string,
  limit: number | undefined,
  value: string | undefined,
  number: (value: string | undefined) => number,
): string {
  switch (conversion) {
    case 's':
      return limit === undefined ? (value ?? '') : (value ?? '').slice(0, limit)
    case 'b':
      return unescapeText(value ?? '').text
    case 'c':
      return (value ?? '').slice(0, 1)
    case 'x':
      return number(value).toString(16)
    case 'X':
      return number(value).toString(16).toUpperCase()
    case 'o':
      return number(value).toString(8)
    default: {
      const converted = number(value)
      const digits = String(Math.abs(converted)).padStart(limit ?? 1, '0')
      return (converted < 0 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + digits
    }
  }
}

function pad(text: string, width: number, isLeft: boolean, isZero: boolean): string {
  if (isLeft) return text.padEnd(width)
  if (!isZero) return text.padStart(width)
  const sign = /^[-+ ]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}
