// Rules about what a Module points at: nodes by their labels, and objects by their names.
import { inContainer, inMapping, type Rule, type Subject } from './rule.ts'
import { isLabelKey, isLabelValue, isObjectName, labelValueRule, objectNameRule } from './syntax.ts'
import { printPath, quoted } from './violation.ts'

const selectorInvalid: Rule = {
  code: 'SelectorInvalid',
  on: 'both',
  severity: 'error',
  check: ({ written, container }) => {
    const selectors: readonly (readonly [string, Readonly<Record<string, string>> | undefined])[] = [
      ['spec.selector', written.spec.selector],
      [inContainer('build', 'selector'), container.build?.selector],
      ...container.kernelMappings.map(
        (mapping, index) => [inMapping(index, 'build', 'selector'), mapping.build?.selector] as const,
      ),
    ]
    return selectors.flatMap(([path, selector]) =>
      Object.entries(selector ?? {}).flatMap(([key, value]) => {
        const at = path + printPath(['x', key]).slice(1)
        if (!isLabelKey(key))
          return [
            {
              path: at,
              message: `${quoted(key)} is no label key, which is a name or prefix/name: the name has ${labelValueRule}`,
            },
          ]
        return isLabelValue(value)
          ? []
          : [{ path: at, message: `${quoted(value)} is no label value, which has ${labelValueRule}` }]
      }),
    )
  },
}

/** Every object that the Module names, with the path in the spelling of the user. */
function namedObjects({ written }: Subject): readonly (readonly [path: string, name: string])[] {
  const { spec } = written
  const { container } = spec.moduleLoader
  const sections = [
    ['spec.moduleLoader.container', container] as const,
    ...container.kernelMappings.map((mapping, index) => [inMapping(index), mapping] as const),
  ]
  const ofSections = sections.flatMap(([path, { build, sign }]) => [
    [`${path}.build.dockerfileConfigMap.name`, build?.dockerfileConfigMap.name] as const,
    ...(build?.secrets ?? []).map((secret, index) => [`${path}.build.secrets[${index}].name`, secret.name] as const),
    ...(['keySecret', 'keysecret', 'certSecret', 'certsecret'] as const).map(
      field => [`${path}.sign.${field}.name`, sign?.[field]?.name] as const,
    ),
  ])
  return [
    ['spec.imageRepoSecret.name', spec.imageRepoSecret?.name] as const,
    ['spec.imageReposecret.name', spec.imageReposecret?.name] as const,
    ['spec.moduleLoader.serviceAccountName', spec.moduleLoader.serviceAccountName || undefined] as const,
    ['spec.devicePlugin.serviceAccountName', spec.devicePlugin?.serviceAccountName || undefined] as const,
    ...ofSections,
  ].flatMap(([path, name]) => (name === undefined ? [] : [[path, name] as const]))
}

const objectNameInvalid: Rule = {
  code: 'ObjectNameInvalid',
  on: 'both',
  severity: 'error',
  check: subject =>
    namedObjects(subject).flatMap(([path, name]) =>
      isObjectName(name)
        ? []
        : [{ path, message: `${quoted(name)} is no name of an object in Kubernetes: those have ${objectNameRule}` }],
    ),
}

export const referenceRules: readonly Rule[] = [selectorInvalid, objectNameInvalid]
