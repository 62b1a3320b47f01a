// Questions about rights: in the simulated cluster everybody may do everything. `kubectl auth can-i` and operators ask them.
import type { KubeRequest } from '../../shell/kube/transport.ts'
import { jsonOf } from '../api/json.ts'
import type { Json } from '../api/types.ts'

const statuses: Readonly<Record<string, Json>> = {
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': { allowed: true, reason: 'the simulated server checks no rights' },
  '/apis/authorization.k8s.io/v1/subjectaccessreviews': { allowed: true, reason: 'the simulated server checks no rights' },
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  },
  '/apis/authentication.k8s.io/v1/selfsubjectreviews': { userInfo: { username: 'simulation', groups: ['system:masters'] } },
}

/** The answered review; undefined when the request asks none. */
export function reviewBody({ method, path, body }: KubeRequest): Json | undefined {
  const status = method === 'POST' ? statuses[path] : undefined
  return status === undefined ? undefined : { ...jsonOf(body), status }
}
