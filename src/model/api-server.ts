// A Kubernetes API server in memory. It is no mock: test/contract/suite.ts runs on it and on a real kube-apiserver.
import type { ApiServerOptions, ModelApi } from './api/types.ts'

export { builtInResources } from './api/built-in.ts'

export type {
  AdmissionAnswer,
  AdmissionReview,
  ApiResource,
  ApiServerOptions,
  AuditEntry,
  Change,
  Fault,
  ModelApi,
  RemoveOptions,
} from './api/types.ts'

/** The server, empty but for the namespaces `default` and `kube-system`. */
export function createApiServer(options: ApiServerOptions): ModelApi {
  throw new Error(`The model API server is being written (${options.resources.length} kinds asked for)`)
}
