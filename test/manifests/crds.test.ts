// The CRDs: structural, explained, and committed as generated.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import { generatedFiles, generatedFolders } from '../../src/manifests/generated.ts'
import type { Schema } from '../../src/manifests/schema.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'
import { findNotStructural, findUndescribed } from './structural.ts'

const root = join(import.meta.dirname, '../..')
const [moduleCrd] = customResourceDefinitions()
assert(moduleCrd)
const [version] = moduleCrd.spec.versions
assert(version)
const schema = version.schema.openAPIV3Schema

function at(...path: readonly string[]): Schema {
  return path.reduce<Schema>((inner, step) => {
    const next = step === '[]' ? inner.items : inner.properties?.[step]
    assert(next, `the schema has no ${path.join('.')}`)
    return next
  }, schema)
}
const container = ['spec', 'moduleLoader', 'container']

describe('generated files', () => {
  for (const { path, text } of generatedFiles()) {
    it(`has ${path} as \`npm run generate\` makes it`, () => {
      assert.equal(readFileSync(join(root, path), 'utf8'), text)
    })
  }

  it('has nothing else in the generated folders', () => {
    const found = generatedFolders.flatMap(folder => readdirSync(join(root, folder)).map(name => `${folder}/${name}`))
    assert.deepEqual(
      found.toSorted(),
      generatedFiles()
        .map(({ path }) => path)
        .toSorted(),
    )
  })

  it('reads back as what was printed', () => {
    for (const [index, crd] of customResourceDefinitions().entries()) {
      const text = generatedFiles().find(({ path }) => path.endsWith(`${crd.metadata.name}.yaml`))?.text ?? ''
      assert.deepEqual(parseYamlDocuments(text, 'crd')[0]?.value, JSON.parse(JSON.stringify(customResourceDefinitions()[index])))
    }
  })

  it('is small enough for `kubectl apply`, which keeps a copy in an annotation of 256 KiB', () => {
    for (const crd of customResourceDefinitions()) assert(JSON.stringify(crd).length < 200 * 1024)
  })
})

describe('schema of Module', () => {
  it('is structural', () => {
    assert.deepEqual(findNotStructural(schema), [])
  })

  it('explains every field', () => {
    assert.deepEqual(findUndescribed(schema), [])
  })

  it('is namespaced, has one version and a status subresource', () => {
    assert.equal(moduleCrd.spec.scope, 'Namespaced')
    assert.deepEqual(moduleCrd.spec.names, {
      kind: 'Module',
      listKind: 'ModuleList',
      plural: 'modules',
      singular: 'module',
      shortNames: ['mod'],
    })
    assert.deepEqual(
      [version.name, version.served, version.storage, version.subresources],
      ['v1beta1', true, true, { status: {} }],
    )
  })

  it('shows in `kubectl get` how far the driver is', () => {
    const names = version.additionalPrinterColumns.map(({ name }) => name)
    assert.deepEqual(names, ['Nodes', 'Desired', 'Available', 'Ready', 'Reason', 'Version', 'Age'])
  })

  for (const [place, required] of [
    [[], ['spec']],
    [['spec'], ['selector', 'moduleLoader']],
    [['spec', 'moduleLoader'], ['container']],
    [container, ['kernelMappings', 'modprobe']],
    [[...container, 'kernelMappings', '[]'], undefined],
    [[...container, 'modprobe'], undefined],
    [[...container, 'build'], ['dockerfileConfigMap']],
    [[...container, 'sign'], undefined],
    [['spec', 'devicePlugin'], ['container']],
    [['spec', 'devicePlugin', 'container'], ['image']],
  ] as const) {
    it(`requires ${required?.join(' and ') ?? 'nothing'} of ${place.join('.') || 'a Module'}`, () => {
      assert.deepEqual(at(...place).required, required)
    })
  }

  it('lets secrets be spelled in two ways, one at a time', () => {
    const spelled = (one: string, other: string) => [
      { anyOf: [{ required: [one] }, { required: [other] }] },
      { not: { required: [one, other] } },
    ]
    const { allOf = [] } = at(...container, 'sign')
    for (const part of [...spelled('keySecret', 'keysecret'), ...spelled('certSecret', 'certsecret')]) {
      assert(allOf.some(other => JSON.stringify(other) === JSON.stringify(part)))
    }
    assert.deepEqual(at('spec').not, { required: ['imageRepoSecret', 'imageReposecret'] })
  })

  it('has the defaults of the documentation', () => {
    assert.equal(at(...container, 'modprobe', 'dirName').default, '/opt')
    assert.equal(at('spec', 'moduleLoader', 'maxUnavailable').default, 1)
  })

  it('embeds the types of Kubernetes in full', () => {
    assert.equal(Object.keys(at('spec', 'devicePlugin', 'volumes', '[]').properties ?? {}).length, 31)
    assert.equal(
      at('spec', 'devicePlugin', 'container', 'env', '[]', 'valueFrom', 'secretKeyRef')['x-kubernetes-map-type'],
      'atomic',
    )
    assert.equal(
      at('spec', 'devicePlugin', 'container', 'resources', 'limits').additionalProperties?.['x-kubernetes-int-or-string'],
      true,
    )
    assert.equal(at('spec', 'tolerations', '[]', 'tolerationSeconds').format, 'int64')
  })

  for (const [list, key] of [
    ['conditions', 'type'],
    ['kernels', 'kernel'],
    ['notReadyNodes', 'name'],
  ] as const) {
    it(`keeps ${list} of the status by ${key}`, () => {
      const { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys } = at('status', list)
      assert.deepEqual([type, keys], ['map', [key]])
    })
  }
})

describe('the check for structural schemas', () => {
  const rows: readonly (readonly [string, Schema])[] = [
    ['a field without a type', { type: 'object', properties: { a: {} } }],
    ['an array without items', { type: 'object', properties: { a: { type: 'array' } } }],
    ['an unknown keyword', { type: 'object', $ref: 'x' } as Schema],
    [
      'a type inside a junctor',
      { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ properties: { a: { type: 'string' } } }] },
    ],
    ['a field that is only inside a junctor', { type: 'object', anyOf: [{ required: ['b'] }] }],
    ['a required field that does not exist', { type: 'object', required: ['a'] }],
    [
      'a list map whose key can be absent',
      {
        type: 'object',
        properties: {
          a: {
            type: 'array',
            items: { type: 'object', properties: { k: { type: 'string' } } },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
          },
        },
      },
    ],
    ['a default of another type', { type: 'object', properties: { a: { type: 'string', default: 1 } } }],
  ]
  for (const [what, broken] of rows) {
    it(`finds ${what}`, () => {
      assert.equal(findNotStructural(broken).length > 0, true)
    })
  }
})
