import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { Module } from '../../../src/api/module.ts'
import { type DaemonSet, isNodeReady, kernelOf, type Node, type Pod } from '../../../src/core/cluster.ts'
import type { Look } from '../../../src/core/controller.ts'
import { excludedNodesOf } from '../../../src/core/excluded-nodes.ts'
import { kernelLabelValue } from '../../../src/core/kernel/version.ts'
import { labels, loaderVersionLabel, pluginVersionLabel, podFinalizer } from '../../../src/core/names.ts'
import { type KubeObject, keyOf } from '../../../src/core/object.ts'
import {
  isDeleting,
  isOutdated,
  isServing,
  moduleKeyOf,
  operandOf,
  ownerUidOf,
  podsByModule,
} from '../../../src/core/operands.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { daemonSets, modules, nodes, pods } from '../../../src/core/resources.ts'
import { matchesLabels } from '../../../src/core/selectors.ts'
import { blockingTaint } from '../../../src/core/tolerations.ts'
import { isAbout, settle } from './on-paper.ts'
import { lookAt, type PlanOfKey, plansOf, worlds } from './world.ts'

const runs = { numRuns: 300 }

type Case = { readonly look: Look; readonly plans: readonly PlanOfKey[]; readonly objects: readonly KubeObject[] }

/** Checks every plan of random worlds. The input is frozen, so a planner that writes to it throws. */
const always = (check: (found: Case) => void) =>
  fc.assert(
    fc.property(worlds, objects => {
      const look = lookAt(objects)
      check({ look, plans: plansOf(look), objects })
    }),
    runs,
  )

const ofModules = ({ plans, look }: Case) =>
  plans.flatMap(({ controller, key, plan }) => {
    const module = look.get(modules, key) as Module | undefined
    return controller === 'Module' && module !== undefined ? [{ key, plan, module }] : []
  })

const selected = (look: Look, module: Module): readonly Node[] =>
  (look.list(nodes) as readonly Node[]).filter(node => matchesLabels(module.spec.selector, node.metadata.labels))

const setsOf = (look: Look, module: Module): readonly DaemonSet[] =>
  (look.list(daemonSets) as readonly DaemonSet[]).filter(
    set =>
      set.metadata.namespace === module.metadata.namespace && set.metadata.labels?.[labels.moduleName] === module.metadata.name,
  )

const versionOf = (set: DaemonSet, { metadata }: Module): string => {
  const label = operandOf(set) === 'loader' ? loaderVersionLabel : pluginVersionLabel
  return set.metadata.labels?.[label(metadata.namespace ?? '', metadata.name)] ?? ''
}

const wantedVersion = (module: Module): string => module.spec.moduleLoader.container.version ?? ''

