// modprobe(8) of kmod: what it loads and removes, in which order, and what it says (kubelet-facts.md, "Words of the kernel").
import { type Errno, errorWords } from '../files.ts'
import { moduleName } from '../kernel.ts'
import type { Routine } from '../routine.ts'
import type { ProgramContext } from '../surroundings.ts'
import { type IndexedModule, type ModprobeConfig, type ModuleIndex, readModprobeConfig, readModuleIndex } from './module-index.ts'

type Modprobe = {
  readonly context: ProgramContext
  readonly index: ModuleIndex
  readonly config: ModprobeConfig
  readonly verbose: boolean
  readonly dryRun: boolean
  readonly firstTime: boolean
  readonly quiet: boolean
}

type Asked = {
  action: 'load' | 'remove'
  root: string
  release: string | undefined
  configDirectories: string[]
  all: boolean
  readonly flags: Set<string>
  readonly operands: string[]
}

export function* modprobe(context: ProgramContext, argv: readonly string[]): Routine<number> {
  const asked = parseArguments(argv)
  if (typeof asked === 'string') {
    context.err(`modprobe: ${asked}\n`)
    return 1
  }
  const [first, ...parameters] = asked.operands
  if (first === undefined) {
    context.err('modprobe: ERROR: missing parameters. See -h.\n')
    return 1
  }
  yield { sleepMs: context.surroundings.moduleMs }
  const { files, kernel } = context.surroundings
  const run: Modprobe = {
    context,
    index: readModuleIndex(files, asked.root, asked.release ?? kernel.release),
    config: asked.configDirectories.length > 0 ? readModprobeConfig(files, asked.configDirectories) : readModprobeConfig(files),
    verbose: asked.flags.has('v'),
    dryRun: asked.flags.has('n'),
    firstTime: asked.flags.has('first-time'),
    quiet: asked.flags.has('q'),
  }
  if (asked.action === 'load' && !asked.all) return loadAsked(run, first, parameters.join(' '))
  let status = 0
  for (const name of asked.operands)
    status = (asked.action === 'remove' ? removeAsked(run, name) : loadAsked(run, name, '')) || status
  return status
}

/** @returns the words about what is wrong with the arguments. */
function parseArguments(argv: readonly string[]): Asked | string {
  const asked: Asked = {
    action: 'load',
    root: '/',
    release: undefined,
    configDirectories: [],
    all: false,
    flags: new Set(),
    operands: [],
  }
  const rest = argv.slice(1)
  const long: Readonly<Record<string, string>> = {
    dirname: 'd',
    'set-version': 'S',
    config: 'C',
    remove: 'r',
    verbose: 'v',
    'dry-run': 'n',
    show: 'n',
    quiet: 'q',
    all: 'a',
    force: 'f',
    'first-time': 'first-time',
    'use-blacklist': 'b',
    'ignore-install': 'i',
    'ignore-remove': 'i',
    syslog: 's',
    'remove-dependencies': 'r',
    'remove-holders': 'r',
    'force-vermagic': 'f',
    'force-modversion': 'f',
  }
  const take = (letter: string, value: () => string): string | undefined => {
    if (letter === 'd') asked.root = value()
    else if (letter === 'S') asked.release = value()
    else if (letter === 'C') asked.configDirectories.push(value())
    else if (letter === 'r') asked.action = 'remove'
    else if (letter === 'a') asked.all = true
    else if ('vnqbifsR'.includes(letter) || letter === 'first-time') asked.flags.add(letter)
    else return `invalid option -- '${letter}'`
    return undefined
  }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    // A module's parameters may look like anything: options end at the module's name.
    if (
      !word.startsWith('-') ||
      word === '-' ||
      (asked.operands.length > 0 && asked.action === 'load' && !asked.all && word.includes('='))
    ) {
      asked.operands.push(word)
      continue
    }
    if (word === '--') {
      asked.operands.push(...rest)
      break
    }
    if (word.startsWith('--')) {
      const [name = '', ...value] = word.slice(2).split('=')
      const letter = long[name]
      const failed =
        letter === undefined
          ? `unrecognized option '${word}'`
          : take(letter, () => (value.length > 0 ? value.join('=') : (rest.shift() ?? '')))
      if (failed !== undefined) return failed
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const tail = word.slice(at + 1)
      let usedTail = false
      const failed = take(word.charAt(at), () => {
        usedTail = tail !== ''
        return usedTail ? tail : (rest.shift() ?? '')
      })
      if (failed !== undefined) return failed
      if (usedTail) break
    }
  }
  return asked
}

const resolve = ({ index, config }: Modprobe, given: string): string => {
  const name = moduleName(given)
  return index.modules.has(name) || index.builtin.has(name) ? name : (config.aliases.get(name) ?? name)
}

