// What modprobe is asked to do: argument by argument (behaviour.md 2.4, 2.5), and as words of a shell script that give it exactly
// these arguments.
import type { CanonicalModprobe } from '../canonical.ts'

/** Arguments of modprobe that load the driver, without `modprobe` itself. */
export function loadArguments(modprobe: CanonicalModprobe): readonly string[] {
  const raw = modprobe.rawArgs?.load ?? []
  return raw.length > 0 ? raw : [...orElse(modprobe.args?.load, '-v'), ...target(modprobe), ...(modprobe.parameters ?? [])]
}

/** Arguments of modprobe that unload the driver, without `modprobe` itself. */
export function unloadArguments(modprobe: CanonicalModprobe): readonly string[] {
  const raw = modprobe.rawArgs?.unload ?? []
  return raw.length > 0 ? raw : [...orElse(modprobe.args?.unload, '-rv'), ...target(modprobe)]
}

const orElse = (given: readonly string[] | undefined, standard: string): readonly string[] =>
  given === undefined || given.length === 0 ? [standard] : given

function target({ dirName, moduleName }: CanonicalModprobe): readonly string[] {
  const name = moduleName === undefined || moduleName === '' ? [] : [moduleName]
  return [...(dirName === '' ? [] : ['-d', dirName]), ...name]
}

/**
 * Content of modprobe.d/softdep.conf for a loading order such as [A, B, C]: A needs B, B needs C. modprobe reads it for both ways, so
 * it loads C, B, A and unloads A, B, C (behaviour.md 2.3.4). Empty without an order.
 */
export function softDependencies(order: readonly string[]): string {
  return order
    .slice(1)
    .map((dependency, index) => `softdep ${order[index] ?? ''} pre: ${dependency}\n`)
    .join('')
}

/** One word of a POSIX shell script with exactly this value, whatever characters it holds. Plain words stay readable. */
export function shellWord(value: string): string {
  return /^[A-Za-z0-9_./,:@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}

/** A file name as a shell word that no program takes for an option. */
export const shellPath = (path: string): string => shellWord(path.startsWith('-') ? `./${path}` : path)

export const shellCommand = (program: string, args: readonly string[]): string => [program, ...args.map(shellWord)].join(' ')
