// What is wrong with a pod spec, a pod template or a workload, as far as operators run into it.
// Source: kubernetes, pkg/apis/core/validation and pkg/apis/apps/validation.
import type { KubeObject } from '../../core/object.ts'
import { forbiddenField, invalidValue, notSupported, quoted, required } from './errors.ts'
import { isEqual, isJson, jsonOf, listOf, textOf, valueAt, withField } from './json.ts'
import { labelProblems, nameFaults } from './metadata.ts'
import type { FieldProblem, Json } from './types.ts'

const names = (name: unknown, path: string, kind: 'label' | 'subdomain'): readonly FieldProblem[] =>
  textOf(name) === '' ? [required(path)] : nameFaults(textOf(name), kind).map(fault => invalidValue(path, name, fault))

const duplicate = (path: string, value: unknown): FieldProblem => ({
  path,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${quoted(value)}`,
})

function volumeProblems(volumes: readonly Json[], path: string): readonly FieldProblem[] {
  const seen = new Set<string>()
  return volumes.flatMap((volume, index) => {
    const name = textOf(volume['name'])
    const twice = seen.has(name) ? [duplicate(`${path}[${index}].name`, name)] : []
    seen.add(name)
    const hostPath = volume['hostPath']
    return [
      ...names(name, `${path}[${index}].name`, 'label'),
      ...twice,
      ...(Object.keys(volume).length > 2
        ? [forbiddenField(`${path}[${index}].${Object.keys(volume)[2] ?? ''}`, 'may not specify more than 1 volume type')]
        : []),
      ...(isJson(hostPath) && textOf(hostPath['path']) === '' ? [required(`${path}[${index}].hostPath.path`)] : []),
      ...(isJson(hostPath) && textOf(hostPath['path']).split('/').includes('..')
        ? [invalidValue(`${path}[${index}].hostPath.path`, hostPath['path'], "must not contain '..'")]
        : []),
    ]
  })
}

function mountProblems(container: Json, volumes: ReadonlySet<string>, path: string): readonly FieldProblem[] {
  const seen = new Set<string>()
  return listOf(container['volumeMounts']).flatMap((mount, index) => {
    const { name, mountPath } = jsonOf(mount)
    const at = `${path}.volumeMounts[${index}]`
    const twice = seen.has(textOf(mountPath)) ? [invalidValue(`${at}.mountPath`, mountPath, 'must be unique')] : []
    seen.add(textOf(mountPath))
    return [
      ...(textOf(name) === '' ? [required(`${at}.name`)] : []),
      ...(textOf(name) !== '' && !volumes.has(textOf(name))
        ? [{ path: `${at}.name`, reason: 'FieldValueNotFound', message: `Not found: ${quoted(name)}` }]
        : []),
      ...(textOf(mountPath) === '' ? [required(`${at}.mountPath`)] : []),
      ...twice,
    ]
  })
}

function variableProblems(env: Json, path: string): readonly FieldProblem[] {
  return [
    ...(textOf(env['name']) === '' ? [required(`${path}.name`)] : []),
    ...(env['valueFrom'] !== undefined && textOf(env['value']) !== ''
      ? [invalidValue(`${path}.valueFrom`, '', 'may not be specified when `value` is not empty')]
      : []),
  ]
}

function containerProblems(
  containers: readonly Json[],
  volumes: ReadonlySet<string>,
  path: string,
  taken: readonly string[] = [],
): readonly FieldProblem[] {
  const seen = new Set(taken)
  return containers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    const name = textOf(container['name'])
    const twice = seen.has(name) ? [duplicate(`${at}.name`, name)] : []
    seen.add(name)
    const image = container['image']
    return [
      ...names(name, `${at}.name`, 'label'),
      ...twice,
      ...(textOf(image) === '' ? [required(`${at}.image`)] : []),
      ...(textOf(image).trim() === image || image === undefined
        ? []
        : [invalidValue(`${at}.image`, image, 'must not have leading or trailing whitespace')]),
      ...listOf(container['env']).flatMap((env, position) => variableProblems(jsonOf(env), `${at}.env[${position}]`)),
      ...mountProblems(container, volumes, at),
    ]
  })
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function tolerationProblems(tolerations: readonly Json[], path: string): readonly FieldProblem[] {
  return tolerations.flatMap((toleration, index) => {
    const at = `${path}[${index}]`
    const operator = textOf(toleration['operator'])
    const effect = textOf(toleration['effect'])
    return [
      ...(textOf(toleration['key']) === '' && operator !== 'Exists'
        ? [
            invalidValue(
              `${at}.operator`,
              operator,
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : []),
      ...(operator === 'Exists' && textOf(toleration['value']) !== ''
        ? [invalidValue(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'")]
        : []),
      ...(['', 'Equal', 'Exists', 'Lt', 'Gt'].includes(operator)
        ? []
        : [notSupported(`${at}.operator`, operator, ['Equal', 'Exists'])]),
      ...(effect === '' || effects.includes(effect) ? [] : [notSupported(`${at}.effect`, effect, effects)]),
    ]
  })
}

export function podSpecProblems(spec: Json, path: string): readonly FieldProblem[] {
  const volumes = listOf(spec['volumes']).map(jsonOf)
  const volumeNames = new Set(volumes.map(volume => textOf(volume['name'])))
  const containers = listOf(spec['containers']).map(jsonOf)
  const policy = textOf(spec['restartPolicy'])
  return [
    ...volumeProblems(volumes, `${path}.volumes`),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containerProblems(containers, volumeNames, `${path}.containers`),
    ...containerProblems(
      listOf(spec['initContainers']).map(jsonOf),
      volumeNames,
      `${path}.initContainers`,
      containers.map(container => textOf(container['name'])),
    ),
    ...(['Always', 'OnFailure', 'Never'].includes(policy)
      ? []
      : [notSupported(`${path}.restartPolicy`, policy, ['Always', 'OnFailure', 'Never'])]),
    ...labelProblems(spec['nodeSelector'], `${path}.nodeSelector`),
    ...tolerationProblems(listOf(spec['tolerations']).map(jsonOf), `${path}.tolerations`),
  ]
}

/** Fields of a pod's spec that may change after its creation. */
const mutable = [
  'activeDeadlineSeconds',
  'tolerations',
  'terminationGracePeriodSeconds',
  'schedulingGates',
  'nodeSelector',
  'affinity',
]

export function podProblems(pod: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] {
  const spec = jsonOf(valueAt(pod, ['spec']))
  if (old === undefined) return podSpecProblems(spec, 'spec')
  const fixed = (value: Json) => {
    const bare = mutable.reduce((result, field) => withField(result, field, undefined), value)
    const images = (field: string) => listOf(bare[field]).map(item => withField(jsonOf(item), 'image', undefined))
    return { ...bare, containers: images('containers'), initContainers: images('initContainers') }
  }
  const before = jsonOf(valueAt(old, ['spec']))
  if (listOf(before['containers']).length !== listOf(spec['containers']).length) {
    return [forbiddenField('spec.containers', 'pod updates may not add or remove containers')]
  }
  if (isEqual(fixed(spec), fixed(before))) return []
  const allowed = ['`spec.containers[*].image`', '`spec.initContainers[*].image`', '`spec.activeDeadlineSeconds`']
  const why = `pod updates may not change fields other than ${allowed.join(',')},\`spec.tolerations\` (only additions to existing tolerations),\`spec.terminationGracePeriodSeconds\` (allow it to be set to 1 if it was previously negative)`
  return [forbiddenField('spec', why)]
}

function templateProblems(template: Json, restartPolicies: readonly string[]): readonly FieldProblem[] {
  const spec = jsonOf(template['spec'])
  const policy = textOf(spec['restartPolicy'])
  return [
    ...labelProblems(valueAt(template, ['metadata', 'labels']), 'spec.template.labels'),
    ...podSpecProblems(spec, 'spec.template.spec'),
    ...(['Always', 'OnFailure', 'Never'].includes(policy) && !restartPolicies.includes(policy)
      ? [notSupported('spec.template.spec.restartPolicy', policy, restartPolicies)]
      : []),
  ]
}

export function workloadProblems(object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] {
  const spec = jsonOf(valueAt(object, ['spec']))
  const selector = spec['selector']
  const template = jsonOf(spec['template'])
  const matchLabels = jsonOf(valueAt(selector, ['matchLabels']))
  const labels = jsonOf(valueAt(template, ['metadata', 'labels']))
  const isEmpty = Object.keys(matchLabels).length === 0 && listOf(valueAt(selector, ['matchExpressions'])).length === 0
  const isMatching = Object.entries(matchLabels).every(([key, value]) => labels[key] === value)
  return [
    ...(old === undefined || isEqual(selector, valueAt(old, ['spec', 'selector']))
      ? []
      : [invalidValue('spec.selector', selector ?? null, 'field is immutable')]),
    ...(selector === undefined ? [required('spec.selector')] : []),
    ...labelProblems(matchLabels, 'spec.selector.matchLabels'),
    ...(selector !== undefined && isEmpty
      ? [invalidValue('spec.selector', selector, 'empty selector is invalid for daemonset')]
      : []),
    ...(isEmpty || isMatching
      ? []
      : [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]),
    ...templateProblems(template, ['Always']),
  ]
}

export function jobProblems(object: KubeObject, old: KubeObject | undefined): readonly FieldProblem[] {
  const spec = jsonOf(valueAt(object, ['spec']))
  const changed = (field: string) => old !== undefined && !isEqual(spec[field], valueAt(old, ['spec', field]))
  return [
    ...['template', 'selector', 'completions', 'completionMode']
      .filter(changed)
      .map(field => invalidValue(`spec.${field}`, spec[field] ?? null, 'field is immutable')),
    ...templateProblems(jsonOf(spec['template']), ['OnFailure', 'Never']),
  ]
}
