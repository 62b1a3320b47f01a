// Under which service account our pods run, and hence what they may do (behaviour.md 7).

import type { CanonicalModule } from './canonical.ts'
import type { Settings } from './controller.ts'
import type { Operand } from './operands.ts'

const ownAccounts: Readonly<Record<Operand, string>> = {
  loader: 'kmm-operator-module-loader',
  plugin: 'kmm-operator-device-plugin',
}

/**
 * The account that the Module names; else in the namespace of the operator, which is trusted, the one that comes with the operator;
 * else undefined, which means the account `default` of the Module's namespace.
 */
export function serviceAccountOf(module: CanonicalModule, operand: Operand, settings: Settings): string | undefined {
  const { moduleLoader, devicePlugin } = module.spec
  const named = operand === 'loader' ? moduleLoader.serviceAccountName : devicePlugin?.serviceAccountName
  if (named !== undefined && named !== '') return named
  return module.metadata.namespace === settings.operatorNamespace ? ownAccounts[operand] : undefined
}
