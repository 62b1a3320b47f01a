import { after, before, it, type TestContext } from 'node:test'
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './start.ts'

/**
 * A control plane for the tests of one file, or the reason why this machine can neither find nor compile one. With CI=true that
 * reason is thrown instead, because skipped is not tested.
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

/** Starts a control plane before the tests of this file and stops it after them. What it returns registers a test that gets it. */
export function onControlPlane(
  options: ControlPlaneOptions = {},
  prepare: (plane: ControlPlane) => Promise<void> = () => Promise.resolve(),
): (sentence: string, body: (plane: ControlPlane) => Promise<void>) => void {
  let started: ControlPlane | { readonly skipped: string } = { skipped: 'not started' }
  before(async () => {
    started = await controlPlaneForTests(options)
    if (!('skipped' in started)) await prepare(started)
  })
  after(async () => {
    if (!('skipped' in started)) await started.stop()
  })
  return (sentence, body) => {
    void it(sentence, async (context: TestContext) => {
      if ('skipped' in started) context.skip(started.skipped)
      else await body(started)
    })
  }
}
