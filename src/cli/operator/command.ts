// `kmm operator`: the controllers on a real cluster, until the process is told to stop.
import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import packageJson from '../../../package.json' with { type: 'json' }
import { controllers, watches } from '../../controllers/index.ts'
import { fieldManager } from '../../core/names.ts'
import { realClock } from '../../shell/clock.ts'
import { serveHealth } from '../../shell/health-server.ts'
import { httpsTransport } from '../../shell/kube/https.ts'
import { leadingTransport } from '../../shell/lease/leading-transport.ts'
import { jsonLog, type LogLevel } from '../../shell/log.ts'
import { createOperator } from '../../shell/loop/operator.ts'
import type { Log } from '../../shell/observe.ts'
import { defaultConfig, type Environment, type OperatorConfig, parseConfig, settingsOf } from '../../shell/settings.ts'
import { BadInput } from '../../shell/yaml.ts'
import { chooseConnection } from '../cluster/connect.ts'
import { answersOf, type ImageAssumption, readImages } from '../input/images.ts'
import { exitCodes, type Io } from '../io.ts'
import { withElection, withoutElection } from './lead.ts'

export type OperatorCommandOptions = {
  readonly kubeconfig?: string
  readonly config?: string
  readonly images?: string
  readonly assumeImages: ImageAssumption
  readonly logLevel: LogLevel
  /** False: this process leads without asking, whatever the config file says. */
  readonly leaderElect: boolean
}

/** Runs until `io.stop`; resolves to the exit code. Throws BadInput for wrong settings. */
export async function operator(options: OperatorCommandOptions, io: Io, environment: Environment): Promise<number> {
  keepHeapSmall()
  const log = jsonLog('kmm', options.logLevel)
  const config = await readConfig(options.config, log)
  const { connection, namespace, from } = await chooseConnection(options, environment)
  const settings = settingsOf(environment, config, from === 'pod' ? namespace : undefined)
  const images = await imagesOf(options, io, log)
  const { version } = packageJson
  const commit = environment['KMM_GIT_COMMIT'] || '<undefined>'

  const transport = httpsTransport(connection, { clock: realClock, userAgent: `kmm/${version}` })
  const { enabled, name } = config.leaderElection
  const lead =
    enabled && options.leaderElect
      ? withElection({ transport, log, namespace: settings.operatorNamespace, name })
      : withoutElection()
  const launch = () => {
    tellControllers(log)
    return createOperator({
      controllers,
      watches,
      transport: leadingTransport(transport, () => lead.mayWrite()),
      clock: realClock,
      chance: Math.random,
      log,
      images,
      settings,
      fieldManager,
      component: 'kmm-operator',
    })
  }
  log('info', 'starting manager', {
    version,
    commit,
    server: connection.server,
    operatorNamespace: settings.operatorNamespace,
    managed: settings.managed,
  })
  const health = await serveHealth(config.health, () => lead.health())
  log('info', 'Starting server', { kind: 'health probe', addr: `${config.health.host}:${health.port}` })
  io.stop.addEventListener('abort', () => log('info', 'stopping', {}), { once: true })
  const end = await lead.run(launch, io.stop)
  await health.close()
  transport.close()
  log('info', 'stopped', {})
  return end === 'stuck' ? exitCodes.no : exitCodes.fine
}

/**
 * V8 lets the heap of young objects grow to 64 MiB under the load of a rollout, and the whole heap to three times of what lives in it; it
 * keeps both. What is read from a watch is dead at once, so a small heap serves as well: half the memory for about the same CPU time
 * (docs/benchmarks.md). At every collection these are read anew, unlike the heap's limits, which are fixed when the process starts.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}

async function readConfig(file: string | undefined, log: Log): Promise<OperatorConfig> {
  if (file === undefined || file === '') return defaultConfig
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file: check the path given with --config' : message
    throw new BadInput(file, undefined, `the config file cannot be read: ${why}`)
  }
  const { config, unknownKeys } = parseConfig(text, file)
  for (const key of unknownKeys) log('warn', `the config file has a key that this version does not know: ${key}`, { file, key })
  return config
}

/** Until the registry client exists, what images are there must be said; loudly, since it replaces a registry's answer. */
async function imagesOf(options: OperatorCommandOptions, io: Io, log: Log) {
  const known = await readImages(options.images, io)
  const answer = answersOf(known, options.assumeImages)
  if (options.images !== undefined || options.assumeImages !== 'unknown') {
    log('warn', 'questions about images are answered from the command line, not by a registry: for tests only', {
      images: options.images,
      assumeImages: options.assumeImages,
    })
  }
  return {
    ask: (question: Parameters<typeof answer>[0]) => Promise.resolve(answer(question) ?? {}),
  }
}

/** The records of the documentation's log sample: which controller listens to what. */
function tellControllers(log: Log): void {
  for (const controller of controllers) {
    const [group = '', ofKind] = [
      controller.resource.apiVersion.includes('/') ? controller.resource.apiVersion.split('/')[0] : '',
      controller.resource.kind,
    ]
    const fields = { controller: controller.name, controllerGroup: group, controllerKind: ofKind }
    for (const { resource } of controller.wakes) {
      log('info', 'Starting EventSource', {
        ...fields,
        source: `kind source: *${resource.apiVersion.split('/').at(-1)}.${resource.kind}`,
      })
    }
    log('info', 'Starting Controller', fields)
  }
}
