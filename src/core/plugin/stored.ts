// What users write inside the device plugin's core/v1 fields, as the API server stores it. It drops empty values of fields that have
// no pointer in core/v1, and fills in defaults inside values that it merges as a whole.

// Source: core/v1 types without a pointer (EnvVar, VolumeMount, the volume sources).
const dropped = new Set([
  'value',
  'readOnly',
  'subPath',
  'subPathExpr',
  'imagePullPolicy',
  'containerName',
  'medium',
  'fsType',
  'partition',
  'user',
  'secretFile',
  'revision',
  'directory',
  'chapAuthDiscovery',
  'chapAuthSession',
  'sslEnabled',
])

/** A copy without the values that the server would drop, and with `fieldRef.apiVersion`. Equal values give equal copies. */
export function stored<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([name, inner]) => inner !== undefined && inner !== null && !(dropped.has(name) && isZero(inner)))
    .map(([name, inner]) => [name, name === 'fieldRef' ? fieldRef(inner) : isFreeMap(name) ? inner : copy(inner)] as const)
  return Object.fromEntries(entries)
}

const isZero = (value: unknown): boolean => value === false || value === '' || value === 0

const fieldRef = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? { apiVersion: 'v1', ...value } : value

/** Maps whose keys are the user's, so that no name in them means a field. */
const isFreeMap = (name: string): boolean =>
  /^(volumeAttributes|options|labels|annotations|matchLabels|limits|requests)$/.test(name)
