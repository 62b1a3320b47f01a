// Things that happen beside those of actions.ts, by theme: a world has one theme, so that what fails names what it was about.
import type { Module } from '../../src/api/module.ts'
import { imagesFor } from '../../src/cli/simulate/images.ts'
import { isPodReady, type Pod } from '../../src/core/cluster.ts'
import { keyOf } from '../../src/core/object.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
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
import { addNode, driver } from './world.ts'

type Weighted = readonly (readonly [weight: number, Action])[]

const selectors = [{ worker: '' }, { worker: '', red: '' }, { worker: '', blue: '' }] as const

const loaders = (story: Story): readonly Pod[] =>
  (story.world.cluster.api.list(pods) as readonly Pod[]).filter(
    pod => moduleKeyOf(pod) !== undefined && operandOf(pod) === 'loader' && !isDeleting(pod),
  )

function withSpec(story: Story, module: Module, spec: Partial<Module['spec']>): void {
  story.world.applyModule({ ...module, spec: { ...module.spec, ...spec } })
}

const selectorEdit: Action = onModule((story, module) => {
  mayUnload(story, module)
  const selector = pick(story.chance, selectors) ?? selectors[0]
  withSpec(story, module, { selector })
  return `Module ${module.metadata.name} selects ${Object.keys(selector).join(' and ')}`
})

const colour: Action = onNode((story, node) => {
  const name = pick(story.chance, ['red', 'blue']) ?? 'red'
  const has = story.world.cluster.api.get(nodes, node)?.metadata.labels?.[name] !== undefined
  if (has) for (const module of present(story)) mayUnload(story, module, node)
  story.world.label(node, { [name]: has ? undefined : '' })
  return `node ${node} ${has ? 'is no longer' : 'becomes'} ${name}`
})

const twin: Action = story => {
  const name = pick(story.chance, ['gpu-two', 'gpu-three']) ?? 'gpu-two'
  if (present(story).some(module => module.metadata.name === name)) return undefined
  const names =
    name === 'gpu-two' ? { moduleName: 'gpu_mod' } : { moduleName: 'gpu_three', modulesLoadingOrder: ['gpu_three', 'gpu_mod'] }
  const selector = pick(story.chance, selectors) ?? selectors[0]
  const made = driver(name, nextTag(story, name), { spec: { selector }, container: { modprobe: names } })
  mayUnload(story, made)
  story.world.applyModule(made)
  return `Module ${name} is made, names gpu_mod too, and selects ${Object.keys(selector).join(' and ')}`
}

const rename: Action = onModule((story, module) => {
  const { name } = module.metadata
  const { version, modprobe } = module.spec.moduleLoader.container
  const tag = nextTag(story, name)
  const moduleName = pick(story.chance, ['gpu_mod', `${name.replaceAll('-', '_')}_new`]) ?? 'gpu_mod'
  if (moduleName === modprobe.moduleName) return undefined
  mayUnload(story, module)
  changed(story, module, {
    kernelMappings: mapping(name, tag),
    modprobe: { moduleName },
    ...(version === undefined ? {} : { version: `v${tag}` }),
  })
  return `Module ${name} names ${moduleName}, with image ${tag}`
})

const unregister: Action = onNode((story, node) => {
  for (const module of present(story)) mayUnload(story, module, node)
  const machine = story.world.cluster.node(node)
  machine.unregister()
  const waitMs = story.chance() < 0.5 ? 0 : story.chance() * 120_000
  story.world.cluster.clock.after(waitMs, () => machine.restartKubelet())
  return `the Node object of ${node} is deleted, and registered again ${Math.round(waitMs / 1000)} s later`
})

const replaceMachine: Action = onNode((story, node) => {
  const { release } = story.world.cluster.node(node).kernel
  story.world.cluster.node(node).remove()
  const { cluster } = story.world
  cluster.clock.after(5000, () => {
    if (!cluster.nodeNames().includes(node)) addNode(story.world, node, release)
  })
  return `node ${node} is removed, and another machine comes under its name`
})

const killContainer: Action = story => {
  const pod = pick(story.chance, loaders(story))
  const node = pod?.spec?.nodeName ?? ''
  if (pod === undefined || !machines(story).includes(node)) return undefined
  story.world.cluster.node(node).killContainers(keyOf(pod))
  return `the container of pod ${pod.metadata.name} on ${node} dies`
}

