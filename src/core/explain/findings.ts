// Each link of the chain in words, as it was seen on one node, whether it holds or not.

import { compileGoRegexp, printPattern } from '../kernel/regexp.ts'
import { pluginOf, versionOf } from '../module/kernels.ts'
import { judgeModule } from '../module/rules.ts'
import { labels, loaderVersionLabel, pluginReadyLabel, pluginVersionLabel, readyLabel, userVersionLabel } from '../names.ts'
import { isDeleting } from '../operands.ts'
import {
  daemonSetLines,
  eventLines,
  type Facts,
  type Finding,
  hookLines,
  imageOf,
  isOf,
  labelLine,
  pairs,
  podLines,
} from './facts.ts'
import type { LinkName } from './link.ts'

export const findings: Readonly<Record<LinkName, (facts: Facts) => Finding>> = {
  module: ({ seen, module, survey }) => {
    const version = versionOf(module)
    return {
      because: survey.blocker?.message ?? `Module ${seen.key} exists and breaks no rule`,
      evidence: [
        ...(version === '' ? [] : [`version ${version}`]),
        ...judgeModule(module).errors.map(({ path, message }) => `${path}: ${message}`),
        ...(module.metadata.deletionTimestamp === undefined
          ? []
          : [`it is being deleted since ${module.metadata.deletionTimestamp}`]),
      ],
    }
  },
  selector: ({ module, node }) => ({
    because: `node ${node.metadata.name} has the labels of the selector`,
    evidence: [`spec.selector: ${pairs(module.spec.selector)}`],
  }),
  'old driver': ({ pods, node, seen, state, step }) => {
    const old = pods.loaders.filter(pod => isDeleting(pod) || (pod !== state.pod && !isOf(step?.daemonSet, pod)))
    const there = old.length === 0 ? 'no loader of before is' : 'a loader of before is'
    return {
      because: `${there} on node ${node.metadata.name}`,
      evidence: [
        ...old.flatMap(pod => [...podLines(pod), ...hookLines(pod), ...eventLines(seen.eventsOf(pod.metadata.uid))]),
        ...(old.length === 0 ? [] : pods.plugins.map(pod => `device-plugin pod ${pod.metadata.name} is on the node`)),
      ],
    }
  },
  taints: ({ module, node }) => {
    const taints = (node.spec?.taints ?? []).map(({ key, value, effect }) => `taint ${key}${value ? `=${value}` : ''}:${effect}`)
    const tolerations = module.spec.tolerations ?? []
    return {
      because:
        taints.length === 0
          ? `node ${node.metadata.name} has no taint`
          : `no taint of node ${node.metadata.name} keeps the driver away`,
      evidence: [...taints, ...(tolerations.length === 0 ? [] : [`spec.tolerations: ${JSON.stringify(tolerations)}`])],
    }
  },
  node: ({ node }) => {
    const ready = node.status?.conditions?.find(condition => condition.type === 'Ready')
    return {
      because: `node ${node.metadata.name} is ready`,
      evidence: [`condition Ready=${ready?.status ?? 'missing'} since ${ready?.lastTransitionTime ?? 'an unknown time'}`],
    }
  },
  kernel: ({ node, state }) => ({
    because: `node ${node.metadata.name} runs kernel ${state.target.kernel}`,
    evidence: [`nodeInfo.kernelVersion: ${state.target.kernel || '(not reported)'}`, labelLine(node, labels.kernel)],
  }),
  mapping: facts => ({
    because: facts.step?.spec?.because ?? `a kernel mapping fits kernel ${facts.state.target.kernel}`,
    evidence: facts.step?.spec === undefined ? mappingLines(facts) : [],
  }),
  image: ({ step, seen, module }) => {
    const image = step?.spec?.image ?? step?.problem?.image ?? imageOf(step?.daemonSet?.spec?.template)
    const secret = module.spec.imageRepoSecret?.name
    const told = seen.module?.status?.kernels?.find(entry => entry.kernel === step?.kernel)
    return {
      because: `the driver is in image ${image}`,
      evidence: [
        ...(secret === undefined ? [] : [`pulled with secret ${secret}`]),
        ...(told?.message === undefined ? [] : [`the operator said: ${told.reason}: ${told.message}`]),
      ],
    }
  },
  build: ({ step }) => {
    const { build, sign } = step?.spec ?? {}
    if (build === undefined && sign === undefined)
      return { because: 'nothing is built or signed for this kernel: the nodes pull the image', evidence: [] }
    return {
      because: 'the image is there, so nothing has to be built or signed',
      evidence: [
        ...(build === undefined ? [] : [`build: Dockerfile in ConfigMap ${build.dockerfileConfigMap?.name ?? '(none)'}`]),
        ...(sign === undefined
          ? []
          : [`sign: key in Secret ${sign.keySecret.name}, certificate in Secret ${sign.certSecret.name}`]),
      ],
    }
  },
  DaemonSet: ({ step, seen }) => ({
    because:
      step?.daemonSet === undefined
        ? 'there is no DaemonSet for this kernel'
        : `DaemonSet ${step.daemonSet.metadata.name} loads the driver`,
    evidence:
      step?.daemonSet === undefined
        ? seen.leftDaemonSets.map(left => `DaemonSet ${left.metadata.name} of a deleted Module is still there`)
        : [...daemonSetLines(step.daemonSet), ...eventLines(seen.eventsOf(step.daemonSet.metadata.uid))],
  }),
  'version label': ({ module, node }) => {
    const version = versionOf(module)
    if (version === '') return { because: 'the Module has no version, so no label is needed', evidence: [] }
    const { namespace = '', name } = module.metadata
    const keys = [userVersionLabel(namespace, name), loaderVersionLabel(namespace, name), pluginVersionLabel(namespace, name)]
    return {
      because: `node ${node.metadata.name} asks for version ${version}`,
      evidence: [`spec.moduleLoader.container.version: ${version}`, ...keys.map(key => labelLine(node, key))],
    }
  },
  pod: ({ state, seen, node }) => ({
    because:
      state.pod === undefined
        ? `there is no loader pod on node ${node.metadata.name}`
        : `loader pod ${state.pod.metadata.name} is on the node`,
    evidence: state.pod === undefined ? [] : [...podLines(state.pod), ...eventLines(seen.eventsOf(state.pod.metadata.uid))],
  }),
  rollout: ({ state, step, survey, module }) => ({
    because: 'the loader is of the present form of the Module',
    evidence: [
      `image of the pod: ${imageOf(state.pod)}`,
      `image of the Module: ${step?.spec?.image ?? imageOf(step?.daemonSet?.spec?.template)}`,
      `spec.moduleLoader.maxUnavailable: ${module.spec.moduleLoader.maxUnavailable}`,
      `nodes with the driver from before: ${survey.states.filter(other => other.problem?.code === 'Outdated').length}`,
    ],
  }),
  driver: ({ state, node }) => ({
    because: `the driver is loaded on node ${node.metadata.name}`,
    evidence: state.pod === undefined ? [] : [...podLines(state.pod), ...hookLines(state.pod)],
  }),
  'ready label': ({ module, node }) => ({
    because: `node ${node.metadata.name} has the ready label`,
    evidence: [labelLine(node, readyLabel(module.metadata.namespace ?? '', module.metadata.name))],
  }),
  'device plugin': ({ module, node, pods, seen }) => {
    if (module.spec.devicePlugin === undefined) return { because: 'the Module has no device plugin', evidence: [] }
    return {
      because: `the device plugin runs on node ${node.metadata.name}`,
      evidence: [
        ...pods.plugins.flatMap(pod => [...podLines(pod), ...eventLines(seen.eventsOf(pod.metadata.uid))]),
        ...eventLines(seen.eventsOf(pluginOf(seen, module)?.metadata.uid)),
        labelLine(node, pluginReadyLabel(module.metadata.namespace ?? '', module.metadata.name)),
      ],
    }
  },
}

/** Why no mapping fits, one line for each pattern. */
function mappingLines({ module, state }: Facts): readonly string[] {
  const { kernel } = state.target
  return module.spec.moduleLoader.container.kernelMappings.flatMap(({ literal = '', regexp = '' }, index) => {
    const place = `kernelMappings[${index}]`
    const pattern = regexp === '' ? undefined : compileGoRegexp(regexp)
    return [
      ...(literal === '' ? [] : [`${place}: literal ${JSON.stringify(literal)} is ${literal === kernel ? '' : 'not '}${kernel}`]),
      ...(pattern === undefined ? [] : [`${place}: regexp ${printPattern(regexp)} ${verdictOf(pattern, kernel)}`]),
    ]
  })
}

const verdictOf = (pattern: ReturnType<typeof compileGoRegexp>, kernel: string): string => {
  if ('error' in pattern) return `is not valid: ${pattern.error}`
  return `${pattern.matches(kernel) ? 'matches' : 'does not match'} ${kernel}`
}
