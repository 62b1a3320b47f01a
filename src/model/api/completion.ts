// What the server fills into objects of built-in kinds, what it adds by itself, and what else it checks.
// Source: kubernetes, pkg/apis/{core,apps,batch}/v1/defaults.go and the strategies in pkg/registry.
import type { KubeObject } from '../../core/object.ts'
import { invalidValue, notSupported, required } from './errors.ts'
import { isEqual, isJson, jsonOf, listOf, textOf, valueAt, withField, withPath } from './json.ts'
import { labelProblems } from './metadata.ts'
import { completePodSpec, inField, quantities, withDefaults, withoutZero } from './pod-defaults.ts'
import type { FieldProblem, Json } from './types.ts'

const spec = (object: KubeObject): Json => jsonOf(valueAt(object, ['spec']))
const inSpec = (object: KubeObject, old: KubeObject | undefined, change: (spec: Json) => Json): KubeObject =>
  old !== undefined && valueAt(old, ['spec']) === valueAt(object, ['spec'])
    ? object
    : withField(object, 'spec', change(spec(object)))

const templateSpec = (value: Json): Json =>
  inField(value, 'template', template => withField(template, 'spec', completePodSpec(jsonOf(template['spec']))))

const rolling = (value: Json, field: string, defaults: Json): Json => {
  const strategy = withDefaults(jsonOf(value[field]), { type: 'RollingUpdate' })
  const full =
    strategy['type'] === 'RollingUpdate'
      ? withField(strategy, 'rollingUpdate', withDefaults(jsonOf(strategy['rollingUpdate']), defaults))
      : strategy
  return withField(value, field, full)
}

const completeDaemonSet = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(
      rolling(templateSpec(withoutZero(value, ['minReadySeconds'])), 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 }),
      {
        revisionHistoryLimit: 10,
      },
    ),
  )

/** The template's own count, which an older API version had as a field: kept by the server, whatever is sent. */
const templateGeneration = 'deprecated.daemonset.template.generation'

export const countTemplates = (object: KubeObject, old: KubeObject | undefined, source: 'sent' | 'merged') => {
  const full = completeDaemonSet(object, old)
  if (source === 'merged' || full.metadata.annotations?.[templateGeneration] !== undefined) return full
  return withPath(full, ['metadata', 'annotations', templateGeneration], () => '0')
}

export function prepareDaemonSet(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const before = Number(old?.metadata.annotations?.[templateGeneration] ?? 0)
  const isSame = old !== undefined && isEqual(valueAt(old, ['spec', 'template']), valueAt(object, ['spec', 'template']))
  return withPath(object, ['metadata', 'annotations', templateGeneration], () => String(isSame ? before : before + 1))
}

export const completeDeployment = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(rolling(templateSpec(value), 'strategy', { maxUnavailable: '25%', maxSurge: '25%' }), {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    }),
  )

export function completeJob(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const labels = valueAt(object, ['spec', 'template', 'metadata', 'labels'])
  const labelled =
    isJson(labels) && Object.keys(object.metadata.labels ?? {}).length === 0
      ? withPath(object, ['metadata', 'labels'], () => labels)
      : object
  return inSpec(labelled, old, value =>
    withDefaults(templateSpec(value), {
      ...(value['parallelism'] === undefined ? { completions: 1 } : {}),
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
    }),
  )
}

/** A Job's pods carry its uid, and its selector names it. Source: kubernetes, pkg/registry/batch/job/strategy.go. */
export function prepareJob(object: KubeObject, old: KubeObject | undefined): KubeObject {
  if (old !== undefined || spec(object)['manualSelector'] === true) return object
  const { uid = '', name } = object.metadata
  const labels = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  const own = valueAt(object, ['spec', 'template', 'metadata', 'labels'])
  const all = { ...jsonOf(own), ...labels }
  // Labels of a Job that were taken from its template are the template's, also after this.
  const shared =
    own !== undefined && isEqual(object.metadata.labels, own) ? withPath(object, ['metadata', 'labels'], () => all) : object
  const labelled = withPath(shared, ['spec', 'template', 'metadata', 'labels'], () => all)
  return withPath(labelled, ['spec', 'selector'], () => ({ matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }))
}

