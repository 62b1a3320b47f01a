// Modules with the right shape, and with one mistake each. The real API server is asked about the same ones (test/real).

export type Json = Record<string, unknown>

export const modprobe = { moduleName: 'driver' }
export const mapping = { regexp: '^6', containerImage: 'a/b:1' }

export function moduleWith(spec: Json, container: Json = {}, top: Json = {}): Json {
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name: 'driver' },
    ...top,
    spec: { selector: {}, moduleLoader: { container: { kernelMappings: [mapping], modprobe, ...container } }, ...spec },
  }
}

const loader = 'spec.moduleLoader'
export const withPlugin = (plugin: Json) => moduleWith({ devicePlugin: { container: { image: 'a/b:1' }, ...plugin } })

/** Each with the one violation that it has. */
export const misshapen: readonly (readonly [sentence: string, value: unknown, code: string, path: string, message: RegExp])[] = [
  [
    'a field one level too deep',
    moduleWith({}, { serviceAccountName: 'x' }),
    'UnknownField',
    `${loader}.container.serviceAccountName`,
    /container has no field "serviceAccountName".*belongs at spec\.moduleLoader\.serviceAccountName$/,
  ],
  [
    'a field at the top',
    moduleWith({ modprobe }),
    'UnknownField',
    'spec.modprobe',
    /belongs at spec\.moduleLoader\.container\.modprobe$/,
  ],
  [
    'a field with two homes',
    moduleWith({ serviceAccountName: 'x' }),
    'UnknownField',
    'spec.serviceAccountName',
    /spec\.moduleLoader\.serviceAccountName or spec\.devicePlugin\.serviceAccountName/,
  ],
  [
    'the nearest home, in this very mapping',
    moduleWith({}, { kernelMappings: [mapping, { ...mapping, dockerfileConfigMap: { name: 'x' } }] }),
    'UnknownField',
    `${loader}.container.kernelMappings[1].dockerfileConfigMap`,
    /belongs at spec\.moduleLoader\.container\.kernelMappings\[1\]\.build\.dockerfileConfigMap$/,
  ],
  [
    'a field that belongs to the Module or to a build',
    moduleWith({}, { selector: { a: 'b' } }),
    'UnknownField',
    `${loader}.container.selector`,
    /belongs at spec\.selector or spec\.moduleLoader\.container\.build\.selector$/,
  ],
  [
    'the end of the right word',
    moduleWith({}, { kernelMappings: [{ ...mapping, image: 'a/b:1' }] }),
    'UnknownField',
    `${loader}.container.kernelMappings[0].image`,
    /did you mean containerImage\?$/,
  ],
  [
    'a field that every object of JavaScript has',
    moduleWith({ constructor: { a: 'b' } }),
    'UnknownField',
    'spec.constructor',
    /spec has no field "constructor", so it would be ignored$/,
  ],
  [
    'another case',
    moduleWith({}, { modprobe: { ModuleName: 'x' } }),
    'UnknownField',
    `${loader}.container.modprobe.ModuleName`,
    /its spelling is moduleName$/,
  ],
  [
    'another case of an alias',
    moduleWith({ imagereposecret: { name: 'x' } }),
    'UnknownField',
    'spec.imagereposecret',
    /its spelling is imageRepoSecret$/,
  ],
  [
    'a typing mistake',
    moduleWith({ tolerance: [] }),
    'UnknownField',
    'spec.tolerance',
    /has no field "tolerance", so it would be ignored/,
  ],
  ['letters exchanged', moduleWith({ selectro: {} }), 'UnknownField', 'spec.selectro', /did you mean selector\?$/],
  [
    'a field inside a type of Kubernetes',
    withPlugin({ volumes: [{ name: 'x', configmap: {} }] }),
    'UnknownField',
    'spec.devicePlugin.volumes[0].configmap',
    /its spelling is configMap$/,
  ],
  [
    'a field of the metadata',
    moduleWith({}, {}, { metadata: { name: 'x', label: {} } }),
    'UnknownField',
    'metadata.label',
    /did you mean labels\?$/,
  ],
  [
    'a string for a list',
    moduleWith({}, { modprobe: { ...modprobe, parameters: 'a=1' } }),
    'WrongType',
    `${loader}.container.modprobe.parameters`,
    /parameters must be a list, but is the string "a=1": write it as a list, \["a=1"\]/,
  ],
  [
    'a word for a list of maps',
    moduleWith({}, { kernelMappings: 'none' }),
    'WrongType',
    `${loader}.container.kernelMappings`,
    /must be a list, but is the string "none"$/,
  ],
  [
    'a map for a list',
    moduleWith({}, { kernelMappings: mapping }),
    'WrongType',
    `${loader}.container.kernelMappings`,
    /must be a list, but is a map: put "- " before its first field/,
  ],
  ['a list for a map', moduleWith({ selector: ['a'] }), 'WrongType', 'spec.selector', /must be a map, but is a list/],
  [
    'a boolean for a label',
    moduleWith({ selector: { 'a.b/c': true } }),
    'WrongType',
    'spec.selector["a.b/c"]',
    /^a\.b\/c must be a string, but is the boolean true: put it in quotes, "true"/,
  ],
  [
    'a number for a version',
    moduleWith({}, { version: 1.2 }),
    'WrongType',
    `${loader}.container.version`,
    /put it in quotes, "1.2"/,
  ],
  [
    'a string for a flag',
    moduleWith({}, { registryTLS: { insecure: 'yes' } }),
    'WrongType',
    `${loader}.container.registryTLS.insecure`,
    /must be true or false, but is the string "yes"/,
  ],
  [
    'an empty item',
    moduleWith({}, { kernelMappings: [null] }),
    'WrongType',
    `${loader}.container.kernelMappings[0]`,
    /kernelMappings\[0\] must be a map, but is empty/,
  ],
  [
    'no mappings',
    moduleWith({}, { kernelMappings: [] }),
    'WrongLength',
    `${loader}.container.kernelMappings`,
    /at least 1 item$/,
  ],
  [
    'half a node',
    moduleWith({ moduleLoader: { container: { kernelMappings: [mapping], modprobe }, maxUnavailable: 1.5 } }),
    'WrongType',
    `${loader}.maxUnavailable`,
    /whole number or a string/,
  ],
  [
    'a wrong quantity',
    withPlugin({ container: { image: 'a/b:1', resources: { limits: { cpu: '1 core' } } } }),
    'WrongValue',
    'spec.devicePlugin.container.resources.limits.cpu',
    /quantity such as 500m/,
  ],
  [
    'both spellings',
    moduleWith({ imageRepoSecret: { name: 'a' }, imageReposecret: { name: 'a' } }),
    'BothSpellings',
    'spec.imageReposecret',
    /two spellings of one field: keep imageRepoSecret$/,
  ],
  [
    'a missing secret',
    moduleWith({}, { sign: { keysecret: { name: 'a' } } }),
    'MissingField',
    `${loader}.container.sign`,
    /container\.sign\.certSecret is required but missing/,
  ],
  ['a null for a required field', moduleWith({ selector: null }), 'MissingField', 'spec', /^spec\.selector is required/],
  [
    'no fields',
    { apiVersion: 'kmm.sigs.x-k8s.io/v1beta1', kind: 'Module' },
    'MissingField',
    '',
    /^metadata and spec are required but missing$/,
  ],
  [
    'another version',
    moduleWith({}, {}, { apiVersion: 'kmm.sigs.x-k8s.io/v1' }),
    'WrongKind',
    'apiVersion',
    /must be kmm\.sigs\.x-k8s\.io\/v1beta1$/,
  ],
  ['no object', [], 'WrongType', '', /^the object must be a map, but is a list/],
]

