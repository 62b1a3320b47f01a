// Why is a driver not on a node? Walks the chain of links from the Module to the node and stops at the first that does not hold. The
// reason is the planners' own, so that it is the same as in the status.
import type { Node } from '../cluster.ts'
import type { Look, PlanContext } from '../controller.ts'
import { noPods, podsByNode } from '../module/node-pods.ts'
import { type Survey, surveyModule } from '../module/plan.ts'
import { observeModule, type SeenModule } from '../module/seen-module.ts'
import { keyOf, parseKey } from '../object.ts'
import type { Problem } from '../problem.ts'
import { modules, nodes } from '../resources.ts'
import { type Facts, missingPairs } from './facts.ts'
import { findings } from './findings.ts'
import { missingBehindDriver, missingPod } from './gaps.ts'
import { type Break, breakOf, type Link, type LinkName, linkNames } from './link.ts'
import { moduleRows, type NodeRow } from './node-row.ts'

export type Chain = {
  readonly node: string
  /** Up to the first link that does not hold. */
  readonly links: readonly Link[]
  /** Absent where the driver is loaded, and its device plugin runs. */
  readonly break?: Break
  /** The Module is not meant for this node: a taint, or its selector. */
  readonly meant: 'yes' | 'no'
}

export type Explanation = {
  readonly module: string
  /** One for each node that was asked for, or that the Module selects. */
  readonly chains: readonly Chain[]
  /** Why there is no chain: no Module, no node. */
  readonly break?: Break & { readonly evidence: readonly string[] }
  /** Of the Module and its kernels, whatever nodes have them. */
  readonly problems: readonly Problem[]
  /** Loaders on nodes that the Module does not select. */
  readonly left: readonly NodeRow[]
}

/** `node`: only this one, whether it is selected or not; undefined: all that the Module selects. */
export function explain(look: Look, key: string, node: string | undefined, context: PlanContext): Explanation {
  const seen = observeModule(look, key)
  const { module } = seen
  const left = moduleRows(look, key, context).rows.filter(row => row.selected !== 'yes' && (node ?? row.node) === row.node)
  if (module === undefined) return { module: key, chains: [], break: noModule(look, key), problems: [], left }
  const survey = surveyModule(seen, module, context)
  const about = { module: key, problems: survey.problems, left }
  if (node !== undefined) {
    const found = look.get(nodes, node)
    if (found === undefined) return { ...about, chains: [], break: noNode(look, node) }
    return { ...about, chains: [chainOf(seen, survey, found, context)] }
  }
  if (survey.states.length === 0) return { ...about, chains: [], break: noneSelected(look, seen) }
  return { ...about, chains: survey.states.map(state => chainOf(seen, survey, state.target.node, context)) }
}

function chainOf(seen: SeenModule, survey: Survey, node: Node, context: PlanContext): Chain {
  const { module } = seen
  const name = node.metadata.name
  const state = survey.states.find(one => one.target.node.metadata.name === name)
  if (module === undefined || state === undefined) return unselected(seen, node)
  const pods = podsByNode(seen.pods).get(name) ?? noPods
  const facts: Facts = { seen, module, survey, node, state, step: survey.steps.get(state.target.kernel), pods, context }
  const found = breakFor(facts)
  const until = found === undefined ? linkNames.length : linkNames.indexOf(found.link) + 1
  const links = linkNames.slice(0, until).map(link => linkFor(link, facts, found))
  return { node: name, links, ...(found === undefined ? {} : { break: found }), meant: found?.link === 'taints' ? 'no' : 'yes' }
}

function linkFor(link: LinkName, facts: Facts, found: Break | undefined): Link {
  const { because, evidence } = findings[link](facts)
  return link === found?.link ? { link, ok: false, because: found.because, evidence } : { link, ok: true, because, evidence }
}

function breakFor(facts: Facts): Break | undefined {
  const { state, survey, seen } = facts
  const { problem: found, target } = state
  if (state.state === 'excluded') {
    const { key = '', effect = '' } = target.taint ?? {}
    return {
      link: 'taints',
      code: 'NodeTainted',
      because: `node ${target.node.metadata.name} has the taint ${key}:${effect}, which Module ${seen.key} does not tolerate`,
      todo: 'If the driver shall run there, add the toleration to spec.tolerations; else nothing.',
      passing: false,
    }
  }
  if (state.state === 'loaded' || found === undefined) return missingBehindDriver(facts)
  // What keeps a node at its old driver is what keeps the whole change.
  if (found.code === 'Outdated') return breakOf(survey.blocker ?? survey.change.stopped ?? found)
  if (found.code === 'Loading' && state.pod === undefined) return missingPod(facts)
  return breakOf(found)
}

function unselected({ key, module }: SeenModule, node: Node): Chain {
  const missing = missingPairs(module?.spec.selector ?? {}, node.metadata.labels)
  const name = node.metadata.name
  const because = `Module ${key} does not select node ${name}`
  const evidence = missing.map(([label, value]) => {
    const found = node.metadata.labels?.[label]
    return `spec.selector wants ${label}=${value}; the node has ${found === undefined ? 'no such label' : `${label}=${found}`}`
  })
  const wanted = missing.map(([label, value]) => `${label}=${value}`).join(' ')
  const todo = `If the driver shall run there: kubectl label --overwrite node ${name} ${wanted}`
  return {
    node: name,
    links: [{ link: 'selector', ok: false, because, evidence }],
    break: { link: 'selector', because, todo, passing: false },
    meant: 'no',
  }
}

function noModule(look: Look, key: string): NonNullable<Explanation['break']> {
  const { name } = parseKey(key)
  const all = look.list(modules).map(keyOf)
  const same = all.filter(other => parseKey(other).name === name)
  const listed = same.length > 0 ? same : all.slice(0, 10)
  return {
    link: 'module',
    because: `there is no Module ${key}`,
    evidence: listed.length === 0 ? ['there is no Module at all'] : listed.map(other => `there is Module ${other}`),
    todo: 'Create it, or name one that exists as NAMESPACE/NAME or with -n NAMESPACE.',
    passing: false,
  }
}

function noNode(look: Look, name: string): NonNullable<Explanation['break']> {
  const known = look.list(nodes).map(node => node.metadata.name)
  return {
    link: 'selector',
    because: `there is no node ${name}`,
    evidence: [
      known.length === 0
        ? 'no Node was seen at all'
        : `nodes: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ' ...' : ''}`,
    ],
    todo: 'Name a node as `kubectl get nodes` lists it.',
    passing: false,
  }
}

function noneSelected(look: Look, { key, module }: SeenModule): NonNullable<Explanation['break']> {
  const all = look.list(nodes)
  const selector = module?.spec.selector ?? {}
  const wanted = Object.entries(selector).map(([label, value]) => `${label}=${value}`)
  return {
    link: 'selector',
    because: `Module ${key} selects no node`,
    evidence: [
      `${all.length} nodes were seen`,
      ...Object.entries(selector).map(
        ([label, value]) =>
          `${all.filter(node => node.metadata.labels?.[label] === value).length} of them have ${label}=${value}`,
      ),
    ],
    todo:
      all.length === 0
        ? 'There has to be a node first; where files were read, add the nodes to them.'
        : `Label the nodes that shall have it: kubectl label node NODE ${wanted.join(' ')}`,
    passing: false,
  }
}
