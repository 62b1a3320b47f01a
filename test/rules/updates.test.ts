// An update is judged by what it changes (decisions.md 26).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeModule } from '../../src/core/module/rules.ts'
import { containerOf, type Draft, type Edit, errorsOf, firstMapping, moduleWith, warningsOf } from './subject.ts'

const container = 'spec.moduleLoader.container'
const broken = (draft: Draft) => {
  firstMapping(draft).literal = ''
}
const versioned =
  (version: string): Edit =>
  draft => {
    containerOf(draft).version = version
  }
const touched: Edit = draft => {
  containerOf(draft).modprobe.parameters = ['debug=1']
}

describe('admission of an update', () => {
  for (const [from, to, isRefused] of [
    ['', '1', true],
    ['1', '', true],
    ['1', '2', false],
    ['1', '1', false],
    ['', '', false],
  ] as const) {
    it(`${isRefused ? 'refuses' : 'lets through'} a version from "${from}" to "${to}"`, () => {
      const errors = errorsOf(moduleWith(versioned(to), touched), moduleWith(versioned(from)))
      assert.deepEqual(errors, isRefused ? [`VersionAddedOrRemoved at ${container}.version`] : [])
    })
  }

  it('takes an absent version for an empty one', () => {
    assert.deepEqual(errorsOf(moduleWith(versioned(''), touched), moduleWith()), [])
    assert.deepEqual(errorsOf(moduleWith(versioned('1')), moduleWith()), [`VersionAddedOrRemoved at ${container}.version`])
  })

  it('says only as a warning what the old object violated too', () => {
    const verdict = judgeModule(moduleWith(broken, touched), moduleWith(broken))
    assert.deepEqual(verdict.errors, [])
    assert.equal(verdict.warnings[0]?.code, 'LiteralOrRegexpMissing')
  })

  it('refuses a new violation beside an old one of the same rule', () => {
    const both: Edit = draft => {
      containerOf(draft).kernelMappings = [...containerOf(draft).kernelMappings, { containerImage: 'a/b:1' }]
    }
    assert.equal(errorsOf(moduleWith(broken, both), moduleWith(broken)).length, 1)
  })

  it('knows a broken mapping again when it moved', () => {
    const moved: Edit = draft => {
      containerOf(draft).kernelMappings = [{ literal: '5.4', containerImage: 'a/b:1' }, ...containerOf(draft).kernelMappings]
    }
    assert.deepEqual(errorsOf(moduleWith(broken, moved), moduleWith(broken)), [])
  })

  it('refuses a broken value that replaces another broken one', () => {
    const unavailable =
      (value: number): Edit =>
      draft => {
        draft.spec.moduleLoader.maxUnavailable = value
      }
    assert.deepEqual(errorsOf(moduleWith(unavailable(-2)), moduleWith(unavailable(-1))), [
      'MaxUnavailableInvalid at spec.moduleLoader.maxUnavailable',
    ])
  })

  it('never refuses a write that leaves the spec equal, in whatever spelling and order', () => {
    const old = moduleWith(broken, draft => {
      draft.spec.imageReposecret = { name: '' }
    })
    const same = moduleWith(broken, draft => {
      draft.spec = { ...draft.spec, moduleLoader: { container: containerOf(draft) }, imageRepoSecret: { name: '' } }
      draft.metadata.finalizers = []
    })
    assert.deepEqual(errorsOf(same, old), [])
  })

  it('says nothing of an object that is being deleted', () => {
    const deleted = moduleWith(versioned('1'), broken, draft => {
      draft.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    })
    assert.deepEqual(judgeModule(deleted, moduleWith()), { errors: [], warnings: [] })
  })

  it('warns when the driver changes and its version does not', () => {
    const other: Edit = draft => {
      firstMapping(draft).containerImage = 'registry.example.com/driver:other'
    }
    assert.deepEqual(warningsOf(moduleWith(versioned('1'), other), moduleWith(versioned('1'))), [
      `ChangedWithoutVersion at ${container}.version`,
    ])
    assert.deepEqual(warningsOf(moduleWith(versioned('2'), other), moduleWith(versioned('1'))), [])
    assert.deepEqual(warningsOf(moduleWith(other), moduleWith()), [])
  })
})
