// How something happens in a random world: to a node or a Module that chance picks, with what may be unloaded because of it.
import type { Module } from '../../src/api/module.ts'
import { modules } from '../../src/core/resources.ts'
import { kernelNames } from './reasons.ts'
import type { World } from './world.ts'

export type Story = {
  readonly world: World
  readonly chance: () => number
  readonly told: string[]
  /** Newest image tag by Module. */
  readonly tags: Map<string, number>
}

/** What the machines run. */
export const kernels = ['6.1.0-1-amd64', '6.1.0-2-amd64', '6.6.0+debian']

export const pick = <T>(chance: () => number, list: readonly T[]): T | undefined => list[Math.floor(chance() * list.length)]

export const machines = ({ world }: Story): readonly string[] => world.cluster.nodeNames()
export const present = ({ world }: Story): readonly Module[] => world.cluster.api.list(modules) as readonly Module[]
export const nextTag = (story: Story, name: string): string => {
  const tag = (story.tags.get(name) ?? 0) + 1
  story.tags.set(name, tag)
  return String(tag)
}

export type Action = (story: Story) => string | undefined | Promise<string>

export const onNode =
  (what: (story: Story, node: string) => string | undefined): Action =>
  story => {
    const node = pick(story.chance, machines(story))
    return node === undefined ? undefined : what(story, node)
  }

export const onModule =
  (what: (story: Story, module: Module) => string | undefined): Action =>
  story => {
    const module = pick(story.chance, present(story))
    return module === undefined ? undefined : what(story, module)
  }

export const changed = (
  story: Story,
  module: Module,
  container: object,
  more: { readonly annotations?: Record<string, string> } = {},
): void => {
  const { moduleLoader } = module.spec
  story.world.applyModule({
    ...module,
    metadata: { ...module.metadata, ...(more.annotations === undefined ? {} : { annotations: more.annotations }) },
    spec: { ...module.spec, moduleLoader: { ...moduleLoader, container: { ...moduleLoader.container, ...container } } },
  })
}

export const mapping = (name: string, tag: string, regexp = '^.+$') => [
  { regexp, containerImage: `registry.example.com/${name}:${tag}-\${KERNEL_FULL_VERSION}` },
]

/** All its drivers may go from the node, or from all nodes. */
export const mayUnload = (story: Story, module: Module, node?: string): void => {
  for (const name of kernelNames(module)) story.world.never.allowUnload(name, node)
}
