// Rules about the name of a Module and its version: both become parts of node labels (behaviour.md 9.1, rules 1 and 2, and its end).
import { pluginReadyLabel, readyLabel, userVersionLabel } from '../names.ts'
import { type Found, has, inContainer, type Rule, type Subject } from './rule.ts'
import { isLabelValue, labelValueRule, maxLabelLength } from './syntax.ts'
import { quoted } from './violation.ts'

/** Of namespace and name together. Source: OKD documentation, "Customizing upgrades for kernel modules". */
const maxVersionedLength = 39

const placeOf = ({ written: { metadata } }: Subject) => ({ namespace: metadata.namespace ?? 'default', name: metadata.name })
const versionPath = inContainer('version')

const versionAddedOrRemoved: Rule = {
  code: 'VersionAddedOrRemoved',
  on: 'update',
  severity: 'error',
  check: (next, old) => {
    const [before, after] = [old?.container.version, next.container.version]
    if (has(before) === has(after)) return []
    const change = has(after) ? `set to ${quoted(after)}` : `removed (it was ${quoted(before ?? '')})`
    return [
      {
        path: versionPath,
        message: `version cannot be ${change} in a Module that exists, because nodes would lose the driver unordered: delete the Module and create it again`,
      },
    ]
  },
}

const versionNotLabelValue: Rule = {
  code: 'VersionNotLabelValue',
  on: 'both',
  severity: 'error',
  check: ({ container: { version } }) =>
    version === undefined || isLabelValue(version)
      ? []
      : [{ path: versionPath, message: `version ${quoted(version)} becomes a label of nodes, so it must be ${labelValueRule}` }],
}

const nameTooLongForVersion: Rule = {
  code: 'NameTooLongForVersion',
  on: 'both',
  severity: 'error',
  check: subject => {
    const { namespace, name } = placeOf(subject)
    const length = namespace.length + name.length
    if (!has(subject.container.version) || length <= maxVersionedLength) return []
    return [
      {
        path: 'metadata.name',
        message: `namespace ${quoted(namespace)} and name ${quoted(name)} have ${length} characters together, but a Module with a version may have at most ${maxVersionedLength}: shorten one of them by ${length - maxVersionedLength}`,
      },
    ]
  },
}

const nameNotLabelValue: Rule = {
  code: 'NameNotLabelValue',
  on: 'both',
  severity: 'error',
  check: subject => {
    const { name } = placeOf(subject)
    return isLabelValue(name)
      ? []
      : [
          {
            path: 'metadata.name',
            message: `the name becomes a label of pods, so it must be ${labelValueRule}, but has ${name.length} characters`,
          },
        ]
  },
}

const readyLabelTooLong: Rule = {
  code: 'ReadyLabelTooLong',
  on: 'both',
  severity: 'error',
  check: subject => {
    const { namespace, name } = placeOf(subject)
    const label = subject.module.spec.devicePlugin === undefined ? readyLabel(namespace, name) : pluginReadyLabel(namespace, name)
    const behindSlash = label.slice(label.indexOf('/') + 1)
    if (behindSlash.length <= maxLabelLength) return []
    return [
      {
        path: 'metadata.name',
        message: `the node label ${label} has ${behindSlash.length} characters behind the slash, but Kubernetes allows ${maxLabelLength}: shorten the name or the namespace by ${behindSlash.length - maxLabelLength}`,
      },
    ]
  },
}

/** `a.b` in namespace n and `b` in namespace a share the label a.b.ready, which older versions of KMM and their users read. */
const dotsFound = (subject: Subject, versioned: boolean): readonly Found[] => {
  const { namespace, name } = placeOf(subject)
  if (!name.includes('.') || has(subject.container.version) !== versioned) return []
  const label = versioned ? userVersionLabel(namespace, name) : readyLabel(namespace, name)
  return [
    {
      path: 'metadata.name',
      message: `the name ${quoted(name)} has dots, which also separate the parts of node labels such as ${label}, so that another Module's label can look the same: use "-" instead`,
    },
  ]
}

const dotsInVersionedName: Rule = {
  code: 'DotsInName',
  on: 'both',
  severity: 'error',
  check: subject => dotsFound(subject, true),
}
const dotsInName: Rule = { code: 'DotsInName', on: 'both', severity: 'warning', check: subject => dotsFound(subject, false) }

const changedWithoutVersion: Rule = {
  code: 'ChangedWithoutVersion',
  on: 'update',
  severity: 'warning',
  check: (next, old) => {
    if (old === undefined || !has(next.container.version) || next.container.version !== old.container.version) return []
    const driver = ({ container: { kernelMappings, containerImage, modprobe } }: Subject) =>
      JSON.stringify([
        kernelMappings.map(({ literal, regexp, containerImage }) => [literal, regexp, containerImage]),
        containerImage,
        modprobe,
      ])
    if (driver(next) === driver(old)) return []
    return [
      {
        path: versionPath,
        message: `the driver changes while version stays ${quoted(next.container.version)}: change both together, so that each node gets the new driver when its version label says so`,
      },
    ]
  },
}

export const namingRules: readonly Rule[] = [
  versionAddedOrRemoved,
  nameTooLongForVersion,
  versionNotLabelValue,
  nameNotLabelValue,
  readyLabelTooLong,
  dotsInVersionedName,
  dotsInName,
  changedWithoutVersion,
]
