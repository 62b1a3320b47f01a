// What `kmm` can do. Each command is loaded when it is called, so that the command line starts fast.
import { Command, CommanderError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import type { Environment } from '../shell/kube/kubeconfig-connection.ts'
import { BadInput } from '../shell/yaml.ts'
import type { ExplainOptions } from './explain/command.ts'
import { exitCodes, type Io, UsageError } from './io.ts'
import type { OperatorCommandOptions } from './operator/command.ts'
import {
  assumeImages,
  collect,
  context,
  examples,
  images,
  input,
  kubeconfig,
  namespace,
  now,
  operatorNamespace,
  output,
  parseNodeCount,
  parsePort,
  parseWords,
} from './options.ts'
import type { PauseOptions } from './pause/command.ts'
import type { PlanOptions } from './plan/command.ts'
import type { ReleaseOptions } from './release/command.ts'
import type { SimulateOptions } from './simulate/command.ts'
import { failureNames } from './simulate/failures.ts'
import type { StatusOptions } from './status/command.ts'
import type { ValidateOptions } from './validate/command.ts'

/**
 * Runs one command line (without the program's name) and resolves to its exit code: 0 fine, 1 the answer is "no", 2 wrong input or
 * arguments. `environment` says how to reach a cluster where the arguments do not. Rejects never: what is wrong is one sentence on `io.err`.
 */
export async function main(argv: readonly string[], io: Io, environment: Environment = {}): Promise<number> {
  let exitCode: number = exitCodes.fine
  const program = createProgram(io, environment, code => {
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

/** `finish` gets the exit code of the command that ran. */
function createProgram(io: Io, environment: Environment, finish: (code: number) => void): Command {
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
      examples('kmm simulate', 'kmm validate -f module.yaml', 'kmm status', 'kmm explain my-driver --node worker-1'),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 the answer is no (a Module breaks a rule, a driver is not where it should be), 2 wrong input or arguments.',
    )

  program
    .command('plan')
    .description('Prints what the operator would do with the objects in the files, or in the cluster. Changes nothing.')
    .addOption(input())
    .addOption(kubeconfig())
    .addOption(context())
    .addOption(images())
    .addOption(assumeImages())
    .addOption(operatorNamespace())
    .addOption(now())
    .addOption(output('json', 'yaml', 'text'))
    .addHelpText(
      'after',
      examples(
        'kmm plan -f module.yaml -f nodes.yaml',
        'kubectl get modules,nodes,pods,daemonsets,events -A -o yaml | kmm plan -f - -o json',
        'kmm plan -f dump/ --assume-images exist',
        'kmm plan --context my-cluster',
      ),
    )
    .action(async (options: PlanOptions) => finish(await (await import('./plan/command.ts')).plan(options, io, environment)))

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
    .addOption(new Option('--nodes <count>', 'how many nodes, where the input holds none').argParser(parseNodeCount).default(3))
    .addOption(
      new Option('--kernels <versions>', 'kernels of the nodes in turn, separated by commas')
        .argParser(parseWords)
        .default([], 'what the Modules name'),
    )
    .addOption(
      new Option('--fail <failure>', `let this go wrong: ${failureNames.join(', ')}; may be repeated`)
        .argParser(parseWords)
        .default([], 'none'),
    )
    .addOption(images())
    .addOption(assumeImages().default('exist'))
    .addOption(operatorNamespace())
    .addOption(new Option('--demo', 'tell the example of the README'))
    .addOption(
      new Option(
        '--serve <port>',
        'let the cluster live in real time behind this port of 127.0.0.1, for kubectl; 0 for any free one',
      ).argParser(parsePort),
    )
    .addOption(new Option('--no-operator', 'with --serve: no operator runs in the cluster, so that another one can'))
    .addOption(
      new Option('--hollow', 'with --serve: the nodes only say that their pods run, so that there can be tens of thousands'),
    )
    .addOption(new Option('--audit-log <file>', 'with --serve: write a line about each request, as the API server does'))
    .addHelpText(
      'after',
      examples(
        'kmm simulate',
        'kmm simulate -f module.yaml --nodes 5 --kernels 6.0.15-300.fc37.x86_64,5.14.0-284.el9.x86_64',
        'kmm simulate -f module.yaml --fail unsigned',
        'kmm simulate --serve 0 --nodes 5',
        'kmm simulate --serve 0 --nodes 5000 --hollow',
      ),
    )
    .action(async (options: SimulateOptions) => finish(await (await import('./simulate/command.ts')).simulate(options, io)))

  program
    .command('operator')
    .description('Runs the operator on the cluster of the pod or of the kubeconfig, until it is told to stop.')
    .addOption(kubeconfig())
    .addOption(new Option('--config <file>', 'settings of the operator'))
    .addOption(images())
    .addOption(assumeImages())
    .addOption(
      new Option('--log-level <level>', 'the least important lines to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(new Option('--no-leader-elect', 'lead without asking: only where no other operator can run'))
    .addHelpText('after', examples('kmm operator', 'kmm operator --kubeconfig ~/.kube/config --log-level debug'))
    .action(async (options: OperatorCommandOptions) =>
      finish(await (await import('./operator/command.ts')).operator(options, io, environment)),
    )

  program
    .command('status')
    .description(
      'Shows each driver on each node, with the reasons of the operator, of the cluster or of the objects in the files.',
    )
    .argument('[module]', 'NAME or NAMESPACE/NAME (default: all Modules)')
    .addOption(namespace('only the Modules of this namespace'))
    .addOption(input())
    .addOption(kubeconfig())
    .addOption(context())
    .addOption(operatorNamespace())
    .addOption(output('json', 'text'))
    .addHelpText('after', examples('kmm status', 'kmm status my-driver -n drivers', 'kmm status -f must-gather/ -o json'))
    .action(async (module: string | undefined, options: StatusOptions) =>
      finish(await (await import('./status/command.ts')).status(module, options, io, environment)),
    )

  program
    .command('explain')
    .description('Walks from a Module to its driver on a node and says which link does not hold, why, and what to do.')
    .argument('<module>', 'NAME or NAMESPACE/NAME')
    .option('--node <name>', 'only this node (default: all that the Module selects)')
    .addOption(namespace('of the Module'))
    .addOption(input())
    .addOption(kubeconfig())
    .addOption(context())
    .addOption(operatorNamespace())
    .addOption(output('json', 'text'))
    .addHelpText(
      'after',
      examples('kmm explain my-driver', 'kmm explain drivers/my-driver --node worker-1', 'kmm explain my-driver -f must-gather/'),
    )
    .action(async (module: string, options: ExplainOptions) =>
      finish(await (await import('./explain/command.ts')).explain(module, options, io, environment)),
    )

  for (const what of ['pause', 'resume'] as const) {
    program
      .command(what)
      .description(
        what === 'pause'
          ? 'Stops all changes of a Module: nothing is loaded, replaced or removed for it; its status is still told.'
          : 'Ends the pause of a Module.',
      )
      .argument('<module>', 'NAME or NAMESPACE/NAME')
      .addOption(namespace("of the Module (default: that of the kubeconfig's context)"))
      .addOption(kubeconfig())
      .addOption(context())
      .addHelpText('after', examples(`kmm ${what} my-driver -n drivers`, `kmm ${what} drivers/my-driver`))
      .action(async (module: string, options: PauseOptions) =>
        finish(await (await import('./pause/command.ts')).pauseOrResume(what, module, options, io, environment)),
      )
  }

  program
    .command('release')
    .description('Lets go of a loader pod that is held because its unload failed. Touches no pod that is not held for that.')
    .argument('<node>', 'the node')
    .argument('<module>', 'NAME or NAMESPACE/NAME; the Module itself may be gone')
    .addOption(namespace("of the Module (default: that of the kubeconfig's context)"))
    .addOption(kubeconfig())
    .addOption(context())
    .addHelpText('after', examples('kmm release worker-1 drivers/my-driver'))
    .action(async (node: string, module: string, options: ReleaseOptions) =>
      finish(await (await import('./release/command.ts')).release(node, module, options, io, environment)),
    )

  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program)
  return program
}
