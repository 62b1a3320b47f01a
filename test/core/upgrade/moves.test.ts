import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { labelsAfter, nextStep, type Running, type VersionLabels } from '../../../src/core/upgrade/moves.ts'
import { moduleOfVersionLabel } from '../../../src/core/upgrade/version-labels.ts'

const nothingRuns: Running = { pluginPods: 0, loaderPods: 0 }

describe('ordered upgrade: one move at a time', () => {
  // [user, loader, plugin] -> move, with nothing running (behaviour.md 8.4)
  const table: readonly (readonly [string, string, string, string])[] = [
    ['', '', '', 'stay'],
    ['', '', '1', 'drop plugin'],
    ['', '1', '', 'drop loader'],
    ['', '1', '1', 'drop plugin'],
    ['2', '', '', 'set loader'],
    ['2', '', '2', 'drop plugin'],
    ['2', '', '1', 'drop plugin'],
    ['2', '2', '', 'set plugin'],
    ['2', '2', '2', 'stay'],
    ['2', '2', '1', 'drop plugin'],
    ['2', '1', '', 'drop loader'],
    ['2', '1', '2', 'drop plugin'],
    ['2', '1', '1', 'drop plugin'],
  ]
  for (const [user, loader, plugin, move] of table) {
    it(`wanted ${user || 'nothing'}, loader ${loader || 'none'}, plugin ${plugin || 'none'}: ${move}`, () => {
      assert.equal(nextStep({ user, loader, plugin }, nothingRuns).move, move)
    })
  }

  it('the driver is not unloaded while a device plugin is on the node', () => {
    const step = nextStep({ user: '2', loader: '1' }, { pluginPods: 1, loaderPods: 1 })
    assert.deepEqual([step.move, step.waitsFor], ['stay', 'plugin to stop'])
  })

  it('the new driver is not loaded while an older loader is on the node', () => {
    const step = nextStep({ user: '2' }, { pluginPods: 0, loaderPods: 1 })
    assert.deepEqual([step.move, step.waitsFor], ['stay', 'driver to unload'])
  })

  it('from any labels, however odd, a node ends with what the user wants, in at most five moves', () => {
    const value = fc.constantFrom(undefined, '', '1', '2', '3')
    fc.assert(
      fc.property(value, value, value, (user, loader, plugin) => {
        const wanted = user ?? ''
        let labels: VersionLabels = {
          ...(user === undefined ? {} : { user }),
          ...(loader === undefined ? {} : { loader }),
          ...(plugin === undefined ? {} : { plugin }),
        }
        for (let moves = 0; moves < 5; moves++)
          labels = { ...(user === undefined ? {} : { user }), ...labelsAfter(labels, nextStep(labels, nothingRuns)) }
        assert.deepEqual([labels.loader ?? '', labels.plugin ?? ''], [wanted, wanted])
      }),
    )
  })
})

describe('version label keys', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['kmm.node.kubernetes.io/version-module.ns.driver', 'ns/driver'],
    ['kmm.node.kubernetes.io/version-module.a-b.c', 'a-b/c'],
    ['kmm.node.kubernetes.io/version-module.a.b-c', 'a/b-c'],
    ['kmm.node.kubernetes.io/version-module.ns.dotted.name', 'ns/dotted.name'],
    ['kmm.node.kubernetes.io/version-module.ns', undefined],
    ['kmm.node.kubernetes.io/version-module..x', undefined],
    ['kmm.node.kubernetes.io/ns.driver.ready', undefined],
  ]
  for (const [key, module] of table)
    it(`${key} names ${module ?? 'no Module'}`, () => assert.equal(moduleOfVersionLabel(key), module))
})