export const shapely: readonly (readonly [sentence: string, value: Json])[] = [
  ['the lower-case spelling of the pull secret', moduleWith({ imageReposecret: { name: 'x' } })],
  ['one secret in each spelling', moduleWith({}, { sign: { keysecret: { name: 'x' }, certSecret: { name: 'y' } } })],
  ['tolerations', moduleWith({ tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 3 }] })],
  [
    'a share of nodes',
    moduleWith({ moduleLoader: { container: { kernelMappings: [mapping], modprobe }, maxUnavailable: '10%' } }),
  ],
  ['a number of nodes', moduleWith({ moduleLoader: { container: { kernelMappings: [mapping], modprobe }, maxUnavailable: 3 } })],
  ['a mapping without an image', moduleWith({}, { containerImage: 'a/b:1', kernelMappings: [{ literal: '6.1' }] })],
  ['modprobe without a name', moduleWith({}, { modprobe: { rawArgs: { load: ['a'], unload: ['-r', 'a'] } } })],
  [
    'quantities in every form, and volumes',
    withPlugin({
      container: { image: 'a/b:1', resources: { limits: { cpu: 1, memory: '1.5Gi', 'example.com/card': '1e3' } } },
      volumes: [{ name: 'x', emptyDir: { sizeLimit: '1Gi' } }],
    }),
  ],
  ['a null for an absent field', moduleWith({ devicePlugin: null })],
]
