// What one case of the contract suite works with: a namespace of its own and a client that hides nothing of the answers.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubeObject, ManagedFields, Resource } from '../../src/core/object.ts'
import type { KubeRequest, Transport, WatchEvent } from '../../src/shell/kube/transport.ts'

export type Started = {
  readonly transport: Transport
  /** Whether controllers act on what the cases create (status of DaemonSets, namespaces that end). */
  readonly hasControllers: boolean
  stop(): Promise<void>
}

/** An object of which a case reads any field. */
export type Loose = { readonly [field: string]: Loose } & readonly Loose[] & string & number & boolean

export type Reply = {
  readonly status: number
  readonly body: Loose
  readonly headers: Readonly<Record<string, string>>
}

export type Scenario = (sentence: string, run: (world: World) => Promise<void>) => void

export const configMaps: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true }
export const secrets: Resource = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }
export const events: Resource = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true }
export const pods: Resource = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }
export const nodes: Resource = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false }
export const namespaces: Resource = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false }
export const daemonSets: Resource = { apiVersion: 'apps/v1', kind: 'DaemonSet', plural: 'daemonsets', namespaced: true }
export const jobs: Resource = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true }

const deadlineMs = 15_000
const never = new AbortController().signal

export function pathOf(resource: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : ''
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${name}`}${subresource === undefined ? '' : `/${subresource}`}`
}

export type PatchType = 'json-patch+json' | 'merge-patch+json' | 'strategic-merge-patch+json'

export class World {
  readonly namespace: string
  readonly hasControllers: boolean
  readonly #transport: Transport
  readonly #endings: (() => Promise<unknown>)[] = []
  #made = 0

  constructor(started: Started) {
    this.#transport = started.transport
    this.hasControllers = started.hasControllers
    this.namespace = this.unique('contract')
  }

  /** A name that nobody else uses, also not in a cluster that others use too. */
  unique(prefix: string): string {
    return `${prefix}-${++this.#made}-${randomBytes(5).toString('hex')}`
  }

