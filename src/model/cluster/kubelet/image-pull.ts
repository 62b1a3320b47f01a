// Pulls images: policy, credentials, the node's own store, back-off (kubernetes, pkg/kubelet/images/image_manager.go).
import { keyOf } from '../../../core/object.ts'
import type { ModelApi } from '../../api-server.ts'
import type { ContainerSpec, PodObject } from '../pod-spec.ts'
import { type Credentials, fullReference, type ModelImage, type ModelRegistry } from '../registry.ts'
import type { Routine } from '../routine.ts'
import type { BackOff } from './back-off.ts'
import { dataOf } from './volumes.ts'

export type ImageFailure = {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull'
  readonly message: string
  readonly retryMs?: number
}

export type ImageStore = Map<string, ModelImage>

export type PullContext = {
  readonly api: ModelApi
  readonly registry: ModelRegistry
  readonly node: string
  /** Images on this node, by full reference. */
  readonly store: ImageStore
  readonly backOff: BackOff
  readonly lastFailure: Map<string, { readonly atMs: number; readonly words: string }>
  readonly pullMs: number
  nowMs(): number
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
}

const neverRetryMs = 60_000

export function* ensureImage(context: PullContext, pod: PodObject, spec: ContainerSpec): Routine<ModelImage | ImageFailure> {
  const asked = spec.image ?? ''
  const reference = fullReference(asked)
  const policy = spec.imagePullPolicy ?? (reference.endsWith(':latest') ? 'Always' : 'IfNotPresent')
  const present = context.store.get(reference)
  if (present !== undefined && policy !== 'Always') {
    context.event('Normal', 'Pulled', `Container image "${asked}" already present on machine and can be accessed by the pod`)
    return present
  }
  if (policy === 'Never') {
    context.event('Warning', 'ErrImageNeverPull', `Container image "${asked}" is not present with pull policy of Never`)
    return {
      reason: 'ErrImageNeverPull',
      message: `Container image "${asked}" is not present with pull policy of Never`,
      retryMs: neverRetryMs,
    }
  }
  const key = `${pod.metadata.uid} ${reference}`
  const last = context.lastFailure.get(key)
  const waitMs = last === undefined ? 0 : context.backOff.waitMs(key, last.atMs, context.nowMs())
  if (last !== undefined && waitMs > 0) {
    const message = `Back-off pulling image "${asked}"`
    context.event('Normal', 'BackOff', message)
    return { reason: 'ImagePullBackOff', message: `${message}: ErrImagePull: ${last.words}`, retryMs: waitMs }
  }
  context.event('Normal', 'Pulling', `Pulling image "${asked}"`)
  yield { sleepMs: context.pullMs }
  const pulled = context.registry.pull(asked, host => credentialsFor(context.api, pod, host), context.node)
  if ('failed' in pulled) {
    context.event('Warning', 'Failed', `Failed to pull image "${asked}": ${pulled.failed}`)
    context.backOff.next(key, context.nowMs(), context.nowMs())
    context.lastFailure.set(key, { atMs: context.nowMs(), words: pulled.failed })
    return { reason: 'ErrImagePull', message: pulled.failed }
  }
  context.lastFailure.delete(key)
  const seconds = (context.pullMs / 1000).toFixed(3).replace(/\.?0+$/, '')
  context.event('Normal', 'Pulled', `Successfully pulled image "${asked}" in ${seconds}s (${seconds}s including waiting)`)
  context.store.set(reference, pulled.image)
  return pulled.image
}

/** From the pod's pull secrets and those of its service account. A missing secret is skipped, as the kubelet does. */
function credentialsFor(api: ModelApi, pod: PodObject, host: string): readonly Credentials[] {
  const { namespace = '' } = pod.metadata
  const accounts = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true }
  const accountKey = keyOf({ metadata: { namespace, name: pod.spec?.serviceAccountName ?? 'default' } })
  const account = api.get(accounts, accountKey) as
    | { readonly imagePullSecrets?: readonly { readonly name?: string }[] }
    | undefined
  const names = [...(pod.spec?.imagePullSecrets ?? []), ...(account?.imagePullSecrets ?? [])].map(
    reference => reference.name ?? '',
  )
  return [...new Set(names)].flatMap(name => credentialsIn(dataOf(api, 'Secret', namespace, name), host))
}

function credentialsIn(data: ReadonlyMap<string, string> | undefined, host: string): readonly Credentials[] {
  const text = data?.get('.dockerconfigjson')
  if (text === undefined) return []
  try {
    const { auths = {} } = JSON.parse(text) as { auths?: Record<string, { auth?: string; username?: string; password?: string }> }
    return Object.entries(auths).flatMap(([server, given]) => {
      if (server.replace(/^https?:\/\//, '').split('/')[0] !== host) return []
      const [username = '', ...password] = Buffer.from(given.auth ?? '', 'base64')
        .toString('utf8')
        .split(':')
      return [{ username: given.username ?? username, password: given.password ?? password.join(':') }]
    })
  } catch {
    return []
  }
}
