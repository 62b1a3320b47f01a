// Is the image there, must it be built or signed, or is it hopeless? Used by Module, fleet and preflight alike.
import type { Answer } from '../plan.ts'

export type ImageFacts = {
  /** The effective mapping has a build or a sign section. */
  readonly isProduced: boolean
  /** Our DaemonSet for this kernel already states this very reference (decisions.md 28). */
  readonly isStated: boolean
  /** A pod of that DaemonSet cannot pull it. */
  readonly isUnpullable: boolean
  readonly answer: Answer | undefined
}

export type ImageStep = { readonly do: 'run' | 'ask' | 'give-up'; readonly because: string }

export function decideImage(facts: ImageFacts): ImageStep {
  if (!facts.isProduced) return { do: 'run', because: 'nothing is built or signed, so the pull of the node is the answer' }
  if (facts.isStated && !facts.isUnpullable)
    return { do: 'run', because: 'the DaemonSet for this kernel states the image already' }
  if (facts.answer?.exists === undefined) return { do: 'ask', because: 'the registry has not answered yet' }
  if (facts.answer.exists) return { do: 'run', because: 'the image is in the registry' }
  return { do: 'give-up', because: 'the image is not in the registry' }
}
