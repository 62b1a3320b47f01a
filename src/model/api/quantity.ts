// Resource quantities in the one form in which the server stores them. Source: apimachinery, pkg/api/resource (Quantity):
// no fraction, the largest suffix that loses nothing, binary and decimal suffixes kept apart.
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/
const nanoDigits = 9

/** The value in billionths, rounded away from zero; undefined for what is no quantity. */
function nanosOf(text: string): { readonly nanos: bigint; readonly suffix: string } | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(`${whole}${fraction}`)
  const shift = binary[suffix]
  const exponent = (shift === undefined ? (decimal[suffix] ?? Number(suffix.slice(1))) : 0) - fraction.length + nanoDigits
  const scaled = shift === undefined ? digits : digits << BigInt(shift)
  const nanos = exponent >= 0 ? scaled * 10n ** BigInt(exponent) : divideUp(scaled, 10n ** BigInt(-exponent))
  return { nanos: sign === '-' ? -nanos : nanos, suffix }
}

/** A count of things, for example of pods: `1k` is 1000. NaN for what is no quantity. */
export function countOf(text: string): number {
  const parsed = nanosOf(text)
  return parsed === undefined ? Number.NaN : Number(parsed.nanos / 10n ** BigInt(nanoDigits))
}

const divideUp = (value: bigint, by: bigint) => (value + by - 1n) / by

/** `1000m` is `1`, `1024Mi` is `1Gi`, `0.5` is `500m`. What is no quantity is returned as it is. */
export function canonicalQuantity(value: unknown): unknown {
  const parsed = typeof value === 'string' || typeof value === 'number' ? nanosOf(String(value).trim()) : undefined
  if (parsed === undefined) return value
  const { nanos, suffix } = parsed
  if (nanos === 0n) return '0'
  const one = 10n ** BigInt(nanoDigits)
  const size = nanos < 0n ? -nanos : nanos
  const sign = nanos < 0n ? '-' : ''
  if (binary[suffix] !== undefined && size >= 1024n * one) return sign + printBinary(divideUp(size, one))
  return sign + printDecimal(size, /^[eE]/.test(suffix))
}

function printBinary(whole: bigint): string {
  for (const [suffix, shift] of Object.entries(binary).reverse()) {
    const unit = 1n << BigInt(shift)
    if (whole % unit === 0n) return `${whole / unit}${suffix}`
  }
  return String(whole)
}

function printDecimal(nanos: bigint, isExponent: boolean): string {
  for (const [suffix, exponent] of Object.entries(decimal).reverse()) {
    const unit = 10n ** BigInt(exponent + nanoDigits)
    if (nanos % unit === 0n) return `${nanos / unit}${isExponent && exponent !== 0 ? `e${exponent}` : suffix}`
  }
  return `${nanos}n`
}
