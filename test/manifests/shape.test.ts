// What the API server would refuse or silently drop, told in one sentence each.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkModuleShape } from '../../src/manifests/shape.ts'

type Json = Record<string, unknown>

const modprobe = { moduleName: 'driver' }
const mapping = { regexp: '^6', containerImage: 'a/b:1' }

function moduleWith(spec: Json, container: Json = {}, top: Json = {}): Json {
  return {
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name: 'driver' },
    ...top,
    spec: { selector: {}, moduleLoader: { container: { kernelMappings: [mapping], modprobe, ...container } }, ...spec },
  }
}

const loader = 'spec.moduleLoader'
const withPlugin = (plugin: Json) => moduleWith({ devicePlugin: { container: { image: 'a/b:1' }, ...plugin } })

const rows: readonly (readonly [sentence: string, value: unknown, code: string, path: string, message: RegExp])[] = [
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
    /must be a string, but is the boolean true: put it in quotes, "true"/,
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

describe('shape of a Module', () => {
  it('accepts what it knows, in both spellings', () => {
    const tolerations = [{ key: 'a', operator: 'Exists', tolerationSeconds: 3 }]
    assert.deepEqual(checkModuleShape(moduleWith({ tolerations, imageReposecret: { name: 'x' } })), [])
    const signed = { sign: { keysecret: { name: 'x' }, certSecret: { name: 'y' } } }
    assert.deepEqual(checkModuleShape(moduleWith({}, signed)), [])
    const spread = { container: { kernelMappings: [mapping], modprobe }, maxUnavailable: '10%' }
    assert.deepEqual(checkModuleShape(moduleWith({ moduleLoader: spread })), [])
    const resources = { limits: { cpu: 1, memory: '1.5Gi', 'example.com/card': '1e3' } }
    const volumes = [{ name: 'x', emptyDir: { sizeLimit: '1Gi' } }]
    assert.deepEqual(checkModuleShape(withPlugin({ container: { image: 'a/b:1', resources }, volumes })), [])
  })

  it('takes a null for an absent field, as the API server does', () => {
    assert.deepEqual(checkModuleShape(moduleWith({ devicePlugin: null })), [])
  })

  it('accepts what `kubectl get -o yaml` prints', () => {
    const metadata = {
      name: 'x',
      uid: 'u',
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': {} } }],
      annotations: { a: 'b' },
    }
    const status = { moduleLoader: { desiredNumber: 1 }, kernels: [{ kernel: '6.1', nodes: 1, ready: 0 }], observedGeneration: 1 }
    assert.deepEqual(checkModuleShape(moduleWith({}, {}, { metadata, status })), [])
  })

  for (const [sentence, value, code, path, message] of rows) {
    it(`tells of ${sentence}`, () => {
      const violations = checkModuleShape(value)
      assert.deepEqual(
        violations.map(violation => [violation.code, violation.path]),
        [[code, path]],
      )
      assert.match(violations[0]?.message ?? '', message)
    })
  }
})