const sameVersion: Action = onModule((story, module) => {
  const { name } = module.metadata
  mayUnload(story, module)
  const tag = nextTag(story, name)
  changed(story, module, { kernelMappings: mapping(name, tag) })
  return `Module ${name} gets image ${tag} and keeps its version`
})

/** Its hook fails in each container that is started; the next image mends it. */
const badImage: Action = onModule((story, module) => {
  const { name } = module.metadata
  mayUnload(story, module)
  const tag = `bad${nextTag(story, name)}`
  const { moduleLoader } = module.spec
  const container = { ...moduleLoader.container, kernelMappings: mapping(name, tag) }
  const next = { ...module, spec: { ...module.spec, moduleLoader: { ...moduleLoader, container } } }
  const broken = new Map(kernels.map(kernel => [kernel, 'missing-module'] as const))
  for (const { image, content } of imagesFor([next], kernels, broken))
    if (image.includes(':bad')) story.world.cluster.registry.push(image, content)
  story.world.applyModule(next)
  return `Module ${name} gets image ${tag}, which holds no module`
})

const withoutReload: Action = onModule((story, module) => {
  const { moduleLoader } = module.spec
  const what = pick(story.chance, ['pull secret', 'service account', 'pull policy']) ?? 'pull secret'
  const value = `other-${story.told.length}`
  if (what === 'pull secret') withSpec(story, module, { imageRepoSecret: { name: value } })
  else if (what === 'service account') withSpec(story, module, { moduleLoader: { ...moduleLoader, serviceAccountName: value } })
  else changed(story, module, { imagePullPolicy: pick(story.chance, ['Always', 'IfNotPresent']) ?? 'Always' })
  return `Module ${module.metadata.name} gets another ${what}`
})

const breakRule: Action = onModule((story, module) => {
  const { maxUnavailable } = module.spec.moduleLoader
  const isBroken = maxUnavailable === '0%'
  withSpec(story, module, { moduleLoader: { ...module.spec.moduleLoader, maxUnavailable: isBroken ? 1 : '0%' } })
  return `Module ${module.metadata.name} ${isBroken ? 'is correct again' : 'breaks a rule'}`
})

const loseAndRestore: Action = onModule((story, module) => {
  const { kernelMappings } = module.spec.moduleLoader.container
  const { name } = module.metadata
  if (kernelMappings[0]?.regexp === '^no such kernel$') {
    mayUnload(story, module)
    changed(story, module, { kernelMappings: mapping(name, String(story.tags.get(name) ?? 1)) })
    return `Module ${name} gets its last mapping back`
  }
  changed(story, module, { kernelMappings: [{ regexp: '^no such kernel$', containerImage: 'registry.example.com/none:1' }] })
  return `Module ${name} loses its mappings`
})

const deleteWhileLoading: Action = story => {
  const found = loaders(story)
  const pod =
    pick(
      story.chance,
      found.filter(each => !isPodReady(each)),
    ) ?? pick(story.chance, found)
  if (pod === undefined) return undefined
  for (const module of present(story)) if (keyOf(module) === moduleKeyOf(pod)) mayUnload(story, module, pod.spec?.nodeName)
  const waitMs = story.chance() * 10_000
  story.world.cluster.api.remove(pods, keyOf(pod))
  story.world.cluster.clock.after(waitMs, () => {
    for (const next of loaders(story))
      if (next.spec?.nodeName === pod.spec?.nodeName && !isPodReady(next)) story.world.cluster.api.remove(pods, keyOf(next))
  })
  return `somebody deletes pod ${pod.metadata.name}, and its successor while it loads`
}

export const themes = {
  'none but the common ones': [],
  'Modules that name one kernel module': [
    [5, twin],
    [4, colour],
    [4, selectorEdit],
    [2, rename],
  ],
  'Node objects that are deleted and registered again': [
    [5, unregister],
    [4, replaceMachine],
  ],
  'containers that die': [[10, killContainer]],
  'selectors that are edited': [
    [5, selectorEdit],
    [4, colour],
  ],
  'images under the same version, and edits that need no reload': [
    [5, sameVersion],
    [4, withoutReload],
  ],
  'broken rules, lost mappings and images that hold no module, for a while': [
    [4, breakRule],
    [5, loseAndRestore],
    [3, badImage],
  ],
  'pods that are deleted while they load': [[10, deleteWhileLoading]],
} as const satisfies Readonly<Record<string, Weighted>>

export type Theme = keyof typeof themes
