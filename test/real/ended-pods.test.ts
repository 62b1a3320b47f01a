// A pod that has ended but is kept by a finalizer: does it keep the next daemon pod away? The model cluster does what is seen here.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { KubeObject } from '../../src/core/object.ts'
import type { KubeResponse, Transport } from '../../src/shell/kube/transport.ts'
import { onControlPlane } from '../control-plane/for-test.ts'
import { addNodes } from '../control-plane/nodes.ts'

const real = onControlPlane({ parts: ['controllers', 'scheduler'] })
const never = new AbortController().signal

type Pod = KubeObject & { readonly status?: object }

const ask = async (
  transport: Transport,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  contentType = 'application/json',
): Promise<KubeResponse> => transport({ method, path, body, contentType, deadlineMs: 10_000 }, never)

const podsPath = '/api/v1/namespaces/default/pods'

async function until(transport: Transport, holds: (pods: readonly Pod[]) => boolean, limitMs: number): Promise<readonly Pod[]> {
  for (const endMs = Date.now() + limitMs; ; ) {
    const { body } = await ask(transport, 'GET', podsPath)
    const pods = (body as { items: readonly Pod[] }).items
    if (holds(pods) || Date.now() > endMs) return pods
    await setTimeout(200)
  }
}

real(
  'a daemon pod that is deleted and not over keeps the next one away; one that is over and kept by a finalizer does not',
  async ({ transport }) => {
    await addNodes(transport, { count: 1, kernel: '6.1.0' })
    const template = {
      metadata: { labels: { app: 'held' }, finalizers: ['example.com/held'] },
      spec: { containers: [{ name: 'one', image: 'example.com/one:1' }], tolerations: [{ operator: 'Exists' }] },
    }
    const spec = { selector: { matchLabels: { app: 'held' } }, updateStrategy: { type: 'OnDelete' }, template }
    const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'held', namespace: 'default' }, spec }
    assert.equal((await ask(transport, 'POST', '/apis/apps/v1/namespaces/default/daemonsets', daemonSet)).status, 201)
    const [pod] = await until(transport, pods => pods.length === 1, 20_000)
    assert.ok(pod)
    const path = `${podsPath}/${pod.metadata.name}`
    const patch = (status: object) => ask(transport, 'PATCH', `${path}/status`, { status }, 'application/merge-patch+json')
    await patch({ phase: 'Running' })
    await ask(transport, 'DELETE', path)
    assert.equal((await until(transport, pods => pods.length > 1, 3000)).length, 1, 'while it is ending')
    await patch({ phase: 'Failed' })
    assert.equal((await until(transport, pods => pods.length > 1, 15_000)).length, 2, 'after it has ended')
  },
)
