// `kmm status -o json`. The shape is a promise to scripts (docs/reference/cli.md).
import type { ModuleRows } from '../../core/explain/node-row.ts'

export type StatusReport = {
  readonly modules: readonly {
    readonly module: string
    /** Nodes that may have the driver, and those of them that have the current one. */
    readonly nodes: number
    readonly loaded: number
    /** Of the Module and its kernels. */
    readonly problems: readonly { readonly code: string; readonly message: string; readonly todo: string }[]
  }[]
  readonly rows: readonly {
    readonly module: string
    readonly node: string
    readonly kernel: string
    readonly image: string | null
    readonly version: string | null
    readonly state: string
    readonly reason: string | null
    readonly message: string | null
    readonly todo: string | null
    readonly since: string | null
    readonly pod: string | null
    readonly selected: string
  }[]
}

export function reportOf(found: readonly ModuleRows[]): StatusReport {
  return {
    modules: found.map(one => ({
      module: one.module,
      ...countsOf(one),
      problems: (one.survey?.problems ?? []).map(({ code, message, todo }) => ({ code, message, todo })),
    })),
    rows: found.flatMap(({ rows }) =>
      rows.map(row => ({
        module: row.module,
        node: row.node,
        kernel: row.kernel,
        image: row.image ?? null,
        version: row.version ?? null,
        state: row.state,
        reason: row.problem?.code ?? null,
        message: row.problem?.message ?? null,
        todo: row.problem?.todo ?? null,
        since: row.since ?? null,
        pod: row.pod ?? null,
        selected: row.selected,
      })),
    ),
  }
}

/** As in the operator's status: nodes without a taint in the way, and those of them that have the current driver. */
export function countsOf({ survey }: ModuleRows): { readonly nodes: number; readonly loaded: number } {
  const targets = (survey?.states ?? []).filter(state => state.target.taint === undefined)
  return { nodes: targets.length, loaded: targets.filter(state => state.state === 'loaded').length }
}
