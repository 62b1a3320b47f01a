// Ordered upgrade: three labels on a Node -> the one next move (behaviour.md 8.4, made total; gates: 8.5 as fixed in 2.0).

type Seen = 'missing' | 'present'
type Compared = Seen | 'different'
/** user label / loader label / plugin label. Without a user label there is nothing to differ from. */
export type Situation = `missing/${Seen}/${Seen}` | `present/${Compared}/${Compared}`
export type Move = 'stay' | 'drop plugin' | 'drop loader' | 'set loader' | 'set plugin'

const moves = {
  'missing/missing/missing': 'stay',
  'missing/missing/present': 'drop plugin',
  'missing/present/missing': 'drop loader',
  'missing/present/present': 'drop plugin',
  'present/missing/missing': 'set loader',
  'present/missing/present': 'drop plugin',
  'present/missing/different': 'drop plugin',
  'present/present/missing': 'set plugin',
  'present/present/present': 'stay',
  'present/present/different': 'drop plugin',
  'present/different/missing': 'drop loader',
  'present/different/present': 'drop plugin',
  'present/different/different': 'drop plugin',
} as const satisfies Record<Situation, Move>

export type VersionLabels = {
  /** Set by the user: the version this node should run. Empty counts as absent. */
  readonly user?: string
  /** Set by us: which loader may run here. */
  readonly loader?: string
  /** Set by us: which device plugin may run here. */
  readonly plugin?: string
}

/** What really runs on the node for this Module, in any state, also terminating or held. */
export type Running = { readonly pluginPods: number; readonly loaderPods: number }

export type Step = { readonly move: Move; readonly because: string; readonly waitsFor?: 'plugin to stop' | 'driver to unload' }

export function situationOf(labels: VersionLabels): Situation {
  const user = labels.user ?? ''
  if (user === '') return `missing/${labels.loader ? 'present' : 'missing'}/${labels.plugin ? 'present' : 'missing'}`
  const compared = (value: string | undefined): Compared => {
    if (value === undefined || value === '') return 'missing'
    return value === user ? 'present' : 'different'
  }
  return `present/${compared(labels.loader)}/${compared(labels.plugin)}`
}

/** The next move, held back by its gate: the plugin stops before the driver goes, the old driver goes before the new one comes. */
export function nextStep(labels: VersionLabels, running: Running): Step {
  const move = moves[situationOf(labels)]
  switch (move) {
    case 'stay':
      return { move, because: 'the labels are as they should be' }
    case 'drop plugin':
      return { move, because: 'the device plugin stops before its driver is unloaded' }
    case 'drop loader':
      if (running.pluginPods > 0)
        return { move: 'stay', because: 'a device-plugin pod is still on the node', waitsFor: 'plugin to stop' }
      return { move, because: 'no device plugin is left, so the driver may be unloaded' }
    case 'set loader':
      if (running.loaderPods > 0)
        return { move: 'stay', because: 'an older loader pod is still on the node', waitsFor: 'driver to unload' }
      return { move, because: 'no loader is left on the node, so this version may be loaded' }
    case 'set plugin':
      return { move, because: 'the loader of this version is allowed, so its device plugin may follow' }
  }
}

/** The two labels of ours after the move. */
export function labelsAfter(labels: VersionLabels, step: Step): { readonly loader?: string; readonly plugin?: string } {
  const user = labels.user ?? ''
  const loader = step.move === 'drop loader' ? undefined : step.move === 'set loader' ? user : labels.loader
  const plugin = step.move === 'drop plugin' ? undefined : step.move === 'set plugin' ? user : labels.plugin
  return { ...(loader ? { loader } : {}), ...(plugin ? { plugin } : {}) }
}
