// Rules about what the API server would refuse in our DaemonSets and their pods: better told at once, to the person who wrote it.
// Source: core/v1 API reference (Toleration, Container, Volume), apps/v1 (maxUnavailable).
import type { Toleration } from '../../api/module.ts'
import { inContainer, inMapping, type Rule } from './rule.ts'
import { isLabelKey, isLabelValue, labelValueRule } from './syntax.ts'
import { listed, printPath, quoted } from './violation.ts'

const tolerationInvalid: Rule = {
  code: 'TolerationInvalid',
  on: 'both',
  severity: 'error',
  check: ({ written }) =>
    (written.spec.tolerations ?? []).flatMap((toleration, index) =>
      [...wrongIn(toleration)].map(([field, message]) => ({
        path: printPath(['spec', 'tolerations', index, field]),
        message: `tolerations[${index}]: ${message}`,
      })),
    ),
}

function* wrongIn({
  key = '',
  operator = 'Equal',
  value = '',
  effect = '',
  tolerationSeconds,
}: Toleration): Generator<readonly [string, string]> {
  if (!['', 'Equal', 'Exists'].includes(operator)) yield ['operator', `operator ${quoted(operator)} must be Equal or Exists`]
  if (key === '' && operator !== 'Exists') yield ['key', 'without a key the operator must be Exists, which tolerates all taints']
  if (key !== '' && !isLabelKey(key)) yield ['key', `${quoted(key)} is no key of a taint`]
  if (operator === 'Exists' && value !== '')
    yield ['value', `with the operator Exists there is no value, but it is ${quoted(value)}`]
  if (!isLabelValue(value)) yield ['value', `value ${quoted(value)} must be ${labelValueRule}`]
  if (!['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect)) {
    yield ['effect', `effect ${quoted(effect)} must be NoSchedule, PreferNoSchedule or NoExecute`]
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') yield ['effect', 'tolerationSeconds needs the effect NoExecute']
}

/** Numbers in Kubernetes' objects are int32 (IntOrString). */
const maxInt32 = 2_147_483_647

const maxUnavailableInvalid: Rule = {
  code: 'MaxUnavailableInvalid',
  on: 'both',
  severity: 'error',
  check: ({ module }) => {
    const { maxUnavailable } = module.spec.moduleLoader
    const isRight =
      typeof maxUnavailable === 'number'
        ? Number.isInteger(maxUnavailable) && maxUnavailable >= 1 && maxUnavailable <= maxInt32
        : /^([1-9]\d?|100)%$/.test(maxUnavailable)
    return isRight
      ? []
      : [
          {
            path: 'spec.moduleLoader.maxUnavailable',
            message: `maxUnavailable ${JSON.stringify(maxUnavailable)} must be a whole number from 1 to ${maxInt32}, or a share from "1%" to "100%"`,
          },
        ]
  },
}

const pullPolicies = ['', 'Always', 'IfNotPresent', 'Never']

const pullPolicyInvalid: Rule = {
  code: 'PullPolicyInvalid',
  on: 'both',
  severity: 'error',
  check: ({ container, written }) =>
    (
      [
        [inContainer('imagePullPolicy'), container.imagePullPolicy],
        ['spec.devicePlugin.container.imagePullPolicy', written.spec.devicePlugin?.container.imagePullPolicy],
      ] as const
    ).flatMap(([path, policy]) =>
      policy === undefined || pullPolicies.includes(policy)
        ? []
        : [{ path, message: `imagePullPolicy ${quoted(policy)} must be Always, IfNotPresent or Never` }],
    ),
}

/** The device plugin's pod always has this volume (behaviour.md 2.6). */
const ownVolume = 'kubelet-device-plugins'

const volumesWrong: Rule = {
  code: 'VolumesWrong',
  on: 'both',
  severity: 'error',
  check: ({ written: { spec } }) => {
    const names = [ownVolume, ...(spec.devicePlugin?.volumes ?? []).map(volume => volume.name)]
    const twice = names.flatMap((name, index) =>
      names.indexOf(name) === index
        ? []
        : [
            {
              path: `spec.devicePlugin.volumes[${index - 1}].name`,
              message:
                name === ownVolume
                  ? `the volume ${ownVolume} is always there: remove yours`
                  : `there are two volumes with the name ${quoted(name)}`,
            },
          ],
    )
    const unknown = (spec.devicePlugin?.container.volumeMounts ?? []).flatMap((mount, index) =>
      names.includes(mount.name)
        ? []
        : [
            {
              path: `spec.devicePlugin.container.volumeMounts[${index}].name`,
              message: `spec.devicePlugin.volumes has no volume ${quoted(mount.name)}: it has ${listed(names)}`,
            },
          ],
    )
    return [...twice, ...unknown]
  },
}

const tlsOff: Rule = {
  code: 'InsecureRegistry',
  on: 'both',
  severity: 'warning',
  check: ({ container }) =>
    [
      [inContainer('registryTLS'), container.registryTLS] as const,
      ...container.kernelMappings.map((mapping, index) => [inMapping(index, 'registryTLS'), mapping.registryTLS] as const),
    ].flatMap(([path, tls]) =>
      tls?.insecure === true || tls?.insecureSkipTLSVerify === true
        ? [
            {
              path,
              message:
                'registryTLS lets anyone on the way to the registry replace the answer about a driver that runs in the kernel: give the registry a trusted certificate',
            },
          ]
        : [],
    ),
}

export const podRules: readonly Rule[] = [tolerationInvalid, maxUnavailableInvalid, pullPolicyInvalid, volumesWrong, tlsOff]
