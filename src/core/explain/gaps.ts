// What planners need not tell, because the next step is the operator's or the cluster's own, but what a person who waits wants to know:
// a label, a DaemonSet or a pod that is not there yet, a ready label or a device plugin that lags behind its driver.
import { kernelLabelValue } from '../kernel/version.ts'
import { pluginOf, versionOf } from '../module/kernels.ts'
import { labels, loaderVersionLabel, pluginReadyLabel, readyLabel } from '../names.ts'
import { isDeleting, isServing } from '../operands.ts'
import { type Facts, isOf, missingPairs, operatorTodo, pairs } from './facts.ts'
import { type Break, breakOf } from './link.ts'

/** The first thing that keeps a loader pod from the node, where no problem says why there is none. */
export function missingPod(facts: Facts): Break {
  const { step, node, module, seen } = facts
  const name = node.metadata.name
  const { kernel } = facts.state.target
  const value = kernelLabelValue(kernel)
  const operators = { todo: operatorTodo(facts), passing: true }
  if (kernel === '')
    return {
      link: 'kernel',
      because: `node ${name} has not reported its kernel`,
      todo: 'See whether the kubelet of the node runs.',
      passing: true,
    }
  const daemonSet = step?.daemonSet
  if (daemonSet === undefined)
    return { link: 'DaemonSet', because: `Module ${seen.key} has no DaemonSet for kernel ${kernel} yet`, ...operators }
  if (node.metadata.labels?.[labels.kernel] !== value)
    return {
      link: 'kernel',
      because: `node ${name} lacks the label ${labels.kernel}=${value}, by which its driver is chosen`,
      ...operators,
    }
  const version = versionOf(module)
  const versionLabel = loaderVersionLabel(module.metadata.namespace ?? '', module.metadata.name)
  if (version !== '' && node.metadata.labels?.[versionLabel] !== version)
    return {
      link: 'version label',
      because: `node ${name} lacks the label ${versionLabel}=${version}, which lets the driver in`,
      ...operators,
    }
  const missing = missingPairs(daemonSet.spec?.template?.spec?.nodeSelector ?? {}, node.metadata.labels)
  if (missing.length > 0) {
    const lacking = pairs(Object.fromEntries(missing))
    return {
      link: 'DaemonSet',
      because: `DaemonSet ${daemonSet.metadata.name} wants labels that node ${name} lacks: ${lacking}`,
      ...operators,
    }
  }
  return {
    link: 'pod',
    because: `DaemonSet ${daemonSet.metadata.name} has no pod on node ${name} yet`,
    todo: `Wait a moment: the DaemonSet controller of the cluster makes it. If it stays: kubectl -n ${module.metadata.namespace ?? ''} describe daemonset ${daemonSet.metadata.name}`,
    passing: true,
  }
}

/** What lags behind a driver that is loaded; undefined where nothing does. */
export function missingBehindDriver(facts: Facts): Break | undefined {
  const { node, module } = facts
  const { namespace = '', name } = module.metadata
  const label = readyLabel(namespace, name)
  if (node.metadata.labels?.[label] === undefined) {
    const because = `the driver is loaded, but node ${node.metadata.name} lacks the label ${label}`
    return { link: 'ready label', because, todo: operatorTodo(facts), passing: true }
  }
  return module.spec.devicePlugin === undefined ? undefined : missingPlugin(facts)
}

function missingPlugin(facts: Facts): Break | undefined {
  const { node, module, seen, pods, state, survey } = facts
  // Of a loaded driver that is all there is to tell.
  if (state.problem !== undefined) return breakOf(state.problem)
  const { namespace = '', name } = module.metadata
  const here = `on node ${node.metadata.name}`
  const link = 'device plugin' as const
  const daemonSet = pluginOf(seen, module)
  if (daemonSet === undefined && survey.blocker !== undefined) return breakOf(survey.blocker)
  if (daemonSet === undefined)
    return {
      link,
      because: `Module ${seen.key} has no DaemonSet for its device plugin yet`,
      todo: operatorTodo(facts),
      passing: true,
    }
  const pod = pods.plugins.find(one => isOf(daemonSet, one) && !isDeleting(one))
  const ending = pods.plugins.find(isDeleting)
  if (pod === undefined && ending !== undefined) {
    const because = `pod ${ending.metadata.name} of the device plugin is ending ${here}`
    return { link, because, todo: 'Nothing, unless it takes long: then see what keeps the pod from ending.', passing: true }
  }
  if (pod === undefined) {
    const missing = missingPairs(daemonSet.spec?.template?.spec?.nodeSelector ?? {}, node.metadata.labels)
    if (missing.length > 0) {
      const because = `the device plugin does not run ${here}, which lacks ${pairs(Object.fromEntries(missing))}`
      return { link, because, todo: operatorTodo(facts), passing: true }
    }
    return {
      link,
      because: `DaemonSet ${daemonSet.metadata.name} has no pod of the device plugin ${here} yet`,
      todo: `If it stays: kubectl -n ${namespace} describe daemonset ${daemonSet.metadata.name}`,
      passing: true,
    }
  }
  if (!isServing(pod)) {
    return {
      link,
      because: `pod ${pod.metadata.name} of the device plugin is not ready ${here} yet`,
      todo: `See what it says: kubectl -n ${namespace} describe pod ${pod.metadata.name}; kubectl -n ${namespace} logs ${pod.metadata.name}`,
      passing: true,
    }
  }
  const label = pluginReadyLabel(namespace, name)
  if (node.metadata.labels?.[label] !== undefined) return undefined
  return {
    link,
    because: `the device plugin runs, but node ${node.metadata.name} lacks the label ${label}`,
    todo: operatorTodo(facts),
    passing: true,
  }
}
