// The options that several commands share, and how their values are read.
import { InvalidArgumentError, Option } from 'commander'
import { isTime } from './input/shape.ts'

export const collect = (value: string, earlier: readonly string[]) => [...earlier, value]

function parseTime(value: string): string {
  if (!isTime(value)) throw new InvalidArgumentError('It must be a time such as 2024-05-01T12:00:00Z.')
  return value
}

function parseNamespace(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)) throw new InvalidArgumentError('It must be the name of a namespace.')
  return value
}

/** Of nodes; none where clients create them. */
export function parseNodeCount(value: string): number {
  const count = Number(value)
  if (!/^\d+$/.test(value) || count > 50_000) throw new InvalidArgumentError('It must be a number from 0 to 50000.')
  return count
}

export function parsePort(value: string): number {
  const port = Number(value)
  if (!/^\d+$/.test(value) || port > 65_535) throw new InvalidArgumentError('It must be a port, or 0 for any that is free.')
  return port
}

export const parseWords = (value: string, earlier: readonly string[]) => [
  ...earlier,
  ...value
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== ''),
]

export const input = () =>
  new Option('-f, --filename <path>', 'file, directory (with all below it), or - for standard input; may be repeated')
    .argParser(collect)
    .default([], 'none')
export const output = (...choices: readonly string[]) =>
  new Option('-o, --output <format>', 'how to print the answer').choices(choices).default('text')
export const images = () =>
  new Option('--images <file>', 'what the registry would say: a YAML map "IMAGE: {exists: true, digest: ..., files: [...]}"')
export const assumeImages = () =>
  new Option('--assume-images <answer>', 'of all other images').choices(['exist', 'missing', 'unknown']).default('unknown')

export const operatorNamespace = () =>
  new Option('--operator-namespace <namespace>', 'where the operator runs').argParser(parseNamespace).default('openshift-kmm')
export const now = () =>
  new Option('--now <time>', 'the time of the plan (default: the newest time in the files; for a cluster: now)').argParser(
    parseTime,
  )
export const kubeconfig = () =>
  new Option('--kubeconfig <file>', 'how to reach the cluster (default: KUBECONFIG, the pod, ~/.kube/config)')
export const context = () => new Option('--context <name>', 'context of the kubeconfig (default: the current one)')
export const namespace = (what: string) => new Option('-n, --namespace <namespace>', what).argParser(parseNamespace)

/** The examples below a command's help, or any other lines. */
export const examples = (...lines: readonly string[]) => `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}\n`
