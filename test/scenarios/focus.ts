// What a reviewer wants to see of a plan, in words: one pure function from plans to a small tree.
import type { ModuleStatus } from '../../src/api/module.ts'
import { isWritten, seenOf } from '../../src/cli/plan/report.ts'
import type { PlanOfKey } from '../../src/cli/plan/run.ts'
import type { DaemonSet, Toleration } from '../../src/core/cluster.ts'
import type { Look } from '../../src/core/controller.ts'
import { annotations } from '../../src/core/names.ts'
import { type KubeObject, keyOf, type Labels } from '../../src/core/object.ts'
import type { Plan, PlannedEvent, Removal } from '../../src/core/plan.ts'

type Tree = Readonly<Record<string, unknown>>

/** `controller key` -> what would be done and said; `nothing` where there is neither. */
export const focus = (plans: readonly PlanOfKey[], look: Look): Tree =>
  Object.fromEntries(
    plans.map(({ controller, key, plan }) => {
      const seen = focusOn(plan, look)
      return [`${controller} ${key}`, Object.keys(seen).length === 0 ? 'nothing' : seen]
    }),
  )

function focusOn(plan: Plan, look: Look): Tree {
  const sets = plan.apply.filter(object => object.kind === 'DaemonSet') as readonly DaemonSet[]
  const node = plan.apply.find(object => object.kind === 'Node')
  return present({
    asks: plan.questions.map(
      ({ ask, image, secret }) => `${ask} ${image}${secret === undefined ? '' : ` with secret ${secret}`}`,
    ),
    creates: Object.fromEntries(sets.filter(set => seenOf(set, look) === undefined).map(set => [nameOf(set), fieldsOf(set)])),
    changes: Object.fromEntries(sets.flatMap(set => changed(set, seenOf(set, look)))),
    labels: node === undefined || !isWritten(node, look) ? {} : labelChanges(node, seenOf(node, look)),
    status: plan.status === undefined ? {} : statusOf(plan.status.object.status),
    deletes: remarks(plan.remove.filter(removal => removal.finalizer === undefined)),
    releases: remarks(plan.remove.filter(removal => removal.finalizer !== undefined)),
    events: plan.events.map(printEvent),
    problems: [...new Set(plan.problems.map(({ code, kernel, node: on }) => [code, kernel, on].filter(Boolean).join(' ')))],
    looksAgain: plan.lookAgainInMs === undefined ? undefined : `in ${plan.lookAgainInMs / 1000} s`,
  })
}

/** Without what is empty. */
const present = (tree: Tree): Tree =>
  Object.fromEntries(
    Object.entries(tree).filter(([, value]) => {
      if (value === undefined || value === '') return false
      return typeof value !== 'object' || value === null || Object.keys(value).length > 0
    }),
  )

const nameOf = (object: KubeObject): string => `${object.kind} ${keyOf(object)}`
const remarks = (removals: readonly Removal[]): Tree =>
  Object.fromEntries(removals.map(({ object, because }) => [`${object.kind} ${keyOf({ metadata: object })}`, because]))
const printEvent = ({ type, reason, about, message }: PlannedEvent): string =>
  `${type} ${reason} on ${about.kind} ${about.name}: ${message}`

type PodSpec = {
  readonly nodeSelector?: Labels
  readonly serviceAccountName?: string
  readonly tolerations?: readonly Toleration[]
  readonly imagePullSecrets?: readonly { readonly name: string }[]
  readonly affinity?: unknown
  readonly shareProcessNamespace?: boolean
  readonly containers?: readonly { readonly image?: string }[]
}

const pairs = (map: Labels | undefined): string =>
  Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

/** The fields of a DaemonSet of ours that say where which driver runs as whom; all others are told by the whole plans. */
function fieldsOf({ metadata, spec }: DaemonSet): Tree {
  const { metadata: pod, spec: untyped } = spec?.template ?? {}
  const template = (untyped ?? {}) as PodSpec
  return present({
    image: template.containers?.[0]?.image,
    nodeSelector: pairs(template.nodeSelector),
    selector: pairs(spec?.selector?.matchLabels),
    labels: pairs(metadata.labels) === pairs(pod?.labels) ? pairs(pod?.labels) : [pairs(metadata.labels), pairs(pod?.labels)],
    reloadInputs: pod?.annotations?.[annotations.reloadInputs],
    finalizers: pod?.finalizers?.join(' '),
    updateStrategy: spec?.updateStrategy?.type,
    serviceAccount: template.serviceAccountName,
    pullSecrets: template.imagePullSecrets?.map(({ name }) => name).join(' '),
    tolerations: template.tolerations?.map(({ key, operator, value, effect }) =>
      [key, operator, value, effect].filter(Boolean).join(' '),
    ),
    keepsOff: [...JSON.stringify(template.affinity ?? {}).matchAll(/"key":"([^"]+)","operator":"DoesNotExist"/g)]
      .map(match => match[1])
      .join(' '),
    notOn: [...JSON.stringify(template.affinity ?? {}).matchAll(/"NotIn","values":\["([^"]+)"\]/g)]
      .map(match => match[1])
      .join(' '),
  })
}

function changed(stated: DaemonSet, seen: DaemonSet | undefined): readonly (readonly [string, Tree])[] {
  if (seen === undefined) return []
  const [before, after] = [fieldsOf(seen), fieldsOf(stated)]
  const text = (value: unknown) => (value === undefined ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value))
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(field => text(before[field]) !== text(after[field]))
    .map(field => [field, `${text(before[field])} -> ${text(after[field])}`] as const)
  return fields.length === 0 ? [] : [[nameOf(stated), Object.fromEntries(fields)]]
}

/** Only our own keys: an apply leaves the others alone. */
function labelChanges(stated: KubeObject, seen: KubeObject | undefined): readonly string[] {
  const isOwn = (key: string) => /^(beta\.)?kmm\.node\.kubernetes\.io\//.test(key) && !key.includes('/version-module.')
  const [before, after] = [seen?.metadata.labels ?? {}, stated.metadata.labels ?? {}]
  const added = Object.keys(after).filter(key => before[key] !== after[key])
  const dropped = Object.keys(before).filter(key => isOwn(key) && after[key] === undefined)
  return [...added.map(key => `+ ${key}=${after[key]}`), ...dropped.map(key => `- ${key}`)].toSorted()
}

function statusOf(status: ModuleStatus): Tree {
  const { conditions = [], kernels = [], notReadyNodes = [], moduleLoader, devicePlugin, observedGeneration } = status
  const counters = (found: typeof moduleLoader) =>
    found === undefined
      ? undefined
      : `${found.nodesMatchingSelectorNumber} matching, ${found.desiredNumber} desired, ${found.availableNumber} available`
  return present({
    ...Object.fromEntries(
      conditions.map(({ type, status: holds, reason, message, lastTransitionTime }) => [
        type,
        `${holds} ${reason} since ${lastTransitionTime}: ${message}`,
      ]),
    ),
    observedGeneration,
    moduleLoader: counters(moduleLoader),
    devicePlugin: counters(devicePlugin),
    kernels: Object.fromEntries(
      kernels.map(({ kernel, image, nodes, ready, reason, message }) => [
        kernel,
        present({ image, ready: `${ready} of ${nodes}`, reason, message }),
      ]),
    ),
    notReadyNodes: Object.fromEntries(
      notReadyNodes.map(({ name, reason, message, since }) => [name, `${reason} since ${since}: ${message}`]),
    ),
  })
}
