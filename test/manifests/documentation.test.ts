// The samples of the OKD 4.13 documentation, as they are printed there (placeholders filled in), are input that must work.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Module } from '../../src/api/module.ts'
import { canonicalModule } from '../../src/core/canonical.ts'
import { judgeModule } from '../../src/core/module/rules.ts'
import { checkModuleShape } from '../../src/manifests/shape.ts'
import { parseYamlDocuments } from '../../src/shell/yaml.ts'

function sample(name: string): unknown {
  const file = join(import.meta.dirname, '../fixtures/documentation', `${name}.yaml`)
  const documents = parseYamlDocuments(readFileSync(file, 'utf8'), file)
  assert.equal(documents.length, 1)
  return documents[0]?.value
}

describe('samples of the documentation', () => {
  for (const [name, warnings] of [
    ['annotated-module', ['RegexpNeverMatches', 'MutableTag']],
    ['sign-prebuilt-image', []],
    ['build-and-sign', []],
  ] as const) {
    it(`accepts ${name}`, () => {
      const module = sample(name) as Module
      assert.deepEqual(checkModuleShape(module), [])
      const verdict = judgeModule(module)
      assert.deepEqual(verdict.errors, [])
      assert.deepEqual(
        verdict.warnings.map(({ code }) => code).toSorted((a, b) => (a < b ? -1 : 1)),
        [...warnings].toSorted((a, b) => (a < b ? -1 : 1)),
      )
    })
  }

  it('reads the lower-case spellings of secrets', () => {
    const { spec } = canonicalModule(sample('annotated-module') as Module)
    assert.equal(spec.imageRepoSecret?.name, 'secret-name')
    const { sign } = spec.moduleLoader.container.kernelMappings[2] ?? {}
    assert.deepEqual([sign?.keySecret.name, sign?.certSecret.name], ['key-secret', 'cert-secret'])
  })

  it('refuses the fragment about firmware, which is no whole Module', () => {
    const violations = checkModuleShape(sample('firmware-fragment'))
    assert.equal(violations.length, 1)
    assert.match(violations[0]?.message ?? '', /spec\.selector and spec\.moduleLoader\.container\.kernelMappings are required/)
  })
})
