// What `kmm` can do. Each command is loaded when it is called, so that the command line starts fast.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { BadInput } from '../shell/yaml.ts'
import { isTime } from './input/shape.ts'
import { exitCodes, type Io, UsageError } from './io.ts'
import type { OperatorCommandOptions } from './operator/command.ts'
import type { PlanOptions } from './plan/command.ts'
import type { SimulateOptions } from './simulate/command.ts'
import type { ValidateOptions } from './validate/command.ts'

/**
 * Runs one command line (without the program's name) and resolves to its exit code: 0 fine, 1 the answer is "no", 2 wrong input or
 * arguments. Rejects never: what is wrong is one sentence on `io.err`.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.fine
  const program = createProgram(io, code => {
    exitCode = code
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its own sentence, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.badInput
    if (error instanceof BadInput || error instanceof UsageError) {
      io.err(`kmm: ${error.message}\n`)
      return exitCodes.badInput
    }
    io.err(
      `kmm: this is a bug in KMM, please report it with the command and its input: ${error instanceof Error ? error.message : String(error)}\n`,
    )
    return exitCodes.bug
  }
}

const collect = (value: string, earlier: readonly string[]) => [...earlier, value]

function parseTime(value: string): string {
  if (!isTime(value)) throw new InvalidArgumentError('It must be a time such as 2024-05-01T12:00:00Z.')
  return value
}

function parseNamespace(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)) throw new InvalidArgumentError('It must be the name of a namespace.')
  return value
}

function parseCount(value: string): number {
  const count = Number(value)
  if (!/^\d+$/.test(value) || count < 1 || count > 1000) throw new InvalidArgumentError('It must be a number from 1 to 1000.')
  return count
}

const parseWords = (value: string, earlier: readonly string[]) => [
  ...earlier,
  ...value
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== ''),
]

const input = () =>
  new Option('-f, --filename <path>', 'file, directory (with all below it), or - for standard input; may be repeated')
    .argParser(collect)
    .default([], 'none')
const output = (...choices: readonly string[]) =>
  new Option('-o, --output <format>', 'how to print the answer').choices(choices).default('text')
const images = () =>
  new Option('--images <file>', 'what the registry would say: a YAML map "IMAGE: {exists: true, digest: ..., files: [...]}"')
const assumeImages = () =>
  new Option('--assume-images <answer>', 'of all other images').choices(['exist', 'missing', 'unknown']).default('unknown')

/** `finish` gets the exit code of the command that ran. */
function createProgram(io: Io, finish: (code: number) => void): Command {
  const program = new Command('kmm')
    .description('Kernel Module Management: gets out-of-tree kernel modules onto the nodes of a cluster and keeps them there.')
    .version(packageJson.version, '--version')
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(text.replace(/^error: /, 'kmm: ')),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      examples(
        'kmm simulate',
        'kmm validate -f module.yaml',
        'kubectl get modules,nodes,pods,daemonsets -A -o yaml | kmm plan -f -',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 fine, 1 the answer is no (a Module breaks a rule), 2 wrong input or arguments.')

  program
    .command('plan')
    .description('Prints what the operator would do with the objects in the files. Needs no cluster, changes nothing.')
    .addOption(input())
    .addOption(images())
    .addOption(assumeImages())
    .addOption(
      new Option('--operator-namespace <namespace>', 'where the operator runs')
        .argParser(parseNamespace)
        .default('openshift-kmm'),
    )
    .addOption(new Option('--now <time>', 'the time of the plan (default: the newest time in the input)').argParser(parseTime))
    .addOption(output('json', 'yaml', 'text'))
    .addHelpText(
      'after',
      examples(
        'kmm plan -f module.yaml -f nodes.yaml',
        'kubectl get modules,nodes,pods,daemonsets -A -o yaml | kmm plan -f - -o json',
        'kmm plan -f dump/ --assume-images exist',
      ),
    )
    .action(async (options: PlanOptions) => finish(await (await import('./plan/command.ts')).plan(options, io)))

  program
    .command('validate')
    .description('Checks Modules as the API server and the admission webhook do, and warns of what is legal but hardly meant.')
    .addOption(input())
    .addOption(
      new Option('--old <path>', 'the objects as they are now: judges the change instead of a creation')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(output('json', 'text'))
    .addHelpText(
      'after',
      examples(
        'kmm validate -f module.yaml',
        'kubectl get module my-driver -o yaml > old.yaml; kmm validate -f new.yaml --old old.yaml',
      ),
    )
    .action(async (options: ValidateOptions) => finish(await (await import('./validate/command.ts')).validate(options, io)))

  program
    .command('simulate')
    .description('Runs the operator on a simulated cluster and shows each driver on each node until everything has settled.')
    .addOption(input())
    .addOption(new Option('--nodes <count>', 'how many nodes, where the input holds none').argParser(parseCount).default(3))
    .addOption(
      new Option('--kernels <versions>', 'kernels of the nodes in turn, separated by commas')
        .argParser(parseWords)
        .default([], 'what the Modules name'),
    )
    .addOption(
      new Option(
        '--fail <failure>',
        'let this go wrong: missing-image, missing-module, wrong-kernel, unsigned, missing-symbol, missing-firmware, no-modprobe, no-shell, in-use; may be repeated',
      )
        .argParser(parseWords)
        .default([], 'none'),
    )
    .addOption(images())
    .addOption(assumeImages().default('exist'))
    .addOption(
      new Option('--operator-namespace <namespace>', 'where the operator runs')
        .argParser(parseNamespace)
        .default('openshift-kmm'),
    )
    .addOption(new Option('--demo', 'tell the example of the README'))
    .addHelpText(
      'after',
      examples(
        'kmm simulate',
        'kmm simulate -f module.yaml --nodes 5 --kernels 6.0.15-300.fc37.x86_64,5.14.0-284.el9.x86_64',
        'kmm simulate -f module.yaml --fail unsigned',
      ),
    )
    .action(async (options: SimulateOptions) => finish(await (await import('./simulate/command.ts')).simulate(options, io)))

  program
    .command('operator')
    .description('Runs the operator on the cluster of the pod or of the kubeconfig, until it is told to stop.')
    .addOption(new Option('--kubeconfig <file>', 'how to reach the cluster (default: KUBECONFIG, the pod, ~/.kube/config)'))
    .addOption(new Option('--config <file>', 'settings of the operator'))
    .addOption(images())
    .addOption(assumeImages())
    .addOption(
      new Option('--log-level <level>', 'the least important lines to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText('after', examples('kmm operator', 'kmm operator --kubeconfig ~/.kube/config --log-level debug'))
    .action(async (options: OperatorCommandOptions) =>
      finish(await (await import('./operator/command.ts')).operator(options, io, process.env)),
    )

  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program)
  return program
}

const examples = (...lines: readonly string[]) => `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}\n`
