// Random clusters for properties of the planners: Modules, Nodes, DaemonSets in all states of a life, pods in all states of theirs.
import * as fc from 'fast-check'
import { completeObjects } from '../../../src/cli/plan/complete.ts'
import { createLook } from '../../../src/cli/plan/look.ts'
import { controllers, watches } from '../../../src/controllers/index.ts'
import type { DaemonSet, Node, Pod } from '../../../src/core/cluster.ts'
import type { Look } from '../../../src/core/controller.ts'
import { kernelLabelValue } from '../../../src/core/kernel/version.ts'
import {
  labels as labelKeys,
  loaderVersionLabel,
  pluginVersionLabel,
  readyLabel,
  userVersionLabel,
} from '../../../src/core/names.ts'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { aModule, aNode, aPod, atStart, context, deepFreeze } from '../../builders.ts'

type Chosen<A> = A extends fc.Arbitrary<infer T> ? T : never

const kernels = ['6.1.0-1-amd64', '6.5.0-2-amd64', '6.12.1+deb13-amd64', ''] as const
const gpu = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }
export const now = new Date(context.nowMs).toISOString()

export type PlanOfKey = { readonly controller: string; readonly key: string; readonly plan: Plan }

/** What the operator would see of these objects. */
export function lookAt(objects: readonly KubeObject[]): Look {
  const frozen = watches.map(watch => ({
    ...watch,
    trim: (object: KubeObject) => deepFreeze(watch.trim?.(object) ?? object),
  }))
  return createLook(deepFreeze(completeObjects(objects, now)), frozen, question =>
    question.image.endsWith('-unknown') ? undefined : { exists: !question.image.endsWith('-missing') },
  )
}

/** Plans of all keys, also of pods' nodes that are gone. */
export function plansOf(look: Look): readonly PlanOfKey[] {
  return controllers.flatMap(controller => {
    const woken = controller.wakes.flatMap(wake => look.list(wake.resource).flatMap(object => wake.keys(object, look)))
    const keys = [...new Set([...look.list(controller.resource).map(keyOf), ...woken])].sort()
    return keys.map(key => ({ controller: controller.name, key, plan: controller.plan(look, key, context) }))
  })
}

const moduleChoice = fc.record({
  name: fc.constantFrom('driver', 'other'),
  namespace: fc.constantFrom('drivers', 'openshift-kmm'),
  version: fc.constantFrom('', '', '1', '2'),
  moduleName: fc.constantFrom('driver', 'driver', 'else'),
  regexp: fc.constantFrom('.+', '.+', '.+', '.+', '.+', '^6\\.1\\.', '^none$', '('),
  image: fc.constantFrom(':1', ':2', ':1-unknown', ':1-missing'),
  build: fc.boolean(),
  plugin: fc.boolean(),
  tolerant: fc.boolean(),
  paused: fc.nat(5).map(chance => chance === 0),
  maxUnavailable: fc.constantFrom(undefined, 2, '50%'),
})

const moduleOf = (choice: Chosen<typeof moduleChoice>): KubeObject => {
  const { name, namespace, version, moduleName, regexp, image, build, plugin, tolerant, paused, maxUnavailable } = choice
  const module = aModule({
    name,
    namespace,
    ...(paused ? { annotations: { 'kmm.sigs.x-k8s.io/paused': 'true' } } : {}),
    container: {
      ...(version === '' ? {} : { version }),
      modprobe: { moduleName, dirName: '/opt' },
      kernelMappings: [
        {
          regexp,
          containerImage: `registry.example.com/driver${image}`,
          ...(build ? { build: { dockerfileConfigMap: { name: 'd' } } } : {}),
        },
      ],
    },
    spec: {
      ...(plugin ? { devicePlugin: { container: { image: 'registry.example.com/plugin:1' } } } : {}),
      ...(tolerant ? { tolerations: [{ key: 'gpu', operator: 'Exists' }] } : {}),
    },
  })
  if (maxUnavailable === undefined) return module
  const { moduleLoader } = module.spec
  return { ...module, spec: { ...module.spec, moduleLoader: { ...moduleLoader, maxUnavailable } } } as KubeObject
}

const aKernel = fc.constantFrom(...kernels, ...Array.from({ length: 4 }, () => kernels.slice(0, 2)).flat())

const nodeChoice = fc.record({
  kernel: aKernel,
  /** When the DaemonSets were made. */
  was: fc.option(aKernel, { freq: 2 }),
  selected: fc.nat(5).map(chance => chance > 0),
  tainted: fc.nat(6).map(chance => chance === 0),
  ready: fc.constantFrom('True', 'True', 'True', 'Unknown'),
  labelled: fc.boolean(),
  user: fc.constantFrom('', '1', '2'),
  own: fc.constantFrom('', '1', '2'),
})

const podChoice = fc.record({
  state: fc.constantFrom('serving', 'serving', 'serving', 'loading', 'failed', 'unpullable', 'ending', 'held', 'unloaded'),
  outdated: fc.boolean(),
  adopted: fc.nat(5).map(chance => chance === 0),
})

const setChoice = fc.record({
  there: fc.nat(5).map(chance => chance > 0),
  owner: fc.constantFrom('own', 'own', 'own', 'own', 'left', 'nobody'),
  generation: fc.constantFrom(1, 1, 2),
  served: fc.nat(2),
  stale: fc.boolean(),
  pods: fc.array(podChoice, { minLength: 5, maxLength: 5 }),
})

