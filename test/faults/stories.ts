// Scripted stories for the crash tests: each changes a settled cluster, and every write on the way to rest is a point at which the operator
// may die.
import { userVersionLabel } from '../../src/core/names.ts'
import { addNode, driver, namespace, type World } from './world.ts'

export type ScriptedStory = {
  readonly says: string
  /** Before the change; comes to rest. */
  prepare(world: World): void
  change(world: World): void
}

const threeNodes = (world: World): void => {
  for (const name of ['a', 'b', 'c']) addNode(world, name)
}
const plugin = { devicePlugin: { container: { image: 'registry.example.com/gpu-plugin:1' } } }
const versioned = (tag: string) => driver('gpu', tag, { container: { version: `v${tag}` }, spec: plugin })
const label = userVersionLabel(namespace, 'gpu')

export const stories: readonly ScriptedStory[] = [
  { says: 'a Module is made', prepare: threeNodes, change: world => world.applyModule(driver('gpu', '1', { spec: plugin })) },
  {
    says: 'its image changes and is rolled out',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1', { spec: plugin }))
    },
    change: world => world.applyModule(driver('gpu', '2', { spec: plugin })),
  },
  {
    says: 'a node gets another kernel',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1'))
    },
    change: world => world.cluster.node('b').reboot({ kernel: '6.1.0-2-amd64' }),
  },
  {
    says: 'the Module is deleted and made again',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1', { spec: plugin }))
    },
    change: world => {
      world.deleteModule('gpu')
      world.applyModule(driver('gpu', '2', { spec: plugin }))
    },
  },
  {
    says: 'an unload fails',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1'))
    },
    change: world => {
      world.cluster.node('a').hold('gpu_mod')
      world.applyModule(driver('gpu', '2'))
    },
  },
  {
    says: 'an ordered upgrade flips the label of one node',
    prepare: world => {
      threeNodes(world)
      world.applyModule(versioned('1'))
      for (const name of ['a', 'b', 'c']) world.label(name, { [label]: 'v1' })
    },
    change: world => {
      world.applyModule(versioned('2'))
      world.label('b', { [label]: 'v2' })
    },
  },
  {
    says: 'a Module gets its first version, and a node the label for it',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1', { spec: plugin }))
    },
    change: world => {
      world.applyModule(versioned('2'))
      world.label('b', { [label]: 'v2' })
    },
  },
  {
    says: 'a Module gives up its versions',
    prepare: world => {
      threeNodes(world)
      world.applyModule(versioned('1'))
      for (const name of ['a', 'b']) world.label(name, { [label]: 'v1' })
    },
    change: world => world.applyModule(driver('gpu', '2', { spec: plugin })),
  },
  {
    says: 'the last node of a kernel goes',
    prepare: world => {
      threeNodes(world)
      addNode(world, 'd', '6.1.0-2-amd64')
      world.applyModule(driver('gpu', '1'))
    },
    change: world => world.cluster.node('d').remove(),
  },
  {
    says: 'the device plugin is taken out',
    prepare: world => {
      threeNodes(world)
      world.applyModule(driver('gpu', '1', { spec: plugin }))
    },
    change: world => world.applyModule(driver('gpu', '1')),
  },
]
