// What can happen to a cluster, one thing at a time; each names what may be unloaded because of it.

import type { Node, Pod } from '../../src/core/cluster.ts'
import { annotations, userVersionLabel } from '../../src/core/names.ts'
import { keyOf } from '../../src/core/object.ts'
import { moduleKeyOf } from '../../src/core/operands.ts'
import { nodes, pods } from '../../src/core/resources.ts'
import {
  type Action,
  changed,
  kernels,
  machines,
  mapping,
  mayUnload,
  nextTag,
  onModule,
  onNode,
  pick,
  present,
  type Story,
} from './acting.ts'
import { type Theme, themes } from './themes.ts'
import { addNode, driver, namespace } from './world.ts'

const actions: readonly (readonly [weight: number, Action])[] = [
  [
    4,
    story => {
      const name = pick(story.chance, ['gpu', 'nic']) ?? 'gpu'
      if (present(story).some(module => module.metadata.name === name)) return undefined
      story.world.never.allowUnload(`${name}_mod`)
      const plugin =
        story.chance() < 0.5 ? { devicePlugin: { container: { image: `registry.example.com/${name}-plugin:1` } } } : {}
      const maxUnavailable = pick(story.chance, [1, 2, '50%']) ?? 1
      const made = driver(name, nextTag(story, name), {
        spec: plugin,
        ...(story.chance() < 0.5 ? { container: { version: `v${story.tags.get(name)}` } } : {}),
      })
      story.world.applyModule({
        ...made,
        spec: { ...made.spec, moduleLoader: { ...made.spec.moduleLoader, maxUnavailable } },
      })
      return `Module ${name} is made`
    },
  ],
  [
    3,
    onModule((story, module) => {
      const { name } = module.metadata
      mayUnload(story, module)
      const version = module.spec.moduleLoader.container.version
      const tag = nextTag(story, name)
      changed(story, module, { kernelMappings: mapping(name, tag), ...(version === undefined ? {} : { version: `v${tag}` }) })
      return `Module ${name} gets image ${tag}`
    }),
  ],
  [
    1,
    onModule((story, module) => {
      const { name } = module.metadata
      mayUnload(story, module)
      story.world.deleteModule(name)
      return `Module ${name} is deleted`
    }),
  ],
  [
    1,
    onModule((story, module) => {
      changed(story, module, { kernelMappings: [{ regexp: '^no such kernel$', containerImage: 'registry.example.com/none:1' }] })
      return `Module ${module.metadata.name} loses its mappings`
    }),
  ],
  [
    1,
    onModule((story, module) => {
      const paused = module.metadata.annotations?.[annotations.paused] === 'true'
      changed(story, module, {}, { annotations: paused ? {} : { [annotations.paused]: 'true' } })
      return `Module ${module.metadata.name} is ${paused ? 'resumed' : 'paused'}`
    }),
  ],
  [
    4,
    onModule((story, module) => {
      const node = pick(story.chance, machines(story))
      const version = module.spec.moduleLoader.container.version
      if (node === undefined || version === undefined) return undefined
      const { name } = module.metadata
      mayUnload(story, module, node)
      // An older or newer version than the Module's is a wish that nobody fulfils; without a value the label counts as absent.
      const value = pick(story.chance, [version, version, version, undefined, '', `v${1 + (story.tags.get(name) ?? 0)}`, 'v1'])
      story.world.label(node, { [userVersionLabel(namespace, name)]: value })
      return `node ${node} gets version ${value ?? 'no'} of ${name}`
    }),
  ],
  [
    2,
    onModule((story, module) => {
      const version = module.spec.moduleLoader.container.version
      if (version === undefined) return undefined
      mayUnload(story, module)
      for (const node of machines(story))
        story.world.label(node, { [userVersionLabel(namespace, module.metadata.name)]: version })
      return `all nodes get version ${version} of ${module.metadata.name}`
    }),
  ],
  [
    3,
    onModule((story, module) => {
      if (module.spec.moduleLoader.container.version === undefined) return undefined
      const { name } = module.metadata
      const tag = nextTag(story, name)
      mayUnload(story, module)
      changed(story, module, { kernelMappings: mapping(name, tag), version: `v${tag}` })
      const chosen = machines(story).filter(() => story.chance() < 0.5)
      for (const node of chosen) story.world.label(node, { [userVersionLabel(namespace, name)]: `v${tag}` })
      return `Module ${name} gets version v${tag}, and so do the nodes ${chosen.join(', ')}`
    }),
  ],
  [
    1,
    onModule((story, module) => {
      const { name } = module.metadata
      const { version, ...container } = module.spec.moduleLoader.container
      const tag = nextTag(story, name)
      mayUnload(story, module)
      const next = { ...container, kernelMappings: mapping(name, tag), ...(version === undefined ? { version: `v${tag}` } : {}) }
      const { moduleLoader } = module.spec
      story.world.applyModule({ ...module, spec: { ...module.spec, moduleLoader: { ...moduleLoader, container: next } } })
      const chosen = version === undefined ? machines(story).filter(() => story.chance() < 0.7) : []
      for (const node of chosen) story.world.label(node, { [userVersionLabel(namespace, name)]: `v${tag}` })
      return `Module ${name} ${version === undefined ? `gets its first version v${tag}, and so do ${chosen.join(', ')}` : `gives up its version, with image ${tag}`}`
    }),
  ],
  [
    1,
    onModule((story, module) => {
      const { devicePlugin, ...spec } = module.spec
      const image = `registry.example.com/${module.metadata.name}-plugin:1`
      const next = devicePlugin === undefined ? { ...spec, devicePlugin: { container: { image } } } : spec
      story.world.applyModule({ ...module, spec: next })
      return `Module ${module.metadata.name} ${devicePlugin === undefined ? 'gets a' : 'loses its'} device plugin`
    }),
  ],
  [
    2,
    story => {
      if (machines(story).length >= 5) return undefined
      const name = `node-${10 + story.told.length}`
      addNode(story.world, name, pick(story.chance, kernels))
      return `node ${name} is added`
    },
  ],
  [
    1,
    onNode((story, node) => {
      story.world.cluster.node(node).remove()
      return `node ${node} is removed`
    }),
  ],
  [
    3,
    onNode((story, node) => {
      const kernel = story.chance() < 0.5 ? pick(story.chance, kernels) : undefined
      story.world.cluster.node(node).reboot(kernel === undefined ? {} : { kernel })
      return `node ${node} reboots${kernel === undefined ? '' : ` into ${kernel}`}`
    }),
  ],
  [
    2,
    onNode((story, node) => {
      const found: Node | undefined = story.world.cluster.api.get(nodes, node)
      const cordoned = found?.spec?.unschedulable === true
      if (cordoned) story.world.cluster.node(node).uncordon()
      else story.world.cluster.node(node).drain()
      return `node ${node} is ${cordoned ? 'uncordoned' : 'drained'}`
    }),
  ],
  [
    2,
    onNode((story, node) => {
      story.world.cluster.node(node).silence()
      return `node ${node} falls silent`
    }),
  ],
  [
    3,
    onNode((story, node) => {
      story.world.cluster.node(node).restore()
      return `node ${node} is heard again`
    }),
  ],
  [
    1,
    onNode((story, node) => {
      story.world.cluster.node(node).restartKubelet()
      return `the kubelet of ${node} restarts`
    }),
  ],
  [
    2,
    onNode((story, node) => {
      const module = pick(story.chance, [...story.world.cluster.node(node).kernel.loaded.keys()])
      if (module === undefined) return undefined
      story.world.cluster.node(node).hold(module)
      return `${module} is in use on ${node}`
    }),
  ],
  [
    2,
    onNode((story, node) => {
      const { kernel } = story.world.cluster.node(node)
      for (const module of kernel.loaded.keys())
        if (kernel.useCount(module) > 0) story.world.cluster.node(node).releaseHold(module)
      return `nothing is in use on ${node}`
    }),
  ],
  [
    1,
    onNode((story, node) => {
      story.world.label(node, { 'example.com/foreign': String(story.told.length) })
      return `node ${node} gets a foreign label`
    }),
  ],
  [
    2,
    story => {
      const pod = pick(
        story.chance,
        (story.world.cluster.api.list(pods) as readonly Pod[]).filter(candidate => moduleKeyOf(candidate) !== undefined),
      )
      if (pod === undefined) return undefined
      for (const module of present(story)) if (keyOf(module) === moduleKeyOf(pod)) mayUnload(story, module, pod.spec?.nodeName)
      story.world.cluster.api.remove(pods, keyOf(pod))
      return `somebody deletes pod ${pod.metadata.name}`
    },
  ],
  [
    2,
    async story => {
      await story.world.restartOperator()
      return 'the operator crashes and starts again'
    },
  ],
]

/** A Module with a version and a device plugin, and all nodes have its label. */
export function beginOrdered(story: Story): string {
  const tag = nextTag(story, 'gpu')
  const plugin = { devicePlugin: { container: { image: 'registry.example.com/gpu-plugin:1' } } }
  story.world.never.allowUnload('gpu_mod')
  story.world.applyModule(driver('gpu', tag, { spec: plugin, container: { version: `v${tag}` } }))
  for (const node of machines(story)) story.world.label(node, { [userVersionLabel(namespace, 'gpu')]: `v${tag}` })
  return `Module gpu is made with version v${tag} and a device plugin, and all nodes have its label`
}

/** Does one thing that is possible here; says what. */
export async function act(story: Story, theme: Theme): Promise<string> {
  const possible = [...actions, ...themes[theme]]
  const total = possible.reduce((sum, [weight]) => sum + weight, 0)
  for (let tries = 0; tries < 20; tries++) {
    let left = story.chance() * total
    for (const [weight, action] of possible) {
      left -= weight
      if (left > 0) continue
      const told = await action(story)
      if (told !== undefined) return `${Math.round(story.world.cluster.clock.monotonicMs() / 1000)} s: ${told}`
      break
    }
  }
  return 'nothing happens'
}
