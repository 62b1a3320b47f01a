import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './start.ts'

/**
 * A control plane for the tests of one file; call `stop` in `after`. Where this machine can neither find nor compile one, it tells
 * why: the tests skip themselves with that reason. With CI=true it throws instead, because skipped is not tested.
 */
export async function controlPlaneForTests(
  options: ControlPlaneOptions = {},
): Promise<ControlPlane | { readonly skipped: string }> {
  const started = await startControlPlane(options)
  if (!('skipped' in started)) return started
  if (process.env['CI'] === 'true') throw new Error(`CI=true and ${started.skipped}`)
  process.stderr.write(`SKIPPED: ${started.skipped}\n`)
  return started
}
