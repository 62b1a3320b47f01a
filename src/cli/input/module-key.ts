// Which Module a person means.
import { UsageError } from '../io.ts'

/**
 * The key `namespace/name` of the Module that an argument means: the key itself, or a name in `namespace`, or a name that only one of
 * the known keys has. Throws UsageError where that is ambiguous; a key that is not known is returned all the same.
 */
export function decideModuleKey(argument: string, namespace: string | undefined, known: readonly string[]): string {
  const explicit = explicitKey(argument, namespace)
  if (explicit !== undefined) return explicit
  const found = known.filter(key => key.slice(key.indexOf('/') + 1) === argument)
  const [only] = found
  if (found.length > 1)
    throw new UsageError(`there are several Modules ${argument}: name one of ${found.join(', ')}, or add -n NAMESPACE`)
  return only ?? `default/${argument}`
}

/** As above, for commands that write: without a namespace the name is in that of the kubeconfig's context, as for kubectl. */
export const moduleKeyIn = (argument: string, namespace: string | undefined, ofContext: string): string =>
  explicitKey(argument, namespace) ?? `${ofContext}/${argument}`

function explicitKey(argument: string, namespace: string | undefined): string | undefined {
  const [first = '', name, more] = argument.split('/')
  if (first === '' || name === '' || more !== undefined)
    throw new UsageError(`${argument} names no Module: write NAME or NAMESPACE/NAME`)
  if (name === undefined) return namespace === undefined ? undefined : `${namespace}/${argument}`
  if (namespace !== undefined && namespace !== first)
    throw new UsageError(`${argument} is in namespace ${first}, but -n says ${namespace}: leave out one of the two`)
  return argument
}
