// What was begun for one Module and was then overtaken by a change of it: nodes that were emptied get a driver again, and pods that could not
// start get what they lacked.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { userVersionLabel } from '../../src/core/names.ts'
import type { KubeObject } from '../../src/core/object.ts'
import { modules, pods } from '../../src/core/resources.ts'
import { wrongAtRest } from './settled.ts'
import { addNode, driver, namespace, startWorld, type World } from './world.ts'

const seconds = 1000
const label = userVersionLabel(namespace, 'gpu')
const gpu = (tag: string, version?: string): Module => driver('gpu', tag, version === undefined ? {} : { container: { version } })
const loadedOn = ({ cluster }: World, node: string): string =>
  /:(\d+)-/.exec(cluster.node(node).kernel.loaded.get('gpu_mod')?.image ?? '')?.[1] ?? 'nothing'
const podsOf = ({ cluster }: World) =>
  cluster.api.list(pods) as readonly (KubeObject & {
    readonly spec: { readonly imagePullSecrets?: readonly { name: string }[] }
  })[]

/** Two nodes with the first driver; then the second Module, and while its first node is being emptied, the third. */
async function overtaken(first: Module, second: Module, third: Module, labels: Record<string, string>): Promise<World> {
  const world = startWorld()
  for (const node of ['a', 'b']) addNode(world, node)
  await world.run(5 * seconds)
  for (const node of ['a', 'b']) world.label(node, labels)
  world.applyModule(first)
  await world.run(60 * seconds)
  world.never.allowUnload('gpu_mod')
  for (const node of ['a', 'b']) world.cluster.node(node).hold('gpu_mod')
  world.applyModule(second)
  await world.run(20 * seconds)
  world.applyModule(third)
  await world.run(seconds)
  for (const node of ['a', 'b']) world.cluster.node(node).releaseHold('gpu_mod')
  await world.run(1800 * seconds)
  return world
}

async function end(world: World): Promise<void> {
  assert.deepEqual(world.never.violations, [])
  assert.deepEqual(wrongAtRest(world), [])
  await world.end()
}

describe('a node that was emptied for a replacement has a driver again', () => {
  it('when a new version came in between, for which no node asks', async () => {
    const world = await overtaken(gpu('1', 'v1'), gpu('2', 'v1'), gpu('3', 'v2'), { [label]: 'v1' })
    assert.deepEqual([loadedOn(world, 'a'), loadedOn(world, 'b')], ['2', '1'])
    await end(world)
  })

  it('when the first version came in between, for which no node asks', async () => {
    const world = await overtaken(gpu('1'), gpu('2'), gpu('3', 'v1'), {})
    assert.deepEqual([loadedOn(world, 'a'), loadedOn(world, 'b')], ['2', '1'])
    await end(world)
  })
})

describe('a first version', () => {
  it('leaves the driver of before to a node with the label of another version', async () => {
    const world = startWorld()
    addNode(world, 'a')
    await world.run(5 * seconds)
    world.label('a', { [label]: 'v1' })
    world.applyModule(gpu('1'))
    await world.run(60 * seconds)
    world.applyModule(gpu('2', 'v2'))
    await world.run(300 * seconds)
    assert.equal(loadedOn(world, 'a'), '1')
    await end(world)
  })
})

/** As a person would, without pushing the images first. */
const edit = ({ cluster }: World, change: (spec: Module['spec']) => Module['spec']) =>
  void cluster.api.update(
    modules,
    `${namespace}/gpu`,
    found => ({ ...found, spec: change((found as Module).spec) }) as KubeObject,
  )
const withSecret = (spec: Module['spec']): Module['spec'] => ({ ...spec, imageRepoSecret: { name: 'pull' } })
const notPushed = (spec: Module['spec']): Module['spec'] => {
  const kernelMappings = [{ regexp: '^.+$', containerImage: 'registry.example.com/private:1' }]
  return { ...spec, moduleLoader: { ...spec.moduleLoader, container: { ...spec.moduleLoader.container, kernelMappings } } }
}
const namesOf = (world: World) => podsOf(world).map(({ metadata }) => metadata.name)
const secretsOf = (world: World) => podsOf(world).flatMap(pod => pod.spec.imagePullSecrets?.map(({ name }) => name) ?? 'none')

describe('a new pull secret', () => {
  it('reaches the loader pods that cannot pull their image, once', async () => {
    const world = startWorld()
    for (const node of ['a', 'b']) addNode(world, node)
    await world.run(5 * seconds)
    world.applyModule(gpu('1'))
    edit(world, notPushed)
    await world.run(60 * seconds)
    assert.deepEqual(secretsOf(world), ['none', 'none'])
    edit(world, withSecret)
    await world.run(120 * seconds)
    assert.deepEqual(secretsOf(world), ['pull', 'pull'])
    const made = namesOf(world)
    await world.run(3600 * seconds)
    assert.deepEqual(namesOf(world), made)
    await end(world)
  })

  it('replaces no loader pod whose driver is loaded', async () => {
    const world = startWorld()
    for (const node of ['a', 'b']) addNode(world, node)
    await world.run(5 * seconds)
    world.applyModule(gpu('1'))
    await world.run(60 * seconds)
    const made = namesOf(world)
    edit(world, withSecret)
    await world.run(600 * seconds)
    assert.deepEqual(namesOf(world), made)
    await end(world)
  })
})
