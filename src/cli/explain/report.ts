// `kmm explain -o json`. The shape is a promise to scripts (docs/reference/cli.md).
import type { Explanation } from '../../core/explain/explain.ts'
import type { Break, Link } from '../../core/explain/link.ts'

type Failing = {
  readonly link: string
  readonly reason: string | null
  readonly because: string
  readonly todo: string
  readonly passing: boolean
}

export type ExplanationReport = {
  readonly module: string
  readonly ok: boolean
  /** Why no node could be looked at. */
  readonly failing: (Failing & { readonly evidence: readonly string[] }) | null
  readonly nodes: readonly {
    readonly node: string
    readonly ok: boolean
    readonly meant: boolean
    readonly links: readonly Link[]
    readonly failing: Failing | null
  }[]
  readonly problems: readonly { readonly code: string; readonly message: string; readonly todo: string }[]
  readonly left: readonly {
    readonly node: string
    readonly pod: string | null
    readonly state: string
    readonly message: string | null
    readonly todo: string | null
  }[]
}

/** Every node that was asked for, or that the driver is meant for, has it. */
export const isWell = ({ break: found, chains, left }: Explanation): boolean =>
  found === undefined &&
  chains.every(chain => chain.break === undefined || chain.break.link === 'taints') &&
  left.every(row => row.state !== 'still loaded')

const failingOf = ({ link, code, because, todo, passing }: Break): Failing => ({
  link,
  reason: code ?? null,
  because,
  todo,
  passing,
})

export function reportOf(explanation: Explanation): ExplanationReport {
  const { module, chains, break: found, problems, left } = explanation
  return {
    module,
    ok: isWell(explanation),
    failing: found === undefined ? null : { ...failingOf(found), evidence: found.evidence },
    nodes: chains.map(chain => ({
      node: chain.node,
      ok: chain.break === undefined,
      meant: chain.meant === 'yes',
      links: chain.links,
      failing: chain.break === undefined ? null : failingOf(chain.break),
    })),
    problems: problems.map(({ code, message, todo }) => ({ code, message, todo })),
    left: left.map(({ node, pod, state, problem }) => ({
      node,
      pod: pod ?? null,
      state,
      message: problem?.message ?? null,
      todo: problem?.todo ?? null,
    })),
  }
}
