// Is the image there, must it be built or signed, or is it hopeless? Used by Module, fleet and preflight alike.
import type { Answer } from '../plan.ts'

export type ImageFacts = {
  /** The effective mapping has a build or a sign section. */
  readonly isProduced: boolean
  /** Our DaemonSet for this kernel already states this very reference (decisions.md 28). */
  readonly isStated: boolean
  /** A pod with this reference cannot pull it. */
  readonly isUnpullable: boolean
  readonly answer: Answer | undefined
}

/**
 * `run`: the DaemonSet may state the image. `run-and-ask`: it states it already and other nodes may run it, but one cannot pull it.
 * `ask`: nobody has said yet whether it exists. `give-up`: it does not.
 */
export type ImageStep = { readonly do: 'run' | 'run-and-ask' | 'ask' | 'give-up'; readonly because: string }

export function decideImage(facts: ImageFacts): ImageStep {
  const { isProduced, isStated, isUnpullable, answer } = facts
  if (!isProduced) return { do: 'run', because: 'nothing is built or signed, so the pull of the node is the answer' }
  if (isStated && !isUnpullable) return { do: 'run', because: 'the DaemonSet for this kernel states the image already' }
  if (answer?.exists === true) return { do: 'run', because: 'the image is in the registry' }
  if (answer?.exists === false) return { do: 'give-up', because: 'the image is not in the registry' }
  return isStated
    ? { do: 'run-and-ask', because: 'a node cannot pull the image that was there' }
    : { do: 'ask', because: 'the registry has not answered yet' }
}
