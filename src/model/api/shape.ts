// How the fields of a kind merge under server-side apply: the part of a schema that structured-merge-diff calls "topology".
// Source: Kubernetes documentation, "Server-Side Apply", section "Merge strategy" (x-kubernetes-list-type, -map-keys, -map-type).

export type Shape = {
  /** `atomic`: one owner for the whole value. `granular` (default): an object's fields, or a list's items by `keys`, are owned apart. */
  readonly merge?: 'atomic' | 'granular'
  /** Known fields of an object. */
  readonly fields?: Readonly<Record<string, Shape>>
  /** Values of a map with free keys, or of the fields that `fields` does not name. */
  readonly values?: Shape
  /** Items of a list with `keys` or `set`. Other lists are atomic. */
  readonly items?: Shape
  /** The fields that identify an item: x-kubernetes-list-map-keys. */
  readonly keys?: readonly string[]
  /** Values of key fields that an item leaves out, for example protocol TCP. */
  readonly keyDefaults?: Readonly<Record<string, unknown>>
  /** A list of scalars without duplicates. */
  readonly set?: 'set'
}

/** Objects merge field by field, lists are atomic. */
export const plainShape: Shape = {}
export const atomicShape: Shape = { merge: 'atomic' }
