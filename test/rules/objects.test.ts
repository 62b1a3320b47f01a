// Each error about signing, about the objects that a Module names and about its pods, and its nearest valid neighbour
// (decisions.md 17, 18, 24; end of behaviour.md 9.1).
import { containerOf, describeErrors, type Edit, firstMapping, type Row } from './subject.ts'

const secrets = { keySecret: { name: 'key' }, certSecret: { name: 'cert' } }
const plugin = { container: { image: 'registry.example.com/plugin:1' } }
const container = 'spec.moduleLoader.container'
const mapping = `${container}.kernelMappings[0]`
const edit = (change: Edit) => change

const rows: readonly Row[] = [
  {
    sentence: 'both spellings of one field do not go together',
    wrong: draft => {
      draft.spec.imageRepoSecret = { name: 'a' }
      draft.spec.imageReposecret = { name: 'a' }
      firstMapping(draft).sign = { ...secrets, keysecret: { name: 'key' }, certsecret: { name: 'cert' }, unsignedImage: 'a/b:1' }
    },
    errors: [
      'BothSpellings at spec.imageReposecret',
      `BothSpellings at ${mapping}.sign.keysecret`,
      `BothSpellings at ${mapping}.sign.certsecret`,
    ],
    right: draft => {
      draft.spec.imageReposecret = { name: 'a' }
      firstMapping(draft).sign = { keysecret: { name: 'key' }, certSecret: { name: 'cert' }, unsignedImage: 'a/b:1' }
    },
  },
  {
    sentence: 'an image to sign is known',
    wrong: draft => {
      firstMapping(draft).sign = secrets
    },
    errors: [`UnsignedImageMissing at ${mapping}.sign.unsignedImage`],
    right: draft => {
      firstMapping(draft).sign = secrets
      firstMapping(draft).build = { dockerfileConfigMap: { name: 'dockerfile' } }
    },
  },
  {
    sentence: 'an image to sign is known for every mapping that inherits sign',
    wrong: draft => {
      containerOf(draft).sign = secrets
      firstMapping(draft).build = { dockerfileConfigMap: { name: 'dockerfile' } }
    },
    errors: [`UnsignedImageMissing at ${container}.sign.unsignedImage`],
    right: draft => {
      containerOf(draft).sign = { ...secrets, unsignedImage: 'registry.example.com/unsigned:${KERNEL_FULL_VERSION}' }
    },
  },
  {
    sentence: 'a selector has label keys and values',
    wrong: draft => {
      draft.spec.selector = { 'a/b/c': '', card: 'not a value', 'example.com/x': '-' }
    },
    errors: [
      'SelectorInvalid at spec.selector["a/b/c"]',
      'SelectorInvalid at spec.selector.card',
      'SelectorInvalid at spec.selector["example.com/x"]',
    ],
    right: draft => {
      draft.spec.selector = {}
    },
  },
  {
    sentence: 'a toleration without a key tolerates everything with Exists',
    wrong: draft => {
      draft.spec.tolerations = [{ effect: 'NoSchedule' }]
    },
    errors: ['TolerationInvalid at spec.tolerations[0].key'],
    right: draft => {
      draft.spec.tolerations = [{ operator: 'Exists', effect: 'NoSchedule' }]
    },
  },
  {
    sentence: 'a toleration has an operator, a value and an effect that Kubernetes knows',
    wrong: draft => {
      draft.spec.tolerations = [
        { key: 'a', operator: 'Like', value: 'b' },
        { key: 'a', operator: 'Exists', value: 'b' },
        { key: 'a', value: 'b', effect: 'NoRun' },
        { key: 'a b' },
        { key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 },
      ]
    },
    errors: [
      'TolerationInvalid at spec.tolerations[0].operator',
      'TolerationInvalid at spec.tolerations[1].value',
      'TolerationInvalid at spec.tolerations[2].effect',
      'TolerationInvalid at spec.tolerations[3].key',
      'TolerationInvalid at spec.tolerations[4].effect',
    ],
    right: draft => {
      draft.spec.tolerations = [
        { key: 'a', value: 'b' },
        { key: 'example.com/a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      ]
    },
  },
  ...[0, -1, 1.5, 1e23, '0%', '101%', '5', '10 %', ''].map(value => ({
    sentence: `maxUnavailable is not ${JSON.stringify(value)}`,
    wrong: edit(draft => {
      draft.spec.moduleLoader.maxUnavailable = value
    }),
    errors: ['MaxUnavailableInvalid at spec.moduleLoader.maxUnavailable'],
    right: edit(draft => {
      draft.spec.moduleLoader.maxUnavailable = typeof value === 'number' ? 7 : '100%'
    }),
  })),
  {
    sentence: 'imagePullPolicy is one of three',
    wrong: draft => {
      containerOf(draft).imagePullPolicy = 'always'
      draft.spec.devicePlugin = { container: { ...plugin.container, imagePullPolicy: 'Sometimes' } }
    },
    errors: [
      `PullPolicyInvalid at ${container}.imagePullPolicy`,
      'PullPolicyInvalid at spec.devicePlugin.container.imagePullPolicy',
    ],
    right: draft => {
      containerOf(draft).imagePullPolicy = 'Always'
    },
  },
  {
    sentence: 'secrets, ConfigMaps and service accounts have names',
    wrong: draft => {
      draft.spec.imageReposecret = { name: '' }
      draft.spec.moduleLoader.serviceAccountName = 'My_Account'
      firstMapping(draft).build = { dockerfileConfigMap: { name: 'Dockerfile' }, secrets: [{ name: 'a' }, { name: '-' }] }
      firstMapping(draft).sign = { keysecret: { name: '' }, certSecret: { name: 'cert' } }
    },
    errors: [
      'ObjectNameInvalid at spec.imageReposecret.name',
      'ObjectNameInvalid at spec.moduleLoader.serviceAccountName',
      `ObjectNameInvalid at ${mapping}.build.dockerfileConfigMap.name`,
      `ObjectNameInvalid at ${mapping}.build.secrets[1].name`,
      `ObjectNameInvalid at ${mapping}.sign.keysecret.name`,
    ],
    right: draft => {
      draft.spec.imageReposecret = { name: 'registry.pull' }
      draft.spec.moduleLoader.serviceAccountName = ''
    },
  },
  {
    sentence: 'the device plugin mounts volumes that it has, each once',
    wrong: draft => {
      draft.spec.devicePlugin = {
        container: { ...plugin.container, volumeMounts: [{ name: 'confg', mountPath: '/c' }] },
        volumes: [{ name: 'config' }, { name: 'config' }, { name: 'kubelet-device-plugins' }],
      }
    },
    errors: [
      'VolumesWrong at spec.devicePlugin.volumes[1].name',
      'VolumesWrong at spec.devicePlugin.volumes[2].name',
      'VolumesWrong at spec.devicePlugin.container.volumeMounts[0].name',
    ],
    right: draft => {
      draft.spec.devicePlugin = {
        container: {
          ...plugin.container,
          volumeMounts: [
            { name: 'config', mountPath: '/c' },
            { name: 'kubelet-device-plugins', mountPath: '/plugins' },
          ],
        },
        volumes: [{ name: 'config' }],
      }
    },
  },
]

describeErrors('objects and pods of a Module', rows)
