// Scripted stories for the crash tests: each changes a settled cluster, and every write on the way to rest is a point at which the operator
// may die.
import { userVersionLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { operandOf } from '../../src/core/operands.ts'
import { pods } from '../../src/core/resources.ts'
import { addNode, driver, namespace, type World } from './world.ts'

export type ScriptedStory = {
  readonly says: string
  /** Before the change; comes to rest. */
  prepare(world: World): void
  change(world: World): void
  /** Why a view that lags, or breaks, leads to another end: then only crashes are tried. */
  readonly depends?: string
}

const threeNodes = (world: World): void => {
  for (const name of ['a', 'b', 'c']) addNode(world, name)
}
const plugin = { devicePlugin: { container: { image: 'registry.example.com/gpu-plugin:1' } } }
const versioned = (tag: string) => driver('gpu', tag, { container: { version: `v${tag}` }, spec: plugin })
const label = userVersionLabel(namespace, 'gpu')

const oneModule = (world: World): void => {
  threeNodes(world)
  world.applyModule(driver('gpu', '1', { spec: plugin }))
}
const unmapped = { kernelMappings: [{ regexp: '^no such kernel$', containerImage: 'registry.example.com/none:1' }] }
const podOn = ({ cluster }: World, node: string): string =>
  keyOf(cluster.api.by(pods, 'spec.nodeName', node).find(pod => operandOf(pod) === 'loader') ?? { metadata: { name: '' } })

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
  {
    says: 'a Node object is deleted and registered again in the same boot',
    prepare: oneModule,
    change: world => {
      world.cluster.node('b').unregister()
      world.cluster.clock.after(60_000, () => world.cluster.node('b').restartKubelet())
    },
  },
  {
    says: 'a Node object is deleted and registered again at once',
    prepare: oneModule,
    change: world => {
      world.cluster.node('b').unregister()
      world.cluster.node('b').restartKubelet()
    },
  },
  {
    says: 'another Module names the same kernel module, and the first one is deleted',
    prepare: oneModule,
    change: world => {
      world.applyModule(driver('gpu-two', '1', { container: { modprobe: { moduleName: 'gpu_mod' } } }))
      world.cluster.clock.after(30_000, () => world.deleteModule('gpu'))
    },
  },
  {
    says: 'a loader container dies, and its pod is deleted while it loads again',
    prepare: oneModule,
    change: world => {
      const pod = podOn(world, 'b')
      world.cluster.node('b').killContainers(pod)
      world.cluster.clock.after(2500, () => world.cluster.api.remove(pods, pod))
    },
  },
  {
    says: 'a mapping is lost in mid-rollout, and restored',
    prepare: oneModule,
    change: world => {
      world.applyModule(driver('gpu', '2', { spec: plugin }))
      world.cluster.clock.after(4000, () => world.applyModule(driver('gpu', '2', { spec: plugin, container: unmapped })))
      world.cluster.clock.after(90_000, () => world.applyModule(driver('gpu', '2', { spec: plugin })))
    },
  },
  {
    says: 'a loader container dies twice, its pod is deleted, and its successor unloads the driver',
    prepare: oneModule,
    change: world => {
      const pod = podOn(world, 'b')
      const { clock } = world.cluster
      world.cluster.node('b').killContainers(pod)
      clock.after(4000, () => world.cluster.node('b').killContainers(pod))
      clock.after(5000, () => world.cluster.api.remove(pods, pod))
      clock.after(120_000, () => world.applyModule(driver('gpu', '2', { spec: plugin })))
    },
  },
  {
    says: 'a Module of the same kernel module begins to overlap with another one',
    prepare: world => {
      oneModule(world)
      world.applyModule(
        driver('gpu-two', '1', { spec: { selector: { blue: '' } }, container: { modprobe: { moduleName: 'gpu_mod' } } }),
      )
    },
    change: world => world.label('b', { blue: '' }),
  },
  {
    says: 'the version changes in the middle of a rollout under the old one',
    depends: 'who saw the new version later had replaced more nodes by then',
    prepare: world => {
      threeNodes(world)
      world.applyModule(versioned('1'))
      for (const name of ['a', 'b', 'c']) world.label(name, { [label]: 'v1' })
    },
    change: world => {
      world.applyModule(driver('gpu', '2', { container: { version: 'v1' }, spec: plugin }))
      world.cluster.clock.after(3000, () => world.applyModule(versioned('3')))
    },
  },
  {
    says: 'another Module takes a kernel module whose name the first one gave up, and still has loaded',
    prepare: world => {
      threeNodes(world)
      world.applyModule(versioned('1'))
      for (const name of ['a', 'b', 'c']) world.label(name, { [label]: 'v1' })
    },
    change: world => {
      world.applyModule(driver('gpu', '2', { container: { version: 'v2', modprobe: { moduleName: 'gpu_new' } }, spec: plugin }))
      const second = driver('gpu-two', '1', { container: { modprobe: { moduleName: 'gpu_mod' } } })
      world.cluster.clock.after(30_000, () => world.applyModule(second))
    },
  },
  {
    says: 'a Node object is registered again in the same boot, with a driver that is in use, in the middle of a rollout',
    depends: 'who has not yet seen the Node again takes it for gone, and lets its pods go (decisions.md 2)',
    prepare: oneModule,
    change: world => {
      world.applyModule(driver('gpu', '2', { spec: plugin }))
      world.cluster.node('b').hold('gpu_mod')
      world.cluster.node('b').unregister()
      world.cluster.node('b').restartKubelet()
    },
  },
]