describe('in every world', () => {
  it('no loader DaemonSet goes while a selected node runs its kernel, but one of a replaced version that serves nobody', () =>
    always(found => {
      for (const { plan, module } of ofModules(found)) {
        const running = selected(found.look, module).map(node => kernelLabelValue(kernelOf(node)))
        for (const set of setsOf(found.look, module)) {
          if (operandOf(set) !== 'loader' || !plan.remove.some(removal => isAbout(removal, set))) continue
          const isReplaced = versionOf(set, module) !== wantedVersion(module) && set.status?.desiredNumberScheduled === 0
          assert.ok(isReplaced || !running.includes(set.metadata.labels?.[labels.kernel] ?? ''), keyOf(set))
          assert.ok(isReplaced || !running.includes(''), 'a node has not said which kernel it runs')
        }
      }
    }))

  it('every DaemonSet of a Module is stated, removed with a reason, or kept for a reason that is told', () =>
    always(found => {
      for (const { plan, module } of ofModules(found)) {
        for (const set of setsOf(found.look, module)) {
          const isStated = plan.apply.some(object => keyOf(object) === keyOf(set))
          const removal = plan.remove.find(one => isAbout(one, set))
          if (isStated || removal !== undefined) {
            assert.ok(!isStated || removal === undefined, 'stated and removed')
            assert.ok((removal?.because ?? 'stated').length > 5)
            continue
          }
          assert.ok(isKeptForAReason(set, module, plan, found.look), keyOf(set))
        }
      }
    }))

  it('a DaemonSet of another incarnation of the Module is neither stated nor removed', () =>
    always(found => {
      for (const { plan, module } of ofModules(found)) {
        for (const set of setsOf(found.look, module)) {
          if ((ownerUidOf(set) ?? module.metadata.uid) === module.metadata.uid) continue
          assert.ok(!plan.remove.some(removal => isAbout(removal, set)), keyOf(set))
          assert.ok(!plan.apply.some(object => keyOf(object) === keyOf(set)), keyOf(set))
        }
      }
    }))

  it('only outdated loaders on nodes that are ready are left out, and at most so many serving ones as may be away', () =>
    always(found => {
      for (const { plan, module } of ofModules(found)) {
        assert.deepEqual(
          plan.remove.filter(removal => removal.object.kind === 'Pod' && removal.finalizer === undefined),
          [],
        )
        // Of a version, or none, that the Module does not have: the labels of the node say when it leaves (left-behind.ts).
        const paced = (plan.apply as readonly DaemonSet[]).filter(set => versionOf(set, module) === wantedVersion(module))
        const left = paced.flatMap(set => leftOutBy(set, found.look)).filter(({ node }) => !isOfVersions(node, module))
        const begun = left.filter(({ isNew }) => isNew)
        for (const { node, pod, daemonSet } of begun) {
          const taint = blockingTaint(node.spec?.taints ?? [], module.spec.tolerations ?? [])
          assert.ok(isNodeReady(node) && taint === undefined && isOutdated(pod, daemonSet), keyOf(pod))
        }
        const { maxUnavailable = 1 } = module.spec.moduleLoader
        const most = maxUnavailable === '50%' ? Math.ceil(selected(found.look, module).length / 2) : Number(maxUnavailable)
        const away = left.filter(({ pod, node }) => isServing(pod) && isNodeReady(node))
        assert.ok(!begun.some(({ pod }) => isServing(pod)) || away.length <= most, `${away.length} may be away`)
      }
    }))

  it('a finalizer is only taken off a deleted pod that has not said that its unload failed', () =>
    always(({ plans, look }) => {
      for (const removal of plans.flatMap(({ plan }) => plan.remove).filter(one => one.finalizer !== undefined)) {
        const pod = look.get(pods, keyOf({ metadata: removal.object })) as Pod
        assert.equal(removal.finalizer, podFinalizer)
        assert.ok(isDeleting(pod))
        const words = pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? ''
        const isAdopted = pod.metadata.annotations === undefined
        assert.ok(isAdopted || !words.startsWith('kmm unload failed'), words)
      }
    }))

  it('a paused Module states and removes nothing', () =>
    always(found => {
      for (const { plan, module } of ofModules(found)) {
        if (module.metadata.annotations === undefined) continue
        assert.deepEqual(plan.apply, [])
        assert.deepEqual(
          plan.remove.filter(removal => removal.finalizer === undefined),
          [],
        )
      }
    }))

  it('conditions say one thing: Ready, Reconciling or Stalled', () =>
    always(found => {
      for (const { plan } of ofModules(found)) {
        const { conditions = [] } = (plan.status?.object.status ?? {}) as NonNullable<Module['status']>
        const holding = conditions.filter(condition => condition.status === 'True').map(({ type }) => type)
        assert.equal(holding.length, 1, holding.join())
        for (const { reason, message } of conditions) assert.match(`${reason}: ${message}`, /^[A-Z][A-Za-z]+: .{5,}/)
      }
    }))

  it('a plan that was carried out leads to one that writes nothing', () =>
    fc.assert(
      fc.property(worlds, objects => {
        settle(objects, seen => {
          const look = lookAt(seen)
          return { look, plans: plansOf(look).map(({ plan }) => plan) }
        })
      }),
      runs,
    ))
})

/** Labels of ours for a version, on a node of a Module that has none any more. */
const isOfVersions = (node: Node, module: Module): boolean =>
  wantedVersion(module) === '' &&
  Object.keys(node.metadata.labels ?? {}).some(key => key.startsWith('beta.kmm.node.kubernetes.io/'))

/** The nodes with a live pod that the DaemonSet is to leave out, but for those that another one's pod keeps it from. */
function leftOutBy(stated: DaemonSet, look: Look) {
  const seen = look.get(daemonSets, keyOf(stated))
  if (seen === undefined || operandOf(seen) !== 'loader') return []
  const onNodes = look.by(podsByModule, moduleKeyOf(seen) ?? '') as readonly Pod[]
  return excludedNodesOf(stated).flatMap(name => {
    const loaders = onNodes.filter(pod => pod.spec?.nodeName === name && operandOf(pod) === 'loader')
    const pod = loaders.find(one => ownerUidOf(one) === seen.metadata.uid && !isDeleting(one))
    if (pod === undefined || loaders.some(one => ownerUidOf(one) !== seen.metadata.uid)) return []
    const node = look.get(nodes, name) as Node
    return [{ node, pod, daemonSet: stated, isNew: !excludedNodesOf(seen).includes(name) }]
  })
}

function isKeptForAReason(set: DaemonSet, module: Module, plan: Plan, look: Look): boolean {
  if ((ownerUidOf(set) ?? module.metadata.uid) !== module.metadata.uid) return true
  if (versionOf(set, module) !== wantedVersion(module)) return true
  const kernel = set.metadata.labels?.[labels.kernel] ?? ''
  return (
    plan.problems.some(
      problem =>
        ['Paused', 'RuleViolated'].includes(problem.code) ||
        (problem.code === 'TwinDaemonSet' && problem.message.includes(set.metadata.name)) ||
        (problem.kernel !== undefined && kernelLabelValue(problem.kernel) === kernel),
    ) || selected(look, module).some(node => kernelOf(node) === '')
  )
}