export const completeNamespace = (object: KubeObject) =>
  object.metadata.name === undefined
    ? object
    : withPath(object, ['metadata', 'labels', 'kubernetes.io/metadata.name'], () => object.metadata.name)

export const prepareNamespace = (object: KubeObject, old: KubeObject | undefined) =>
  old === undefined ? { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } } : object

export function completeNode(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const node = withField(object, 'spec', withoutZero(spec(object), ['unschedulable']))
  const status = valueAt(node, ['status'])
  if (!isJson(status) || (old !== undefined && valueAt(old, ['status']) === status)) return node
  const exact = ['capacity', 'allocatable'].reduce((value, field) => inField(value, field, quantities), status)
  return withField(
    node,
    'status',
    exact['capacity'] === undefined ? exact : withDefaults(exact, { allocatable: exact['capacity'] }),
  )
}

export const completeQuota = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value => inField(value, 'hard', quantities))

/** A Node that has told nothing of itself yet. */
const unknownNode: Json = {
  daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  nodeInfo: {
    architecture: '',
    bootID: '',
    containerRuntimeVersion: '',
    kernelVersion: '',
    kubeProxyVersion: '',
    kubeletVersion: '',
    machineID: '',
    operatingSystem: '',
    osImage: '',
    systemUUID: '',
  },
}

export const prepareNode = (object: KubeObject, old: KubeObject | undefined) =>
  old === undefined ? withField(object, 'status', withDefaults(jsonOf(valueAt(object, ['status'])), unknownNode)) : object

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function taintProblems(object: KubeObject): readonly FieldProblem[] {
  return listOf(spec(object)['taints']).flatMap((item, index) => {
    const taint = jsonOf(item)
    const path = `metadata.taints[${index}]`
    const effect = textOf(taint['effect'])
    return [
      ...labelProblems({ [textOf(taint['key'])]: textOf(taint['value']) }, path),
      ...(effect === '' ? [required(`${path}.effect`)] : []),
      ...(effect === '' || taintEffects.includes(effect) ? [] : [notSupported(`${path}.effect`, effect, taintEffects)]),
    ]
  })
}

export const preparePod = (object: KubeObject, old: KubeObject | undefined) =>
  old === undefined && valueAt(object, ['status', 'phase']) === undefined
    ? withField(object, 'status', { ...jsonOf(valueAt(object, ['status'])), phase: 'Pending' })
    : object

/** Asked, else the pod's own period; an unscheduled or finished pod goes at once. Source: pkg/registry/core/pod/strategy.go. */
export function podGraceSeconds(pod: KubeObject, asked: number | undefined): number {
  const { nodeName, terminationGracePeriodSeconds } = spec(pod)
  if (textOf(nodeName) === '') return 0
  if (['Failed', 'Succeeded'].includes(textOf(valueAt(pod, ['status', 'phase'])))) return 0
  const period = asked ?? (typeof terminationGracePeriodSeconds === 'number' ? terminationGracePeriodSeconds : 0)
  return period < 0 ? 1 : period
}

/** stringData is written into data and never read back. */
export function completeSecret(object: KubeObject): KubeObject {
  const stringData = valueAt(object, ['stringData'])
  const typed = withDefaults(object as KubeObject & Json, { type: 'Opaque' })
  if (!isJson(stringData)) return typed
  const encoded = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
  )
  return withField(withField(typed, 'data', { ...jsonOf(valueAt(object, ['data'])), ...encoded }), 'stringData', undefined)
}

export const secretProblems = (object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] =>
  old !== undefined && valueAt(old, ['type']) !== valueAt(object, ['type'])
    ? [invalidValue('type', valueAt(object, ['type']), 'field is immutable')]
    : []

export const completeService = (object: KubeObject, old: KubeObject | undefined) =>
  inSpec(object, old, value =>
    withDefaults(value, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' }),
  )
