import assert from 'node:assert/strict'
import { it } from 'node:test'
import { podName } from '../../../src/model/cluster/names.ts'

it('a pod whose name is taken gets another one, the same in every run', () => {
  const first = podName('owner', 'seed', () => false)
  assert.match(first, /^owner-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  const second = podName('owner', 'seed', name => name === first)
  assert.notEqual(second, first)
  assert.equal(
    podName('owner', 'seed', name => name === first),
    second,
  )
  let tries = 0
  podName('owner', 'seed', () => ++tries > 0)
  assert.equal(tries, 7, 'tried no more than eight names')
})
