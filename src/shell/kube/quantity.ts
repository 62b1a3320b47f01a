// Equality of resource quantities. Source: k8s.io/apimachinery, api/resource/quantity.go (the grammar in its comment).

type Parsed = { readonly digits: bigint; readonly exponent: number }

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

function parseQuantity(text: string): Parsed | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(`${whole}${fraction}`) << (binary[suffix] ?? 0n)
  return { digits: sign === '-' ? -digits : digits, exponent: (decimal[suffix] ?? 0) + Number(exponent) - fraction.length }
}

/** Whether both are quantities of the same amount: `1000m` and `1`, `1024Mi` and `1Gi`, the number 2 and `2`. */
export function sameQuantity(a: string | number, b: string | number): boolean {
  if (String(a) === String(b)) return true
  const left = parseQuantity(String(a))
  const right = parseQuantity(String(b))
  if (left === undefined || right === undefined) return false
  const least = Math.min(left.exponent, right.exponent)
  const scaled = (quantity: Parsed) => quantity.digits * 10n ** BigInt(quantity.exponent - least)
  return scaled(left) === scaled(right)
}
