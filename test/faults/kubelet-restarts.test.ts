// A kubelet that is restarted while a driver is being loaded cuts the load hook, never runs it again, and reports the container ready
// (kubernetes/kubernetes#122803, #142305). The node must get no ready label from that, and its driver soon. One that is restarted later
// takes no label away.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { readyLabel } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { nodes } from '../../src/core/resources.ts'
import { addNode, driver, namespace, startWorld, type World, type WorldOptions } from './world.ts'

const label = readyLabel(namespace, 'gpu')
const isLabelled = (node: KubeObject) => node.metadata.labels?.[label] !== undefined
const nodeOf = ({ cluster }: World) => cluster.api.get(nodes, 'node-1') as KubeObject
const isLoaded = ({ cluster }: World) => cluster.node('node-1').kernel.loaded.has('gpu_mod')

/**
 * Makes a Module and restarts the kubelet so much later.
 * @returns how long the label told what was not so, how often it went, and whether the Module ever listed the node as not ready afterwards.
 */
async function restartAt(ms: number, cluster: NonNullable<WorldOptions['cluster']>) {
  const world = startWorld({ cluster })
  const { api, clock } = world.cluster
  addNode(world, 'node-1')
  let [lieMs, losses, isListed] = [0, 0, false]
  let lieSince: number | undefined
  api.subscribe(({ resource, type, old, object }) => {
    if (resource.kind === 'Module') isListed ||= ((object as Module).status?.notReadyNodes ?? []).length > 0
    if (resource.kind !== 'Node' || type !== 'MODIFIED' || isLabelled(old ?? object) === isLabelled(object)) return
    if (!isLabelled(object)) losses++
    if (lieSince !== undefined) lieMs += clock.nowMs() - lieSince
    lieSince = isLabelled(object) && !isLoaded(world) ? clock.nowMs() : undefined
  })
  await world.run(5000)
  world.applyModule(driver('gpu', '1'))
  await world.run(ms)
  isListed = false
  world.cluster.node('node-1').restartKubelet()
  await world.run(150_000)
  const isWell = isLabelled(nodeOf(world)) && isLoaded(world) && lieSince === undefined
  await world.end()
  return { lieMs, losses, isListed, isWell }
}

const loads = [
  ['a load', { moduleMs: 200 }, { fromMs: 0, toMs: 6000, stepMs: 100 }],
  ['a load that takes a minute', { moduleMs: 60_000 }, { fromMs: 4000, toMs: 61_000, stepMs: 3000 }],
] as const

for (const startedContainers of ['left as they are', 'probed again'] as const) {
  describe(`a kubelet (containers with a startup probe are ${startedContainers})`, () => {
    for (const [load, speeds, { fromMs, toMs, stepMs }] of loads) {
      it(`leads to no ready label without a driver, at whichever moment of ${load} it is restarted`, async () => {
        let lies = 0
        for (let ms = fromMs; ms <= toMs; ms += stepMs) {
          const { lieMs, isWell } = await restartAt(ms, { startedContainers, speeds })
          assert.ok(isWell, `restarted after ${ms} ms: not loaded and labelled in the end`)
          assert.ok(lieMs < 1500, `restarted after ${ms} ms: a wrong label for ${lieMs} ms`)
          if (lieMs > 0) lies++
        }
        // Between the start of the container and that of its hook, which is a tenth of a second here, nothing tells that a hook is to come.
        assert.ok(lies <= 1, `a wrong label after ${lies} restarts`)
      })
    }

    it('takes no label away, and makes no Module unready, when it is restarted later', async () => {
      assert.deepEqual(await restartAt(400_000, { startedContainers }), { lieMs: 0, losses: 0, isListed: false, isWell: true })
    })
  })
}
