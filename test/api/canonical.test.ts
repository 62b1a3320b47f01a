// The one form of a Module that core reads.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { Module } from '../../src/api/module.ts'
import { canonicalModule } from '../../src/core/canonical.ts'
import { customResourceDefinitions } from '../../src/manifests/crds.ts'
import type { Schema } from '../../src/manifests/schema.ts'
import { checkModuleShape } from '../../src/manifests/shape.ts'
import { deepFrozen } from '../rules/subject.ts'

const optional = <T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }, requiredKeys: (keyof T & string)[]) =>
  fc.record(model, { requiredKeys })

const word = fc.stringMatching(/^[a-z]{1,6}$/)
const reference = fc.record({ name: word })
const spelled = (one: string, other: string) =>
  fc.tuple(fc.boolean(), reference).map(([isCanonical, value]) => ({ [isCanonical ? one : other]: value }))
const sign = fc
  .tuple(
    spelled('keySecret', 'keysecret'),
    spelled('certSecret', 'certsecret'),
    optional({ unsignedImage: word, filesToSign: fc.array(word) }, []),
  )
  .map(parts => Object.assign({}, ...parts) as object)
const build = optional({ dockerfileConfigMap: reference, secrets: fc.array(reference) }, ['dockerfileConfigMap'])
const mapping = optional({ literal: word, regexp: word, containerImage: word, sign, build, inTreeModuleToRemove: word }, [])
const modprobe = optional({ moduleName: word, dirName: fc.constantFrom('', '/opt', '/x'), parameters: fc.array(word) }, [])
const container = optional(
  { kernelMappings: fc.array(mapping, { minLength: 1, maxLength: 4 }), modprobe, sign, build, version: word },
  ['kernelMappings', 'modprobe'],
)
const moduleLoader = optional({ container, maxUnavailable: fc.oneof(fc.nat(), fc.constant('10%')), serviceAccountName: word }, [
  'container',
])
const secret = fc.option(spelled('imageRepoSecret', 'imageReposecret'), { nil: {} })
const arbitraryModule = fc
  .tuple(moduleLoader, secret, fc.dictionary(word, word))
  .map(([loader, pullSecret, selector]) => ({
    apiVersion: 'kmm.sigs.x-k8s.io/v1beta1',
    kind: 'Module',
    metadata: { name: 'driver' },
    spec: { selector, moduleLoader: loader, ...pullSecret },
  }))
  .map(module => deepFrozen(JSON.parse(JSON.stringify(module)) as Module))

const schema = customResourceDefinitions()[0]?.spec.versions[0]?.schema.openAPIV3Schema

/** As the API server does before anyone else sees the object. */
function withDefaults(value: unknown, inner: Schema): unknown {
  if (Array.isArray(value)) return value.map(item => withDefaults(item, inner.items ?? {}))
  if (typeof value !== 'object' || value === null) return value
  const defaults = Object.entries(inner.properties ?? {}).filter(([name, property]) => 'default' in property && !(name in value))
  return {
    ...Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, withDefaults(field, inner.properties?.[name] ?? {})]),
    ),
    ...Object.fromEntries(defaults.map(([name, property]) => [name, property.default])),
  }
}

describe('canonical form of a Module', () => {
  it('is the canonical form of itself', () => {
    fc.assert(
      fc.property(arbitraryModule, module => assert.deepEqual(canonicalModule(canonicalModule(module)), canonicalModule(module))),
    )
  })

  it('has the defaults that the API server fills in', () => {
    assert(schema)
    fc.assert(
      fc.property(arbitraryModule, module => {
        const defaulted = withDefaults(module, schema) as Module
        assert.deepEqual(canonicalModule(module), canonicalModule(defaulted))
        assert.equal(defaulted.spec.moduleLoader.maxUnavailable, canonicalModule(module).spec.moduleLoader.maxUnavailable)
        const { modprobe: filled } = defaulted.spec.moduleLoader.container
        assert.equal(filled.dirName, canonicalModule(module).spec.moduleLoader.container.modprobe.dirName)
      }),
    )
  })

  it('has no lower-case spelling, loses nothing and is a Module that the CRD accepts', () => {
    fc.assert(
      fc.property(arbitraryModule, module => {
        assert.deepEqual(checkModuleShape(module), [])
        const canonical = JSON.stringify(canonicalModule(module))
        assert.doesNotMatch(canonical, /"(imageReposecret|keysecret|certsecret)"/)
        assert.deepEqual(checkModuleShape(JSON.parse(canonical)), [])
        const respelled = JSON.stringify(module)
          .replaceAll('"imageReposecret"', '"imageRepoSecret"')
          .replaceAll('"keysecret"', '"keySecret"')
          .replaceAll('"certsecret"', '"certSecret"')
        assert.deepEqual(canonicalModule(module), canonicalModule(JSON.parse(respelled) as Module))
      }),
    )
  })

  it('prefers the canonical spelling where an old object has both', () => {
    const mapping = { literal: '6.1', sign: { keySecret: { name: 'a' }, keysecret: { name: 'b' }, certsecret: { name: 'c' } } }
    const container = { kernelMappings: [mapping], modprobe: {} }
    const spec = { selector: {}, moduleLoader: { container }, imageRepoSecret: { name: 'd' }, imageReposecret: { name: 'e' } }
    const canonical = canonicalModule({ apiVersion: 'v', kind: 'Module', metadata: { name: 'x' }, spec })
    assert.deepEqual(canonical.spec.imageRepoSecret, { name: 'd' })
    assert.deepEqual(canonical.spec.moduleLoader.container.kernelMappings[0]?.sign, {
      keySecret: { name: 'a' },
      certSecret: { name: 'c' },
    })
  })
})
