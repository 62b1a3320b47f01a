// What happened to one Module on one node, as sentences in the order of a recorded watch; and a Module with a device plugin to tell it of.
import type { Module } from '../../src/api/module.ts'
import { isPodReady, type Node, type Pod } from '../../src/core/cluster.ts'
import { loaderVersionLabel, pluginReadyLabel, pluginVersionLabel, readyLabel, userVersionLabel } from '../../src/core/names.ts'
import { isDeleting, moduleKeyOf, operandOf } from '../../src/core/operands.ts'
import type { Recorded } from './recorded.ts'

export const namespace = 'drivers'

export type ModuleOptions = {
  readonly image: string
  readonly version?: string
  readonly plugin?: 'with plugin'
  readonly maxUnavailable?: number
}

/** Selects the nodes with the label `pool=NAME`. */
export function driverModule(name: string, { image, version, plugin, maxUnavailable }: ModuleOptions): Module {
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name, namespace },
    spec: {
      selector: { pool: name },
      moduleLoader: {
        ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
        container: {
          ...(version === undefined ? {} : { version }),
          modprobe: { moduleName: `${name}_mod` },
          kernelMappings: [{ regexp: '^.+$', containerImage: `registry.example.com/${name}:${image}` }],
        },
      },
      ...(plugin === undefined ? {} : { devicePlugin: { container: { image: `registry.example.com/${name}-plugin:1` } } }),
    },
  }
}

/** `VERSION of the user`, `loader VERSION`, `plugin VERSION`, `ready`, `plugin ready`: those that the Node carries. */
function labelsOf(node: Node, module: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const keys = {
    'version label': userVersionLabel(namespace, module),
    'loader label': loaderVersionLabel(namespace, module),
    'plugin label': pluginVersionLabel(namespace, module),
    'ready label': readyLabel(namespace, module),
    'plugin ready label': pluginReadyLabel(namespace, module),
  }
  for (const [word, key] of Object.entries(keys)) {
    const value = node.metadata.labels?.[key]
    if (value !== undefined) found.set(word, value)
  }
  return found
}

const versionOf = (pod: Pod, module: string): string =>
  pod.metadata.labels?.[loaderVersionLabel(namespace, module)] ??
  pod.metadata.labels?.[pluginVersionLabel(namespace, module)] ??
  ''

/** `loader v1 is ready`, `loader v1 ends`, `loader v1 is gone`. */
function podSentence(module: string, old: Pod | undefined, { type, object }: Recorded): string | undefined {
  const pod = object as Pod
  const who = `${operandOf(pod)} ${versionOf(pod, module)}`.trim()
  if (type === 'DELETED') return `${who} is gone`
  if (isDeleting(pod)) return old !== undefined && !isDeleting(old) ? `${who} ends` : undefined
  return isPodReady(pod) && !(old !== undefined && isPodReady(old)) ? `${who} is ready` : undefined
}

function labelSentences(module: string, old: Node | undefined, node: Node): readonly string[] {
  const [before, after] = [old === undefined ? new Map<string, string>() : labelsOf(old, module), labelsOf(node, module)]
  const words = [...new Set([...before.keys(), ...after.keys()])]
  return words.flatMap(word => {
    const [was, is] = [before.get(word), after.get(word)]
    if (was === is) return []
    return is === undefined ? `${word} is removed` : `${word} is set${is === '' ? '' : ` to ${is}`}`
  })
}

/** Of the changes after revision `since`. */
export function storyOf(changes: readonly Recorded[], node: string, module: string, since = 0): readonly string[] {
  const before = new Map<string, Recorded['object']>()
  return changes.flatMap(change => {
    const { kind, object, at } = change
    const isOurs =
      kind === 'Node'
        ? object.metadata.name === node
        : kind === 'Pod' && (object as Pod).spec?.nodeName === node && moduleKeyOf(object) === `${namespace}/${module}`
    if (!isOurs) return []
    const id = `${kind} ${object.metadata.uid ?? ''}`
    const old = before.get(id)
    before.set(id, object)
    if (at <= since) return []
    if (kind === 'Node') return labelSentences(module, old, object)
    const sentence = podSentence(module, old, change)
    return sentence === undefined ? [] : [sentence]
  })
}

/** Which of the steps are not in the story, or not after the one before them. Other sentences may stand between. */
export function outOfOrder(story: readonly string[], steps: readonly string[]): readonly string[] {
  let from = 0
  return steps.flatMap(step => {
    const index = story.indexOf(step, from)
    if (index < 0) return [`"${step}" ${story.includes(step) ? 'came too early' : 'never came'}`]
    from = index + 1
    return []
  })
}
