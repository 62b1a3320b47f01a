import type { ObjectRef } from '../../core/object.ts'

export type Finding = { readonly object: ObjectRef; readonly path: string; readonly code: string; readonly message: string }
export type Findings = { readonly errors: readonly Finding[]; readonly warnings: readonly Finding[] }
