import type { ApiResource } from './types.ts'

/** The kinds of a Kubernetes cluster that operators use, as the server serves them. */
export const builtInResources: readonly ApiResource[] = []