function loadAsked(run: Modprobe, given: string, parameters: string): number {
  const { context, index } = run
  const name = resolve(run, given)
  const module = index.modules.get(name)
  if (module === undefined) {
    if (index.builtin.has(name)) return 0
    if (!run.quiet) context.err(`modprobe: FATAL: Module ${given} not found in directory ${index.directory}\n`)
    return 1
  }
  if (context.surroundings.kernel.loaded.has(name)) {
    if (!run.firstTime) return 0
    context.err(`modprobe: ERROR: could not insert '${name}': Module already in kernel\n`)
    return 1
  }
  const failed = load(run, module, parameters, new Set())
  if (failed === undefined) return 0
  context.err(`modprobe: ERROR: could not insert '${name}': ${insertWords(failed)}\n`)
  return 1
}

const insertWords = (errno: Errno): string => {
  if (errno === 'ENOENT') return 'Unknown symbol in module, or unknown parameter (see dmesg)'
  return errno === 'ENOEXEC' ? 'Invalid module format' : errorWords[errno]
}

/** Soft dependencies first, whose failures do not matter, then real ones, the module, and what should come after it. */
function load(run: Modprobe, module: IndexedModule, parameters: string, visiting: Set<string>): Errno | undefined {
  if (visiting.has(module.name) || run.context.surroundings.kernel.loaded.has(module.name)) return undefined
  visiting.add(module.name)
  const soft = run.config.softDependencies.get(module.name)
  for (const other of soft?.before ?? []) loadSoft(run, other, visiting)
  for (const other of module.depends) {
    const dependency = run.index.modules.get(other)
    const failed = dependency === undefined ? undefined : load(run, dependency, '', visiting)
    if (failed !== undefined) return failed
  }
  const failed = insert(
    run,
    module,
    [run.config.options.get(module.name) ?? '', parameters].filter(part => part !== '').join(' '),
  )
  if (failed !== undefined) return failed
  for (const other of soft?.after ?? []) loadSoft(run, other, visiting)
  return undefined
}

function loadSoft(run: Modprobe, name: string, visiting: Set<string>): void {
  const module = run.index.modules.get(name)
  if (module !== undefined) load(run, module, '', visiting)
}

function insert(run: Modprobe, module: IndexedModule, parameters: string): Errno | undefined {
  const { context } = run
  const { surroundings } = context
  if (run.verbose || run.dryRun) context.out(`insmod ${module.path} ${parameters}\n`)
  if (run.dryRun) return undefined
  if (module.file === undefined) return 'ENOENT'
  if (!surroundings.privileges.has('load modules')) return 'EPERM'
  const image = module.file.inTree === true ? undefined : surroundings.image
  return surroundings.kernel.insert(module.file, parameters, image, name => surroundings.hasFirmware(name))
}

function removeAsked(run: Modprobe, given: string): number {
  const { context, index } = run
  const name = resolve(run, given)
  if (!index.modules.has(name)) {
    if (index.builtin.has(name)) {
      context.err(`modprobe: FATAL: Module ${name} is builtin.\n`)
      return 1
    }
    context.err(`modprobe: FATAL: Module ${given} not found.\n`)
    return 1
  }
  if (!context.surroundings.kernel.loaded.has(name)) {
    if (!run.firstTime) return 0
    context.err(`modprobe: FATAL: Module ${name} is not in kernel.\n`)
    return 1
  }
  return remove(run, name, 'asked', new Set())
}

/** The module, then what it needed, as far as nobody else uses it: this can take along what somebody else loaded (decisions.md 15). */
function remove(run: Modprobe, name: string, why: 'asked' | 'unused', visiting: Set<string>): number {
  const { context, index, config } = run
  const { kernel, privileges } = context.surroundings
  if (visiting.has(name) || !kernel.loaded.has(name)) return 0
  visiting.add(name)
  const soft = config.softDependencies.get(name)
  for (const other of soft?.after ?? []) remove(run, other, 'unused', visiting)
  if (kernel.useCount(name) > 0) {
    if (why === 'asked') context.err(`modprobe: FATAL: Module ${name} is in use.\n`)
    return 1
  }
  if (run.verbose || run.dryRun) context.out(`rmmod ${name}\n`)
  const failed = run.dryRun ? undefined : privileges.has('load modules') ? kernel.remove(name) : 'EPERM'
  if (failed !== undefined) {
    if (why === 'asked') context.err(`modprobe: ERROR: could not remove '${name}': ${errorWords[failed]}\n`)
    return 1
  }
  const depends = index.modules.get(name)?.depends ?? []
  for (const other of depends.toReversed()) remove(run, other, 'unused', visiting)
  for (const other of soft?.before ?? []) remove(run, other, 'unused', visiting)
  return 0
}
