// What Kubernetes accepts as names and labels. Source: Kubernetes documentation, "Object Names and IDs" (RFC 1123) and
// "Labels and Selectors" (Syntax and character set).

const labelPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

export const maxLabelLength = 63

export const isLabelValue = (text: string): boolean => text === '' || (text.length <= maxLabelLength && labelPart.test(text))

/** `name` or `prefix/name`. */
export function isLabelKey(text: string): boolean {
  const [first = '', second, ...rest] = text.split('/')
  if (rest.length > 0) return false
  const name = second ?? first
  return name.length <= maxLabelLength && labelPart.test(name) && (second === undefined || isObjectName(first))
}

export const isObjectName = (text: string): boolean => text.length <= 253 && dnsSubdomain.test(text)

export const labelValueRule = 'at most 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit'
export const objectNameRule = 'lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit'
