// How this process was told to run: environment and config file (behaviour.md 14.1, 14.2). The only place that knows their names.
// The config file is read in both dialects, that of the upstream and that of the OpenShift edition.
import type { Settings } from '../core/controller.ts'
import { BadInput, parseYamlDocuments } from './yaml.ts'

export type Address = { readonly host: string; readonly port: number }

export type OperatorConfig = {
  readonly health: Address
  /** Undefined: metrics are not served. */
  readonly metrics: Address | undefined
  readonly webhookPort: number
  readonly leaderElection: { readonly enabled: boolean; readonly name: string }
  readonly firmwareClassPath: string | undefined
}

export const defaultConfig: OperatorConfig = {
  health: { host: '', port: 8081 },
  metrics: { host: '127.0.0.1', port: 8080 },
  webhookPort: 9443,
  leaderElection: { enabled: true, name: 'kmm.sigs.x-k8s.io' },
  firmwareClassPath: undefined,
}

// Each key with its two spellings; unknown keys are told, not refused: a newer config must not stop an older operator.
const keys: Readonly<Record<string, keyof Raw>> = {
  healthProbeBindAddress: 'health',
  'health.healthProbeBindAddress': 'health',
  metricsBindAddress: 'metrics',
  'metrics.bindAddress': 'metrics',
  webhookPort: 'webhookPort',
  'webhook.port': 'webhookPort',
  'leaderElection.enabled': 'leaderElect',
  'leaderElection.leaderElect': 'leaderElect',
  'leaderElection.resourceID': 'leaseName',
  'leaderElection.resourceName': 'leaseName',
  'worker.firmwareHostPath': 'firmwareClassPath',
  'worker.setFirmwareClassPath': 'firmwareClassPath',
  firmwareClassPath: 'firmwareClassPath',
}
type Raw = {
  health: string
  metrics: string
  webhookPort: number
  leaderElect: boolean
  leaseName: string
  firmwareClassPath: string
}
const types: Readonly<Record<keyof Raw, string>> = {
  health: 'string',
  metrics: 'string',
  webhookPort: 'number',
  leaderElect: 'boolean',
  leaseName: 'string',
  firmwareClassPath: 'string',
}

/** Throws BadInput with file and line where a value has the wrong type. */
export function parseConfig(
  text: string,
  file: string,
): { readonly config: OperatorConfig; readonly unknownKeys: readonly string[] } {
  const [document] = parseYamlDocuments(text, file)
  const raw: Partial<Record<keyof Raw, unknown>> = {}
  const unknownKeys: string[] = []
  for (const [path, value] of leaves(document?.value ?? {}, [])) {
    const name = path.join('.')
    if (name === 'apiVersion' || name === 'kind' || name.startsWith('metadata.')) continue
    const key = keys[name]
    if (key === undefined) {
      unknownKeys.push(name)
      continue
    }
    if (typeof value !== types[key])
      throw new BadInput(file, document?.line(path), `${name} must be a ${types[key]}, and is ${JSON.stringify(value)}`)
    raw[key] = value
  }
  return { config: configOf(raw as Partial<Raw>, file), unknownKeys }
}

function* leaves(value: unknown, path: readonly string[]): Generator<readonly [readonly string[], unknown]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) yield [path, value]
  else for (const [key, part] of Object.entries(value)) yield* leaves(part, [...path, key])
}

function configOf(raw: Partial<Raw>, file: string): OperatorConfig {
  const { health, metrics, webhookPort, leaderElection } = defaultConfig
  return {
    health: raw.health === undefined ? health : parseAddress(raw.health, file),
    // "0" is controller-runtime's word for "not at all".
    metrics: raw.metrics === undefined ? metrics : raw.metrics === '0' ? undefined : parseAddress(raw.metrics, file),
    webhookPort: raw.webhookPort ?? webhookPort,
    leaderElection: { enabled: raw.leaderElect ?? leaderElection.enabled, name: raw.leaseName ?? leaderElection.name },
    firmwareClassPath: raw.firmwareClassPath === '' ? undefined : raw.firmwareClassPath,
  }
}

/** `:8081`, `127.0.0.1:8080`, `[::1]:80`. */
export function parseAddress(text: string, file: string): Address {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]*)):(?<port>\d{1,5})$/.exec(text)
  const port = Number(match?.groups?.['port'])
  if (match === null || port > 65_535)
    throw new BadInput(file, undefined, `${JSON.stringify(text)} is no address such as :8081 or 127.0.0.1:8080`)
  return { host: match.groups?.['six'] ?? match.groups?.['host'] ?? '', port }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** `fallbackNamespace`: of the pod's service account. Throws BadInput where the namespace of the operator is not known. */
export function settingsOf(environment: Environment, config: OperatorConfig, fallbackNamespace: string | undefined): Settings {
  const operatorNamespace = environment['OPERATOR_NAMESPACE'] || fallbackNamespace
  if (operatorNamespace === undefined || operatorNamespace === '') {
    throw new BadInput(
      'environment',
      undefined,
      'OPERATOR_NAMESPACE is not set: set it to the namespace that the operator runs in',
    )
  }
  return {
    operatorNamespace,
    managed: parseBool(environment['KMM_MANAGED'] ?? ''),
    ...(config.firmwareClassPath === undefined ? {} : { firmwareClassPath: config.firmwareClassPath }),
  }
}

/** Go's strconv.ParseBool, which the original uses; what it does not know is false. */
const parseBool = (text: string): boolean => ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)