/** DaemonSets as an earlier operator run would have made them for an earlier state of the Modules, and their pods. */
export const worlds: fc.Arbitrary<readonly KubeObject[]> = fc
  .record({
    modules: fc.uniqueArray(moduleChoice, { minLength: 1, maxLength: 2, selector: one => `${one.namespace}/${one.name}` }),
    // Mostly the Modules were as they are.
    before: fc.array(fc.option(moduleChoice, { freq: 2 }), { minLength: 2, maxLength: 2 }),
    nodes: fc.array(nodeChoice, { minLength: 0, maxLength: 5 }),
    sets: fc.array(setChoice, { minLength: 8, maxLength: 8 }),
  })
  .map(({ modules, before, nodes, sets }) => {
    const made = nodes.map((choice, index) => {
      const name = `node-${index + 1}`
      const keys = modules.map(module => [module.namespace, module.name] as const)
      const version = (key: string, value: string) => (value === '' ? {} : { [key]: value })
      const kernelLabel = choice.kernel === '' ? {} : { [labelKeys.kernel]: kernelLabelValue(choice.kernel) }
      const labels = Object.assign(
        kernelLabel,
        ...keys.map(([ns, module]) => ({
          ...(choice.labelled ? { [readyLabel(ns, module)]: '' } : {}),
          ...version(userVersionLabel(ns, module), choice.user),
          ...version(loaderVersionLabel(ns, module), choice.own),
          ...version(pluginVersionLabel(ns, module), choice.own),
        })),
      ) as Record<string, string>
      const node = aNode({
        name,
        kernel: choice.kernel,
        ready: choice.ready,
        labels,
        ...(choice.tainted ? { taints: [gpu] } : {}),
      })
      return choice.selected ? node : { ...node, metadata: { ...node.metadata, labels: { ...labels, worker: 'no' } } }
    })
    const now = modules.map(moduleOf)
    // The DaemonSets of the past: of the same Modules with another spec, on the same nodes.
    const past = modules.map((module, index) =>
      moduleOf({ ...module, ...before[index], name: module.name, namespace: module.namespace, build: false, paused: false }),
    )
    const then = made.map((node, index) => withKernel(node, nodes[index]?.was ?? undefined))
    const planned = plansOf(lookAt([...past, ...then])).flatMap(({ plan }) => plan.apply)
    const daemonSets = planned.filter(object => object.kind === 'DaemonSet') as readonly DaemonSet[]
    const existing = daemonSets.flatMap((daemonSet, index) => existingOf(daemonSet, sets[index % sets.length], made))
    return [...now, ...made, ...existing]
  })

const withKernel = (node: Node, kernel: string | undefined): Node =>
  kernel === undefined
    ? node
    : { ...node, status: { ...node.status, nodeInfo: { ...node.status?.nodeInfo, kernelVersion: kernel } } }

function existingOf(
  daemonSet: DaemonSet,
  choice: Chosen<typeof setChoice> | undefined,
  nodes: readonly KubeObject[],
): readonly KubeObject[] {
  if (choice === undefined) return []
  const uid = `uid-${daemonSet.metadata.name}`
  const [owner] = daemonSet.metadata.ownerReferences ?? []
  const { ownerReferences: _, ...metadata } = daemonSet.metadata
  const references =
    choice.owner === 'nobody' || owner === undefined
      ? {}
      : { ownerReferences: [choice.owner === 'left' ? { ...owner, uid: 'uid-of-a-deleted-module' } : owner] }
  // The uid of the Module is part of the name.
  const name = choice.owner === 'left' ? `${metadata.name}-left` : metadata.name
  const seen: DaemonSet = {
    ...daemonSet,
    metadata: { ...metadata, ...references, name, uid, generation: choice.generation, creationTimestamp: atStart },
    status: {
      observedGeneration: choice.stale ? choice.generation - 1 : choice.generation,
      desiredNumberScheduled: choice.served,
      numberReady: choice.served,
      numberAvailable: choice.served,
    },
  }
  const pods = nodes.slice(0, choice.served + 1).map((node, index) => podOf(seen, node.metadata.name, choice.pods[index]))
  // Without it they are pods of a DaemonSet that was deleted.
  return choice.there ? [seen, ...pods] : pods
}

function podOf(daemonSet: DaemonSet, node: string, choice: Chosen<typeof podChoice> | undefined): Pod {
  const { state = 'serving', outdated = false, adopted = false } = choice ?? {}
  const template = daemonSet.spec?.template?.metadata
  const isLoader = template?.annotations !== undefined
  const inputs = Object.values(template?.annotations ?? {})[0] ?? 'none'
  const isGone = state === 'ending' || state === 'held' || state === 'unloaded'
  const said = state === 'held' ? 'unload failed' : state === 'unloaded' ? 'unloaded' : undefined
  const ended = said === undefined ? {} : { state: { terminated: { exitCode: 137, message: `kmm ${said} boot-1\nwords` } } }
  const waiting = state === 'failed' ? 'CrashLoopBackOff' : state === 'unpullable' ? 'ErrImagePull' : 'ContainerCreating'
  const container =
    state === 'serving' || state === 'ending' ? {} : said === undefined ? { state: { waiting: { reason: waiting } } } : ended
  const [namespace = '', module = ''] = [daemonSet.metadata.namespace, Object.values(template?.labels ?? {}).at(-1)]
  const pod = aPod({
    name: `${daemonSet.metadata.name}-${node}`,
    namespace,
    module,
    node,
    operand: isLoader ? 'loader' : 'plugin',
    owner: daemonSet.metadata.uid ?? '',
    inputs: adopted || !isLoader ? null : outdated ? 'older' : inputs,
    image: daemonSet.spec?.template?.spec?.containers?.[0]?.image ?? '',
    ready: state === 'serving' || state === 'ending',
    container,
    ...(isGone ? { deleted: '2026-01-01T00:30:00Z' } : {}),
  })
  return { ...pod, metadata: { ...pod.metadata, labels: template?.labels ?? {} } }
}