  async begin(): Promise<this> {
    const made = await this.create(namespaces, { metadata: { name: this.namespace } })
    assert.equal(made.status, 201)
    this.atEnd(() => this.remove(namespaces, this.namespace))
    // Without a controller manager nobody makes the service account that pods need.
    const account: Resource = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true }
    await this.create(account, { metadata: { name: 'default' } })
    return this
  }

  atEnd(action: () => Promise<unknown>): void {
    this.#endings.push(action)
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.reverse()) await ending()
  }

  async request(method: KubeRequest['method'], path: string, more: Partial<KubeRequest> = {}): Promise<Reply> {
    const { status, body, headers } = await this.#transport({ method, path, deadlineMs, ...more }, never)
    return { status, body: body as Loose, headers }
  }

  #scope(resource: Resource, namespace: string | undefined): string | undefined {
    return resource.namespaced ? (namespace ?? this.namespace) : undefined
  }

  get(resource: Resource, name: string, query?: Readonly<Record<string, string>>): Promise<Reply> {
    return this.request('GET', pathOf(resource, this.#scope(resource, undefined), name), query === undefined ? {} : { query })
  }

  list(resource: Resource, query: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.request('GET', pathOf(resource, this.#scope(resource, undefined)), { query })
  }

  create(resource: Resource, object: object, query: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const body = { apiVersion: resource.apiVersion, kind: resource.kind, ...object }
    return this.request('POST', pathOf(resource, this.#scope(resource, undefined)), {
      body,
      query: { fieldManager: 'contract', ...query },
    })
  }

  replace(resource: Resource, name: string, body: object, subresource?: string): Promise<Reply> {
    const path = pathOf(resource, this.#scope(resource, undefined), name, subresource)
    return this.request('PUT', path, { body, query: { fieldManager: 'contract' } })
  }

  patch(resource: Resource, name: string, type: PatchType, body: unknown, subresource?: string): Promise<Reply> {
    const path = pathOf(resource, this.#scope(resource, undefined), name, subresource)
    return this.request('PATCH', path, { body, contentType: `application/${type}`, query: { fieldManager: 'contract' } })
  }

  /** Server-side apply. */
  apply(
    resource: Resource,
    object: { readonly metadata: object },
    options: { readonly by?: string; readonly force?: boolean; readonly subresource?: string } = {},
  ): Promise<Reply> {
    const { name } = object.metadata as { readonly name: string }
    const path = pathOf(resource, this.#scope(resource, undefined), name, options.subresource)
    const query = { fieldManager: options.by ?? 'one', ...(options.force === true ? { force: 'true' } : {}) }
    const body = { apiVersion: resource.apiVersion, kind: resource.kind, ...object }
    return this.request('PATCH', path, { body, query, contentType: 'application/apply-patch+yaml' })
  }

  remove(resource: Resource, name: string, options: object = {}): Promise<Reply> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options }
    return this.request('DELETE', pathOf(resource, this.#scope(resource, undefined), name), { body })
  }

  /** Opens a watch in the case's namespace; it ends with the case. */
  async watch(resource: Resource, query: Readonly<Record<string, string>>): Promise<Watch> {
    const stop = new AbortController()
    const path = pathOf(resource, this.#scope(resource, undefined))
    const response = await this.#transport(
      { method: 'GET', path, query: { watch: 'true', timeoutSeconds: '60', ...query }, deadlineMs },
      stop.signal,
    )
    const watch = new Watch(response.status, response.body as Loose, response.stream, () => stop.abort())
    this.atEnd(async () => watch.close())
    return watch
  }
}

/** Reads a watch in the background, so that a case can wait for what it expects. */
export class Watch {
  readonly status: number
  readonly body: Loose
  readonly events: { readonly type: WatchEvent['type']; readonly object: Loose }[] = []
  readonly #stop: () => void
  #ended = false

  constructor(status: number, body: Loose, stream: AsyncIterable<WatchEvent> | undefined, stop: () => void) {
    this.status = status
    this.body = body
    this.#stop = stop
    void this.#read(stream)
  }

  async #read(stream: AsyncIterable<WatchEvent> | undefined): Promise<void> {
    try {
      for await (const event of stream ?? []) this.events.push({ type: event.type, object: event.object as Loose })
    } catch {
      // A case that closes its watch breaks the connection; cases look at the events.
    }
    this.#ended = true
  }

  /** `ADDED a`, `MODIFIED a` ... without bookmarks. */
  story(): readonly string[] {
    return this.events
      .filter(event => event.type !== 'BOOKMARK')
      .map(event => `${event.type} ${String(event.object['metadata']?.['name'])}`)
  }

  async tells(expected: readonly string[]): Promise<void> {
    await eventually(`watch events ${expected.join(', ')}`, async () => this.story().length >= expected.length)
    assert.deepEqual(this.story(), expected)
  }

  async ends(): Promise<void> {
    await eventually('the watch ends', async () => this.#ended)
  }

  close(): void {
    this.#stop()
  }
}

/** Waits up to 20 seconds. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    if (await isSo()) return
    await delay(20)
  }
  assert.fail(`not within 20 seconds: ${what}`)
}

export const metadataOf = (reply: Reply): KubeObject['metadata'] => reply.body['metadata']
export const versionOf = (reply: Reply): string => metadataOf(reply).resourceVersion ?? ''

/** Who owns what, as `manager operation[ subresource]` -> fields. */
export function ownersOf(reply: Reply): Readonly<Record<string, unknown>> {
  const entries: readonly ManagedFields[] = metadataOf(reply).managedFields ?? []
  return Object.fromEntries(
    entries.map(entry => [
      `${entry.manager ?? ''} ${entry.operation ?? ''}${entry.subresource === undefined ? '' : ` ${entry.subresource}`}`,
      entry.fieldsV1,
    ]),
  )
}

/** The answer is this refusal: code, reason and, where given, a part of the sentence. */
export function refused(reply: Reply, status: number, reason: string, ...words: readonly string[]): void {
  const text = JSON.stringify(reply.body)
  assert.equal(reply.status, status, text)
  assert.equal(reply.body['kind'], 'Status')
  assert.equal(reply.body['reason'], reason, text)
  for (const word of words)
    assert.ok(String(reply.body['message']).includes(word), `"${word}" is missing in: ${String(reply.body['message'])}`)
}

export function accepted(reply: Reply, status = 200): Reply {
  assert.equal(reply.status, status, JSON.stringify(reply.body))
  return reply
}

export const daemonSet = (
  name: string,
  more: { readonly labels?: object; readonly spec?: object; readonly pod?: object; readonly container?: object } = {},
) => ({
  metadata: { name, ...(more.labels === undefined ? {} : { labels: more.labels }) },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        nodeSelector: { 'contract.test/no-such-label': 'nowhere' },
        containers: [{ name: 'a', image: 'registry.test/a:1', ...more.container }],
        ...more.pod,
      },
    },
    ...more.spec,
  },
})

/** A pod that no scheduler takes; with `node` it counts as bound to a node that does not exist. */
export const pod = (name: string, more: { readonly node?: string; readonly metadata?: object; readonly spec?: object } = {}) => ({
  metadata: { name, ...more.metadata },
  spec: {
    schedulerName: 'contract-nobody',
    automountServiceAccountToken: false,
    ...(more.node === undefined ? {} : { nodeName: more.node }),
    containers: [{ name: 'a', image: 'registry.test/a:1' }],
    ...more.spec,
  },
})
