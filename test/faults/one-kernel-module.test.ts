// Two Modules that name one kernel module, on nodes that go from one to the other: the kernel has it once, so a second load is content with
// the driver of the first, and the unload of the first takes it from both.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { heldLabel, readyLabel } from '../../src/core/names.ts'
import type { KubeObject, Labels } from '../../src/core/object.ts'
import { modules, nodes } from '../../src/core/resources.ts'
import { wrongAtRest } from './settled.ts'
import { addNode, driver, namespace, startWorld, type World } from './world.ts'

const gpu = (name: string, selector: Labels): Module =>
  driver(name, '1', { container: { modprobe: { moduleName: 'gpu_mod' } }, spec: { selector } })

const seconds = 1000
const loadedOn = ({ cluster }: World, node: string): string =>
  /\/(\w+):/.exec(cluster.node(node).kernel.loaded.get('gpu_mod')?.image ?? '')?.[1] ?? 'nothing'
const labelsOf = ({ cluster }: World, node: string): Labels => (cluster.api.get(nodes, node) as KubeObject).metadata.labels ?? {}
const readyOn = (world: World, node: string): readonly string[] =>
  ['one', 'two'].filter(name => labelsOf(world, node)[readyLabel(namespace, name)] !== undefined)
const reasonOf = ({ cluster }: World, name: string, node: string): string | undefined =>
  (cluster.api.get(modules, `${namespace}/${name}`) as Module).status?.notReadyNodes?.find(entry => entry.name === node)?.reason

/** Both Modules, each with a node of its own. */
async function startPools(): Promise<World> {
  const world = startWorld()
  for (const node of ['node-1', 'node-2']) addNode(world, node)
  await world.run(5 * seconds)
  world.label('node-1', { pool: 'one' })
  world.label('node-2', { pool: 'two' })
  world.applyModule(gpu('one', { pool: 'one' }))
  world.applyModule(gpu('two', { pool: 'two' }))
  await world.run(60 * seconds)
  assert.deepEqual([loadedOn(world, 'node-1'), loadedOn(world, 'node-2')], ['one', 'two'])
  return world
}

async function assertQuiet(world: World): Promise<void> {
  await world.run(900 * seconds)
  assert.deepEqual(world.never.violations, [])
  assert.deepEqual(wrongAtRest(world), [])
  await world.end()
}

describe('two Modules with one kernel module', () => {
  it('hand a node over only when the first driver is out of its kernel', async () => {
    const world = await startPools()
    world.never.allowUnload('gpu_mod')
    world.cluster.node('node-1').hold('gpu_mod')
    world.label('node-1', { pool: 'two' })
    await world.run(60 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'one')
    assert.deepEqual(readyOn(world, 'node-1'), [])
    assert.equal(reasonOf(world, 'two', 'node-1'), 'WaitingForOtherModule')
    world.cluster.node('node-1').releaseHold('gpu_mod')
    await world.run(120 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'two')
    assert.deepEqual(readyOn(world, 'node-1'), ['two'])
    await assertQuiet(world)
  })

  it('say that the old driver is still loaded when its unload has failed, and heal by a reboot', async () => {
    const world = await startPools()
    world.never.allowUnload('gpu_mod')
    world.cluster.node('node-1').hold('gpu_mod')
    world.label('node-1', { pool: 'two' })
    await world.run(900 * seconds)
    assert.deepEqual(readyOn(world, 'node-1'), [])
    assert.equal(reasonOf(world, 'two', 'node-1'), 'StillLoaded')
    world.cluster.node('node-1').reboot()
    await world.run(300 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'two')
    assert.deepEqual(readyOn(world, 'node-1'), ['two'])
    await assertQuiet(world)
  })

  it('unload nothing of each other when a node gets the label of both, and loses it again', async () => {
    const world = await startPools()
    world.applyModule(gpu('two', { second: 'two' }))
    world.never.allowUnload('gpu_mod')
    world.label('node-2', { second: 'two' })
    await world.run(120 * seconds)
    world.label('node-1', { second: 'two' })
    await world.run(60 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'one')
    assert.deepEqual(readyOn(world, 'node-1'), ['one'])
    world.label('node-1', { second: undefined })
    await world.run(60 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'one')
    await assertQuiet(world)
  })

  it('wait for the driver of a Module that was deleted', async () => {
    const world = startWorld()
    addNode(world, 'node-1')
    await world.run(5 * seconds)
    world.applyModule(gpu('one', {}))
    await world.run(30 * seconds)
    world.applyModule(gpu('two', {}))
    await world.run(30 * seconds)
    assert.equal(reasonOf(world, 'two', 'node-1'), 'ModuleNameTaken')
    world.cluster.node('node-1').hold('gpu_mod')
    world.never.allowUnload('gpu_mod')
    world.deleteModule('one')
    await world.run(60 * seconds)
    assert.deepEqual(readyOn(world, 'node-1'), [])
    assert.equal(reasonOf(world, 'two', 'node-1'), 'WaitingForOtherModule')
    world.cluster.node('node-1').releaseHold('gpu_mod')
    await world.run(120 * seconds)
    assert.equal(loadedOn(world, 'node-1'), 'two')
    assert.deepEqual(readyOn(world, 'node-1'), ['two'])
    await assertQuiet(world)
  })

  it('wait for the driver of a Module that was deleted before anybody else named its kernel module', async () => {
    const world = startWorld()
    addNode(world, 'node-1')
    await world.run(5 * seconds)
    world.applyModule(gpu('one', {}))
    await world.run(30 * seconds)
    world.cluster.node('node-1').hold('gpu_mod')
    world.never.allowUnload('gpu_mod')
    world.deleteModule('one')
    await world.run(30 * seconds)
    world.applyModule(gpu('two', {}))
    let lies = 0
    for (let step = 0; step < 60; step++) {
      await world.run(seconds)
      if (readyOn(world, 'node-1').includes('two')) lies++
    }
    assert.equal(lies, 0)
    world.cluster.node('node-1').releaseHold('gpu_mod')
    await world.run(120 * seconds)
    assert.deepEqual(readyOn(world, 'node-1'), ['two'])
    await assertQuiet(world)
  })

  it('leave no label behind when only one of them is left', async () => {
    const world = await startPools()
    const held = () =>
      ['node-1', 'node-2'].map(node => Object.keys(labelsOf(world, node)).filter(key => key.endsWith('module-held')))
    assert.deepEqual(held(), [[heldLabel(namespace, 'one')], [heldLabel(namespace, 'two')]])
    world.never.allowUnload('gpu_mod')
    world.deleteModule('two')
    await world.run(120 * seconds)
    assert.deepEqual(held(), [[], []])
    assert.equal(loadedOn(world, 'node-1'), 'one')
    await assertQuiet(world)
  })
})
