// What a person does with kubectl, for tests on a real control plane: create, apply, patch, delete, look.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Module } from '../../src/api/module.ts'
import type { DaemonSet, Node, Pod } from '../../src/core/cluster.ts'
import type { KubeObject, Resource } from '../../src/core/object.ts'
import { crds, daemonSets, modules, nodes, pods } from '../../src/core/resources.ts'
import { collectionPath, objectPath } from '../../src/shell/kube/paths.ts'
import type { KubeRequest } from '../../src/shell/kube/transport.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import type { ControlPlane } from '../control-plane/start.ts'

const root = join(import.meta.dirname, '../..')
const never = new AbortController().signal

/** Whatever answers as an API server does. */
type Reachable = Pick<ControlPlane, 'transport'>

type Ask = Pick<KubeRequest, 'method' | 'path' | 'body' | 'contentType' | 'query'>

export async function ask(plane: Reachable, request: Ask): Promise<{ readonly status: number; readonly body: unknown }> {
  const { status, body } = await plane.transport({ ...request, deadlineMs: 10_000 }, never)
  return { status, body }
}

async function succeed(plane: Reachable, request: Ask): Promise<unknown> {
  const { status, body } = await ask(plane, request)
  assert.ok(status < 300, `${request.method} ${request.path}: ${status} ${JSON.stringify(body)}`)
  return body
}

/** Creates the object as `manager` did: an Update entry in managedFields. */
export async function create<T extends KubeObject>(
  plane: Reachable,
  resource: Resource,
  object: object,
  manager = 'kubectl',
): Promise<T> {
  const path = collectionPath(resource, (object as KubeObject).metadata.namespace)
  return (await succeed(plane, { method: 'POST', path, body: object, query: { fieldManager: manager } })) as T
}

/** A merge patch; `part` is a subresource. */
export function merge(
  plane: Reachable,
  resource: Resource,
  key: string,
  body: object,
  { part, manager = 'kubectl' }: { readonly part?: 'status'; readonly manager?: string } = {},
): Promise<unknown> {
  const path = objectPath(resource, key, part)
  const contentType = 'application/merge-patch+json'
  return succeed(plane, { method: 'PATCH', path, body, contentType, query: { fieldManager: manager } })
}

export const remove = (plane: Reachable, resource: Resource, key: string, options: object = {}): Promise<unknown> =>
  succeed(plane, { method: 'DELETE', path: objectPath(resource, key), body: options })

export async function get<T extends KubeObject>(plane: Reachable, resource: Resource, key: string): Promise<T | undefined> {
  const { status, body } = await ask(plane, { method: 'GET', path: objectPath(resource, key) })
  assert.ok(status === 200 || status === 404, `${resource.kind} ${key}: ${status} ${JSON.stringify(body)}`)
  return status === 200 ? (body as T) : undefined
}

async function list<T>(plane: Reachable, resource: Resource): Promise<readonly T[]> {
  return ((await succeed(plane, { method: 'GET', path: collectionPath(resource) })) as { readonly items: readonly T[] }).items
}

export const listNodes = (plane: Reachable) => list<Node>(plane, nodes)
export const listPods = (plane: Reachable) => list<Pod>(plane, pods)
export const listDaemonSets = (plane: Reachable) => list<DaemonSet>(plane, daemonSets)
export const getModule = (plane: Reachable, key: string) => get<Module>(plane, modules, key)

/** Fails with `what` and what `isSo` returned last. A returned string is the reason why it is not so yet. */
export async function eventually(what: string, isSo: () => Promise<boolean | string>, seconds = 30): Promise<void> {
  let last: boolean | string = false
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs; await delay(150)) {
    last = await isSo()
    if (last === true) return
  }
  assert.fail(`not in ${seconds} s: ${what}${last === false ? '' : `: ${last}`}`)
}

/** Our CRD, the operator's namespace, and namespaces with the service accounts `default` and those named. Modules can be created then. */
export async function prepareCluster(plane: Reachable, accounts: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const file = join(root, 'config/crd/modules.kmm.sigs.x-k8s.io.yaml')
  const [definition] = parseYamlDocuments(await readFile(file, 'utf8'), file)
  await create(plane, crds, definition?.value as object)
  for (const [namespace, names] of Object.entries({ 'openshift-kmm': [], ...accounts })) {
    if (namespace !== 'default')
      await succeed(plane, { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } })
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
    for (const name of names) await succeed(plane, { method: 'POST', path, body: { metadata: { name } } })
    await eventually(
      'the default service account',
      async () => (await ask(plane, { method: 'GET', path: `${path}/default` })).status === 200,
    )
  }
  await eventually(
    'the definition of Modules',
    async () => (await ask(plane, { method: 'GET', path: collectionPath(modules) })).status === 200,
  )
}
