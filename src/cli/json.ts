// JSON as the commands print it: the same bytes for the same value, whatever order its maps were made in.
const firstFields = ['controller', 'key', 'apiVersion', 'kind', 'metadata', 'spec', 'status']

/** JSON whose maps are in a fixed order, whatever order the input had. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(value, (_, inner: unknown) => (isPlainMap(inner) ? inOrder(inner) : inner), 2)}\n`
}

const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function inOrder(map: Record<string, unknown>): Record<string, unknown> {
  const rank = (field: string) => (firstFields.includes(field) ? firstFields.indexOf(field) : firstFields.length)
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)))
}
