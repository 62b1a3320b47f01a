import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { trimPod } from '../../src/controllers/trim.ts'
import type { Pod } from '../../src/core/cluster.ts'
import { containerOf, ourContainer } from '../../src/core/operands.ts'
import { aPod } from '../builders.ts'

/** As an admission webhook injects it: first in the spec; the kubelet sorts the statuses by name. */
function withSidecar(pod: Pod): Pod {
  const sidecar = { name: 'istio-proxy', image: 'registry.example.com/proxy:1' }
  const told = { name: 'istio-proxy', ready: false, state: { terminated: { exitCode: 0 } } }
  return {
    ...pod,
    spec: { ...pod.spec, containers: [sidecar, ...(pod.spec?.containers ?? [])] },
    status: { ...pod.status, containerStatuses: [told, ...(pod.status?.containerStatuses ?? [])] },
  }
}

describe('the container of a loader pod with a sidecar', () => {
  const message = 'kmm unloaded boot-1'
  const pod = withSidecar(
    aPod({ image: 'registry.example.com/driver:7', container: { state: { terminated: { exitCode: 0, message } } } }),
  )

  it('is found by its name', () => {
    assert.equal(containerOf(pod)?.state?.terminated?.message, message)
  })

  it('is what the snapshot keeps of the pod', () => {
    const kept = trimPod(pod) as Pod
    assert.equal(containerOf(kept)?.state?.terminated?.message, message)
    assert.equal(ourContainer(kept.spec?.containers)?.image, 'registry.example.com/driver:7')
  })

  it('is the first one where none has a name of ours', () => {
    assert.equal(ourContainer([{ name: 'a' }, { name: 'b' }])?.name, 'a')
  })
})
