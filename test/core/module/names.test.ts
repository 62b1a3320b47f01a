import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { kernelLabelValue } from '../../../src/core/kernel/version.ts'
import { loaderName, pluginName } from '../../../src/core/module/kernels.ts'
import { judgeModule } from '../../../src/core/module/rules.ts'
import * as keys from '../../../src/core/names.ts'
import { moduleOfVersionLabel } from '../../../src/core/upgrade/version-labels.ts'
import { aCanonicalModule, aModule } from '../../builders.ts'

// Kubernetes, "Object Names and IDs" and "Labels and Selectors".
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const labelPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

const word = (most: number) =>
  fc.stringMatching(new RegExp(`^[a-z0-9]([-a-z0-9]{0,${most - 2}}[a-z0-9])?$`)).filter(text => text.length <= most)
const kernel = fc.oneof(
  fc.constantFrom(
    '6.1.0-18-generic',
    '6.1.0',
    '6.12.117+deb12-cloud-amd64',
    '6.12.117_deb12-cloud-amd64',
    '5.14.0-284.el9.x86_64',
  ),
  fc.stringMatching(/^[0-9]\.[0-9]{1,2}[-a-zA-Z0-9._+~]{0,70}$/),
)
const version = fc.oneof(fc.constant(''), fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?$/))
const one = fc.record({ name: word(40), namespace: word(20), uid: fc.constantFrom('uid-1', 'uid-2'), kernel, version })

type One = typeof one extends fc.Arbitrary<infer T> ? T : never

const moduleOf = ({ name, namespace, uid, version: given }: One) => {
  const module = aCanonicalModule({ name, namespace, container: given === '' ? {} : { version: given } })
  return { ...module, metadata: { ...module.metadata, uid } }
}

describe('names of DaemonSets', () => {
  it('are legal for every Module, kernel and version', () =>
    fc.assert(
      fc.property(one, given => {
        assert.match(loaderName(moduleOf(given), given.kernel), dnsLabel)
        assert.match(pluginName(moduleOf(given)), dnsLabel)
      }),
    ))

  it('differ for different Modules, incarnations, kernels and versions of a namespace, and for both operands', () =>
    fc.assert(
      fc.property(one, one, (a, b) => {
        const of = (given: One) => [given.name, given.uid, kernelLabelValue(given.kernel), given.version].join(' ')
        const isSame = of(a) === of(b)
        assert.equal(loaderName(moduleOf(a), a.kernel) === loaderName(moduleOf(b), b.kernel), isSame)
        assert.notEqual(loaderName(moduleOf(a), a.kernel), pluginName(moduleOf(b)))
        if (a.name !== b.name || a.version !== b.version || a.uid !== b.uid)
          assert.notEqual(pluginName(moduleOf(a)), pluginName(moduleOf(b)))
      }),
    ))

  it('do not mix up where one part ends and the next begins', () => {
    const name = (module: string, given: string) =>
      loaderName(moduleOf({ name: module, namespace: 'ns', uid: 'uid-1', kernel: given, version: '' }), given)
    assert.notEqual(name('a', 'b-c'), name('a-b', 'c'))
  })
})

describe('label values of kernels', () => {
  it('are legal, and differ for kernels that differ in more than a final plus', () =>
    fc.assert(
      fc.property(kernel, kernel, (a, b) => {
        assert.match(kernelLabelValue(a), labelPart)
        const plain = (text: string) => text.replace(/\+$/, '')
        assert.equal(kernelLabelValue(a) === kernelLabelValue(b), plain(a) === plain(b))
      }),
    ))
})

describe('label keys of a Module that breaks no rule', () => {
  it('are legal, and differ for each purpose, Module and namespace', () =>
    fc.assert(
      fc.property(one, one, (a, b) => {
        const of = ({ name, namespace }: One) => [
          keys.readyLabel(namespace, name),
          keys.pluginReadyLabel(namespace, name),
          keys.userVersionLabel(namespace, name),
          keys.loaderVersionLabel(namespace, name),
          keys.pluginVersionLabel(namespace, name),
        ]
        const isAllowed = ({ name, namespace }: One) =>
          judgeModule(aModule({ name, namespace, container: { version: '1' } })).errors.length === 0
        const all = new Set<string>()
        const allowed = [a, b].filter(isAllowed)
        for (const given of allowed) for (const key of of(given)) all.add(key)
        for (const key of all) assert.match(key.split('/')[1] ?? '', labelPart)
        const isSame = a.name === b.name && a.namespace === b.namespace
        assert.equal(all.size, 5 * (isSame ? Math.min(1, allowed.length) : allowed.length))
      }),
    ))

  it('tell the Module that they belong to', () =>
    fc.assert(
      fc.property(word(30), word(30), (namespace, name) => {
        assert.equal(moduleOfVersionLabel(keys.userVersionLabel(namespace, name)), `${namespace}/${name}`)
      }),
    ))
})
