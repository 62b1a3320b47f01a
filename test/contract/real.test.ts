// Two real servers: a bare API server, as the model is one, and one with controllers, which end namespaces and count pods.
import { controlPlaneForTests } from '../control-plane/for-test.ts'
import type { Part } from '../control-plane/start.ts'
import { contract } from './suite.ts'

const planes: Readonly<Record<string, readonly Part[]>> = {
  'a kube-apiserver': [],
  'a kube-apiserver with its controllers': ['controllers', 'scheduler'],
}

for (const [name, parts] of Object.entries(planes)) {
  contract(name, async () => {
    const plane = await controlPlaneForTests({ parts })
    if ('skipped' in plane) return plane
    return { transport: plane.transport, hasControllers: parts.length > 0, stop: () => plane.stop() }
  })
}
