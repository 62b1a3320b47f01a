// Pod Security admission: what the label pod-security.kubernetes.io/enforce of a namespace refuses. Source: k8s.io/pod-security-admission
// (policy/check_*.go); order and words as a real server says them (test/contract/refusal-cases.ts).
import type { KubeObject } from '../../core/object.ts'
import { forbidden } from './errors.ts'
import type { Server } from './server.ts'
import type { ApiResource } from './types.ts'

const enforceLabel = 'pod-security.kubernetes.io/enforce'
const namespaceKind = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false } as const

type SecurityContext = {
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  readonly seLinuxOptions?: { readonly type?: string }
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly seccompProfile?: { readonly type?: string }
}
type Container = {
  readonly name: string
  readonly securityContext?: SecurityContext
  readonly ports?: readonly { readonly hostPort?: number }[]
}
type PodSpec = {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly { readonly name: string; readonly [source: string]: unknown }[]
  readonly securityContext?: SecurityContext
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
}
/** What is refused, or undefined. */
type Check = (spec: PodSpec) => string | undefined

const containersOf = (spec: PodSpec) => [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
const quoted = (words: readonly string[]) => words.map(word => `"${word}"`).join(', ')
const named = (word: string, names: readonly string[]) => `${word}${names.length > 1 ? 's' : ''} ${quoted(names)}`

/** `says` gets `container "a"` or `containers "a", "b"`, of those that are refused. */
function containers(
  spec: PodSpec,
  isRefused: (context: SecurityContext, container: Container) => boolean,
  says: (who: string, refused: readonly Container[]) => string,
): string | undefined {
  const refused = containersOf(spec).filter(container => isRefused(container.securityContext ?? {}, container))
  const names = refused.map(({ name }) => name)
  return refused.length === 0 ? undefined : says(named('container', names), refused)
}

const defaultCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
)
const containerTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const restrictedSources = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
)

const addedBeyond = (refused: readonly Container[], allowed: ReadonlySet<string>): readonly string[] =>
  [...new Set(refused.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []))]
    .filter(name => !allowed.has(name))
    .sort()

const capabilities: Check = spec =>
  containers(
    spec,
    ({ capabilities: { add = [] } = {} }) => add.some(name => !defaultCapabilities.has(name)),
    (who, refused) =>
      `non-default capabilities (${who} must not include ${quoted(addedBeyond(refused, defaultCapabilities))} in securityContext.capabilities.add)`,
  )

const hostNamespaces: Check = spec => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(name => spec[name] === true)
  return used.length === 0 ? undefined : `host namespaces (${used.map(name => `${name}=true`).join(', ')})`
}

const hostPathVolumes: Check = spec => {
  const names = (spec.volumes ?? []).filter(volume => volume['hostPath'] !== undefined).map(({ name }) => name)
  return names.length === 0 ? undefined : `hostPath volumes (${named('volume', names)})`
}

const privileged: Check = spec =>
  containers(
    spec,
    context => context.privileged === true,
    who => `privileged (${who} must not set securityContext.privileged=true)`,
  )

const seLinuxOptions: Check = spec =>
  containers(
    spec,
    ({ seLinuxOptions: { type = '' } = {} }) => !containerTypes.has(type),
    (who, refused) => {
      const types = [...new Set(refused.map(({ securityContext }) => securityContext?.seLinuxOptions?.type ?? ''))]
      return `seLinuxOptions (${who} set forbidden securityContext.seLinuxOptions: ${named('type', types)})`
    },
  )

const privilegeEscalation: Check = spec =>
  containers(
    spec,
    context => context.allowPrivilegeEscalation !== false,
    who => `allowPrivilegeEscalation != false (${who} must set securityContext.allowPrivilegeEscalation=false)`,
  )

const unrestrictedCapabilities: Check = spec => {
  const undropped = containers(
    spec,
    ({ capabilities: { drop = [] } = {} }) => !drop.includes('ALL'),
    who => `${who} must set securityContext.capabilities.drop=["ALL"]`,
  )
  const allowed = new Set(['NET_BIND_SERVICE'])
  const added = containers(
    spec,
    ({ capabilities: { add = [] } = {} }) => add.some(name => !allowed.has(name)),
    (who, refused) => `${who} must not include ${quoted(addedBeyond(refused, allowed))} in securityContext.capabilities.add`,
  )
  const both = [undropped, added].filter(part => part !== undefined)
  return both.length === 0 ? undefined : `unrestricted capabilities (${both.join('; ')})`
}

const volumeTypes: Check = spec => {
  const refused = (spec.volumes ?? []).flatMap(volume => {
    const type = Object.keys(volume).find(key => key !== 'name')
    return type === undefined || restrictedSources.has(type) ? [] : [{ name: volume.name, type }]
  })
  if (refused.length === 0) return undefined
  const types = [...new Set(refused.map(({ type }) => type))]
  const names = refused.map(({ name }) => name)
  return `restricted volume types (${named('volume', names)} ${names.length > 1 ? 'use' : 'uses'} ${named('restricted volume type', types)})`
}

const runAsNonRoot: Check = spec =>
  containers(
    spec,
    context => (context.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) !== true,
    who => `runAsNonRoot != true (pod or ${who} must set securityContext.runAsNonRoot=true)`,
  )

const runAsUser: Check = spec =>
  containers(
    spec,
    context => context.runAsUser === 0,
    who => `runAsUser=0 (${who} must not set runAsUser=0)`,
  )

const seccompProfile: Check = spec =>
  containers(
    spec,
    context =>
      !['RuntimeDefault', 'Localhost'].includes((context.seccompProfile ?? spec.securityContext?.seccompProfile)?.type ?? ''),
    who => `seccompProfile (pod or ${who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
  )

/** `restricted` asks for more where it asks for the same as `baseline`. */
const levels: Readonly<Record<string, readonly Check[]>> = {
  baseline: [capabilities, hostNamespaces, hostPathVolumes, privileged, seLinuxOptions],
  restricted: [
    hostNamespaces,
    privileged,
    seLinuxOptions,
    privilegeEscalation,
    unrestrictedCapabilities,
    volumeTypes,
    runAsNonRoot,
    runAsUser,
    seccompProfile,
  ],
}

/** Throws 403 for a new pod that its namespace does not allow. */
export function checkPodSecurity(server: Server, resource: ApiResource, object: KubeObject): void {
  const { namespace, name } = object.metadata
  if (resource.kind !== 'Pod' || namespace === undefined) return
  const level = server.store.get(namespaceKind, namespace)?.metadata.labels?.[enforceLabel] ?? ''
  const { spec = {} } = object as KubeObject & { readonly spec?: PodSpec }
  const refused = (levels[level] ?? []).map(check => check(spec)).filter(words => words !== undefined)
  if (refused.length > 0) throw forbidden(resource, name, `violates PodSecurity "${level}:latest": ${refused.join(', ')}`)
}
