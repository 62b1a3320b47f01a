// JSON as the commands print it: the same bytes for the same value, whatever order its maps were made in.
/** Fields that come first, as the documentation lists them; the first shape counts all of whose fields in `by` a map has. */
const shapes: readonly { readonly by: readonly string[]; readonly first: readonly string[] }[] = [
  { by: ['controller', 'key'], first: ['controller', 'key', 'questions', 'apply', 'writes', 'status', 'remove', 'problems'] },
  { by: ['object', 'because'], first: ['object', 'because', 'finalizer'] },
  { by: ['code', 'message'], first: ['object', 'path', 'code', 'message'] },
  { by: ['kind', 'metadata'], first: ['apiVersion', 'kind', 'metadata', 'spec', 'status'] },
  { by: ['kind', 'name'], first: ['apiVersion', 'kind', 'namespace', 'name'] },
]

/** JSON whose maps are in a fixed order, whatever order the input had. */
export function printJson(value: unknown): string {
  return `${JSON.stringify(value, (_, inner: unknown) => (isPlainMap(inner) ? inOrder(inner) : inner), 2)}\n`
}

const isPlainMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function inOrder(map: Record<string, unknown>): Record<string, unknown> {
  const { first } = shapes.find(({ by }) => by.every(field => field in map)) ?? { first: [] as readonly string[] }
  const rank = (field: string) => (first.includes(field) ? first.indexOf(field) : first.length)
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)))
}
